"""Saved mappings, on both databases: of one business unit only."""

from __future__ import annotations

import pytest
from tests.factories import NOW, seed_unit

from todoke.model.errors import Conflict, Invalid, NotFound
from todoke.model.list_mapping import Reading, SavedMapping
from todoke.store.catalogue import mappings, units
from todoke.store.store import Store

READING = Reading(fields={"携帯": "SMSPhoneNumber", "Nr": "ExternalId"}, encoding="cp932", required=("Nr",))
MAPPING = SavedMapping("staff", ("Nr", "携帯"), READING)


async def test_a_mapping_is_kept_found_and_forgotten(store: Store) -> None:
    await seed_unit(store, name="mine")
    await seed_unit(store, name="theirs")
    async with store.writing() as connection:
        mine, theirs = await units.find(connection, "mine"), await units.find(connection, "theirs")
        await mappings.save(connection, mine, MAPPING, NOW)
        await mappings.save(connection, mine, MAPPING._replace(name="  other   one "), NOW)
        await mappings.save(connection, mine, MAPPING, NOW)  # again the same

        assert [found.name for found in await mappings.every(connection, mine)] == ["other one", "staff"]
        assert await mappings.find(connection, mine, "staff") == MAPPING
        assert await mappings.every(connection, theirs) == []
        for unit, name in ((mine, "stuff"), (theirs, "staff")):
            with pytest.raises(NotFound, match=f"no saved mapping '{name}'"):
                await mappings.find(connection, unit, name)
            with pytest.raises(NotFound):
                await mappings.remove(connection, unit, name)
        await mappings.remove(connection, mine, "staff")
        assert [found.name for found in await mappings.every(connection, mine)] == ["other one"]


async def test_another_of_the_same_name_is_replaced_only_on_purpose(store: Store) -> None:
    await seed_unit(store, name="mine")
    changed = MAPPING._replace(reading=Reading(fields={"Nr": "ExternalId"}))
    async with store.writing() as connection:
        unit = await units.find(connection, "mine")
        await mappings.save(connection, unit, MAPPING, NOW)
        with pytest.raises(Conflict, match="another saved mapping 'staff'"):
            await mappings.save(connection, unit, changed, NOW)
        await mappings.save(connection, unit, changed, NOW, replace=True)
        assert await mappings.every(connection, unit) == [changed]


@pytest.mark.parametrize("name", ["", "  ", "a\x07", "x" * 101])
async def test_what_is_no_name(name: str) -> None:
    with pytest.raises(Invalid, match="no name for a saved mapping"):
        mappings.checked_name(name)
