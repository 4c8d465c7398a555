"""The ledger on both databases: what is added is read again, shows whether it was changed, and cannot be."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from tests.factories import NOW, seed

from todoke.model.clock import HOUR
from todoke.model.consent import Act, Kind, Record, hash_of, standing
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.consents import reading, writing
from todoke.store.hot.base import OptOut
from todoke.store.schema import consent, disclosure
from todoke.store.store import Store

PHONE = 15551234567
AGREED = "By ticking this box I agree to marketing texts from Acme. 届け"
WRITTEN = Record(
    PHONE,
    Act.GIVEN,
    Kind.EXPRESS_WRITTEN,
    NOW,
    seller="Acme",
    programme="club",
    purpose="marketing",
    disclosure=AGREED,
    version="3",
    signed="checkbox",
    zone="America/New_York",
    source="url",
    reference="https://acme.example/join",
    double_opt_in="reply YES, inbound 7",
    jurisdiction="US-FL",
    expires_at=NOW + HOUR,
)


async def unit_of(store: Store, name: str = "unit") -> Unit:
    async with store.reading() as connection:
        return await units.find(connection, name)


async def of_number(store: Store, unit: Unit, phone: int = PHONE) -> list[reading.Entry]:
    async with store.reading() as connection:
        return await reading.of_number(connection, unit, phone)


async def test_what_is_added_is_read_again_to_the_letter(store: Store) -> None:
    await seed(store)
    unit = await unit_of(store)
    revoked = Record(PHONE, Act.REVOKED, None, NOW + 1, method="call", words="no more", confirmation="c-1")
    assert await writing.add(store, unit, [WRITTEN, revoked], NOW + 5) == 2
    first, second = await of_number(store, unit)
    assert first[1:] == (WRITTEN, hash_of(AGREED), NOW + 5, True)
    assert second.record == revoked
    assert standing([first.fact, second.fact]) == []


async def test_the_same_record_is_not_added_twice(store: Store) -> None:
    await seed(store)
    unit = await unit_of(store)
    records = [WRITTEN._replace(phone=PHONE + n) for n in range(1_200)]
    assert await writing.add(store, unit, records, NOW) == 1_200
    assert await writing.add(store, unit, [*records, WRITTEN._replace(version="4")], NOW + 9) == 1
    async with store.reading() as connection:
        assert (await connection.execute(select(disclosure.c.text))).scalars().all() == [AGREED], "a text once"
    pages = [page async for page in reading.entries(store, unit)]
    assert [len(page) for page in pages] == [1_000, 201]
    assert [page async for page in reading.entries(store, unit, since=NOW + 1)] == []


async def test_another_business_unit_sees_nothing_of_it(store: Store) -> None:
    await seed(store)
    await seed(store, name="b")
    unit, other = await unit_of(store), await unit_of(store, "unitb")
    await writing.add(store, unit, [WRITTEN], NOW)
    assert await of_number(store, other) == []
    assert [page async for page in reading.entries(store, other)] == []


async def test_no_row_of_the_ledger_can_be_changed(store: Store) -> None:
    await seed(store)
    unit = await unit_of(store)
    await writing.add(store, unit, [WRITTEN], NOW)
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.writing() as connection:
            await connection.execute(update(consent).values(phone=1))


async def test_a_row_that_was_changed_past_the_trigger_shows_it(store: Store) -> None:
    await seed(store)
    unit = await unit_of(store)
    await writing.add(store, unit, [WRITTEN, WRITTEN._replace(version="2")], NOW)
    async with store.writing() as connection:
        on = "ON consent" if store.dialect == "postgresql" else ""
        await connection.execute(text(f"DROP TRIGGER consent_append_only {on}"))
        await connection.execute(update(consent).where(consent.c.version == "2").values(kind=1))
    try:
        assert [entry.intact for entry in await of_number(store, unit)] == [True, False]
        async with store.writing() as connection:
            await connection.execute(update(disclosure).values(text="You agreed to everything."))
        assert [entry.intact for entry in await of_number(store, unit)] == [False, False]
    finally:
        if store.dialect == "postgresql":  # the database is used again
            async with store.writing() as connection:
                await connection.execute(delete(consent))
                await connection.execute(
                    text(
                        "CREATE TRIGGER consent_append_only BEFORE UPDATE ON consent "
                        "FOR EACH ROW EXECUTE FUNCTION todoke_append_only()"
                    )
                )


async def test_replies_are_part_of_the_ledger_and_stand_in_one_place(store: Store) -> None:
    scene = await seed(store)
    unit = await unit_of(store)
    said = [
        OptOut(scene.bucket, scene.unit, scene.group, PHONE, "out", "reply", "Stop!", 1, NOW + 1),
        OptOut(scene.bucket, scene.unit, scene.group, PHONE, "in", "reply", "Start", 2, NOW + 2),
        OptOut(scene.bucket, scene.unit, scene.group, PHONE, "in", "person", "todoke dnc remove", None, NOW + 3),
    ]
    for one in said:
        await store.hot.apply_opt_outs([one], [])
    async with store.reading() as connection:
        rows = await reading.replies_of(connection, unit, PHONE)
    assert [(row.evidence, row.fact and row.fact.act) for row in rows] == [
        ("Stop!", Act.REVOKED),
        ("Start", Act.GIVEN),
        ("todoke dnc remove", None),
    ]
    assert [page async for page in reading.replies(store, unit, before=NOW + 3)] == [rows[:2]]
