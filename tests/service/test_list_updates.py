"""Records that come to a list that is there: a file again, or single ones; positions stay, runs are not disturbed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.factories import NOW, seed, seed_code, seed_dnc_group, seed_provider, seed_skill, seed_unit

from todoke.model.clock import SystemClock
from todoke.model.errors import Conflict, Invalid
from todoke.model.list_import import ImportState
from todoke.pipeline.planner.start import start_skill
from todoke.service import list_updates
from todoke.service.list_imports import Ended, ListImports, Upload
from todoke.service.list_updates import Appended, add
from todoke.sms.phone_type import phone_type_of
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import imports, key_building, keys, life, merging
from todoke.store.schema import calling_list, contact, list_key, list_range, run_cursor
from todoke.store.store import Store

FIRST = "id,FirstName,Mobile\n1,Ann,212 555 2671\n2,Bob,212 555 2672\n3,Eve,+81 90-1234-5678\n4,Kim,212 555 2674\n"


class Here:
    """A business unit with a list `agents` of four contacts."""

    def __init__(self, store: Store, unit: Unit, folder: Path) -> None:
        self.store, self.unit, self.folder = store, unit, folder
        self.imports = ListImports(store, unit, folder / "rejected", SystemClock())

    async def load(self, text: str, *, onto: bool = True, **options: Any) -> Ended:
        path = self.folder / "agents.csv"
        path.write_text(text, encoding="utf-8")
        return await self.imports.begin("agents", Upload(path), options, onto=onto)

    async def add(self, *records: dict[str, str]) -> list[Appended]:
        return await add(self.store, self.unit, "agents", records, now=NOW)

    async def contacts(self) -> dict[str, tuple[int, int, int, str]]:
        """Position, number, zone set and first name by external id."""
        c = contact.c
        query = select(c.external_id, c.position, c.destination, c.zone_set, c.fields).order_by(c.position)
        async with self.store.reading() as connection:
            rows = (await connection.execute(query)).all()
        assert len({row[0] for row in rows}) == len(rows)
        assert [row[1] for row in rows] == list(range(len(rows)))
        return {row[0]: (row[1], row[2], row[3], row[4].split("\x1f")[1]) for row in rows}

    async def scalar(self, column: Any) -> Any:
        async with self.store.reading() as connection:
            return await connection.scalar(select(column))

    async def ranges(self) -> list[tuple[int, int, int]]:
        r = list_range.c
        async with self.store.reading() as connection:
            rows = await connection.execute(select(r.zone_set, r.first_position, r.last_position).order_by(r.number))
            return [(row[0], row[1], row[2]) for row in rows]

    async def check(self) -> None:
        """One list, nothing staged; every contact is found by its keys; the ranges cover the positions."""
        assert await self.scalar(func.count(calling_list.c.id)) == 1
        contacts = await self.contacts()
        assert await self.scalar(calling_list.c.contacts) == len(contacts)
        assert [p for _, first, last in await self.ranges() for p in range(first, last + 1)] == list(
            range(len(contacts))
        )
        list_id = await self.scalar(calling_list.c.id)
        await key_building.ensure(self.store, self.unit.bucket, list_id)
        for position, phone, _, _ in contacts.values():
            found = await keys.find(self.store, self.unit.bucket, list_id, keys.Kind.PHONE, [phone])
            assert position in found[phone]
        assert await self.scalar(func.count(list_key.c.chunk).filter(list_key.c.list_id != list_id)) == 0


@pytest.fixture
async def here(store: Store, tmp_path: Path) -> Here:
    unit_id = await seed_unit(store)
    provider = await seed_provider(store)
    code = await seed_code(store, unit_id, provider)
    await seed_dnc_group(store, unit_id)
    await seed_skill(store, unit_id, code)
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    made = Here(store, unit, tmp_path)
    await made.load(FIRST, onto=False)
    return made


async def test_a_file_again_updates_by_external_id(here: Here) -> None:
    """Known ones keep their place, new ones come behind; what is missing stays; a number of another is refused."""
    before = await here.contacts()
    ended = await here.load(
        "Mobile,id,FirstName\n+12125552671,1,Anna\n2125552672,2,Bob\n212 555 2674,3,Eve\n+12125552679,5,New\n12,6,Bad\n"
    )

    assert ended.updated is not None
    assert ended.updated.imported is not None
    merged = ended.updated.merged
    # Bob is written otherwise in the file (his number), which is a field as well.
    assert (merged.added, merged.updated, merged.unchanged, merged.reasons) == (1, 2, 0, {"duplicate_phone": 1})
    assert ended.updated.imported.contacts == merged.added + merged.updated + merged.unchanged + merged.rejected
    assert (ended.updated.imported.rejected, ended.updated.imported.reasons) == (1, {"phone_too_short": 1})
    after = await here.contacts()
    assert after["1"] == (before["1"][0], 12125552671, before["1"][2], "Anna")
    assert after["3"] == before["3"]
    assert after["4"] == before["4"]
    assert after["5"][0] == 4
    assert ended.updated.rejects_path is not None
    assert "4, at position 2 of the list" in ended.updated.rejects_path.read_text("utf-8-sig")
    await here.check()
    again = await here.load("Mobile,id,FirstName\n+12125552671,1,Anna\n2125552672,2,Bob\n+12125552679,5,New\n")
    assert again.updated is not None
    assert (again.updated.merged.unchanged, again.updated.merged.updated, again.updated.merged.added) == (3, 0, 0)


async def test_a_new_zone_set_comes_behind_the_others(here: Here) -> None:
    """Numbers that the list has stay what they are, and the contact keeps its position."""
    before = await here.contacts()
    ranges = await here.ranges()
    await here.load("id,FirstName,Mobile\n1,Ann,+44 7911 123456\n9,Ned,+81 90-1234-5679\n")

    after = await here.contacts()
    assert (after["1"][0], after["1"][2]) == (before["1"][0], 2)
    assert after["9"][2] == before["3"][2]
    zone_sets = await here.scalar(calling_list.c.zone_sets)
    assert [zones[0].split()[-1] for zones in zone_sets[:2]] == ["America/New_York", "Asia/Tokyo"]
    assert any("Europe/London" in place for place in zone_sets[2])
    assert await here.ranges() == [*ranges[:-1], (ranges[-1][0], ranges[-1][1], ranges[-1][2] + 1)]
    await here.check()


async def test_a_run_that_is_under_way_does_not_see_what_comes(here: Here) -> None:
    started = await start_skill(
        here.store, business_unit=None, skill="skill", calling_list="agents", now=SystemClock().now()
    )
    assert await here.add({"ExternalId": "7", "FirstName": "Joe", "SMSPhoneNumber": "2125552677"}) == [Appended(4)]

    assert started.contacts == 4
    last = func.max(run_cursor.c.last_position)
    assert await here.scalar(last.filter(run_cursor.c.run_id == started.run_id)) == 3
    again = await start_skill(
        here.store, business_unit=None, skill="skill", calling_list="agents", now=SystemClock().now()
    )
    assert again.contacts == 5
    assert await here.scalar(last.filter(run_cursor.c.run_id == again.run_id)) == 4


async def test_single_records_go_by_the_rules_of_an_import(here: Here) -> None:
    answers = await here.add(
        {"ExternalId": "7", "FirstName": "Joe\nX", "SMSPhoneNumber": "(212) 555-2677"},
        {"ExternalId": "8", "SMSPhoneNumber": "12345"},
        {"ExternalId": "1", "SMSPhoneNumber": "2125552690"},
        {"ExternalId": "9", "SMSPhoneNumber": "+1 212 555 2672"},
        {"ExternalId": "7", "SMSPhoneNumber": "2125552691"},
        {"FirstName": "Nobody", "SMSPhoneNumber": "2125552692"},
    )
    assert [(answer.position, answer.reason) for answer in answers] == [
        (4, ""),
        (None, "phone_too_short"),
        (None, "duplicate_external_id"),
        (None, "duplicate_phone"),
        (None, "duplicate_external_id"),
        (None, "missing_external_id"),
    ]
    assert "1, at position 0" in answers[2].detail
    assert "2, at position 1" in answers[3].detail
    assert [answer.reason for answer in await here.add({"ExternalId": "8", "SMSPhoneNumber": "12345"})] == [
        "phone_too_short"
    ]
    with pytest.raises(Invalid, match="no field 'Firstname'"):
        await here.add({"ExternalId": "8", "Firstname": "x"})
    await here.check()


async def test_the_rejected_rows_of_an_update_stay_until_somebody_removes_them(here: Here) -> None:
    """Also where the next list gets the id that the update's own list had."""
    updated = (await here.load("id,FirstName,Mobile\n7,Joe,12345\n8,Moe,212 555 2690\n")).updated
    assert updated is not None
    assert updated.imported is not None
    path = updated.imported.rejects_path
    assert path is not None
    assert path.name == "import-2-not-read-rejected.csv"
    other = here.folder / "others.csv"
    other.write_text("id,Mobile\n1,212 555 2671\n2,nobody\n")
    imported = (await here.imports.begin("others", Upload(other), {})).imported
    assert imported is not None
    assert imported.rejects_path not in (None, path)
    assert "7,Joe,12345" in path.read_text()


async def test_what_is_added_is_read_by_the_rules_of_the_lists_own_import(here: Here) -> None:
    """Its region, its channel, and what becomes of contacts in no known time zone."""
    async with here.store.writing() as connection:
        await connection.execute(update(calling_list).values(name="old agents"))
    rules = {"default_region": "JP", "channel": "any", "no_time_zone": "Asia/Tokyo"}
    await here.load("id,FirstName,Mobile\n1,Aki,090-1234-5678\n", onto=False, **rules)
    answers = await here.add(
        {"ExternalId": "2", "FirstName": "Ken", "SMSPhoneNumber": "080-1234-5678"},
        {"ExternalId": "3", "FirstName": "Shop", "SMSPhoneNumber": "03-3123-4567"},
    )
    assert answers == [Appended(1), Appended(2)]
    updated = await here.load("id,FirstName,Mobile\n4,Mai,070-1234-5678\n")
    assert updated.updated is not None
    assert updated.updated.merged.added == 1
    async with here.store.reading() as connection:
        query = select(contact.c.destination).join(calling_list, calling_list.c.id == contact.c.list_id)
        rows = await connection.scalars(query.where(calling_list.c.name == "agents").order_by(contact.c.position))
        assert list(rows) == [819012345678, 818012345678, 0, 817012345678]


async def test_what_is_appended_at_once_is_refused_once(here: Here) -> None:
    """Concurrent appends of the same record wait for each other: one of them wins."""
    record = {"ExternalId": "7", "FirstName": "Joe", "SMSPhoneNumber": "2125552677"}
    other = {"ExternalId": "8", "FirstName": "Jim", "SMSPhoneNumber": "2125552678"}
    answers = await asyncio.gather(here.add(record), here.add(record), here.add(other))
    assert sorted(answer[0].position or 0 for answer in answers) == [0, 4, 5]
    assert [answer[0].reason for answer in answers].count("duplicate_external_id") == 1
    await here.check()


async def test_an_update_that_breaks_off_goes_on_where_it_was(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """... with the same counts as if it had not; meanwhile nothing else comes to the list, and it is not deleted."""
    monkeypatch.setattr(merging, "TOGETHER", 3)
    rows = [f"{n},Zed,+1212556{n:04d}" for n in range(1, 12)] + ["20,Dup,+12125562222"]
    await here.add({"ExternalId": "99", "FirstName": "Own", "SMSPhoneNumber": "+12125562222"})
    text = "id,FirstName,Mobile\n" + "\n".join(rows) + "\n"
    written, real = 0, merging._write

    async def fails(*args: Any) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise StoreUnavailable
        await real(*args)

    monkeypatch.setattr(merging, "_write", fails)
    with pytest.raises(StoreUnavailable):
        await here.load(text)
    with pytest.raises(Conflict, match="being merged"):
        await life.delete(here.store, here.unit, "agents", NOW)
    with pytest.raises(Conflict, match="being merged"):
        await here.add({"ExternalId": "77", "SMSPhoneNumber": "2125552977"})
    assert await here.scalar(func.count(calling_list.c.id)) == 2

    ended = await here.imports.resume(2)

    assert ended.updated is not None
    merged = ended.updated.merged
    assert (merged.added, merged.updated, merged.reasons) == (7, 4, {"duplicate_phone": 1})
    assert ended.updated.rejects_path is not None
    assert len(ended.updated.rejects_path.read_text("utf-8-sig").splitlines()) == 2
    await here.check()


async def test_a_cancelled_update_lets_the_list_go(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(merging, "_write", fails)
        with pytest.raises(StoreUnavailable):
            await here.load("id,FirstName,Mobile\n1,Anna,2125552671\n")
    assert await here.imports.cancel(2)

    async with here.store.reading() as connection:
        assert (await imports.find(connection, here.unit, 2)).state is ImportState.CANCELLED
    assert await here.scalar(calling_list.c.updating_import) is None
    await here.add({"ExternalId": "7", "FirstName": "Joe", "SMSPhoneNumber": "2125552677"})
    await here.check()


async def test_an_update_with_a_strange_column_changes_nothing(here: Here) -> None:
    before = await here.contacts()
    with pytest.raises(Invalid, match="no field 'Shoe size'"):
        await here.load("id,Shoe size,Mobile\n1,44,2125552671\n")
    with pytest.raises(Invalid, match="cannot be generated"):
        await here.load("Mobile\n2125552671\n", generate_external_ids=True)
    assert await here.contacts() == before
    await here.check()


async def test_a_list_of_an_earlier_version_gets_its_keys(store: Store) -> None:
    scene = await seed(store)
    async with store.writing() as connection:
        await connection.execute(update(calling_list).values(keyed=False))
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    async with store.writing() as connection:
        fields = ["ExternalId", "FirstName", "SMSPhoneNumber"]
        await connection.execute(update(calling_list).values(fields=fields))
    record = {"ExternalId": "c3", "SMSPhoneNumber": "2125552677"}
    (answer,) = await list_updates.add(store, unit, "list", [record], now=NOW)
    assert answer.reason == "duplicate_external_id"
    assert (await keys.read(store, scene.bucket, scene.list, keys.Kind.EXTERNAL)).height == 10


# ------------------------------------------------------------------ of which phone type the texted number is


async def phone_types(here: Here) -> dict[str, tuple[str, ...]]:
    sets = await here.scalar(calling_list.c.zone_sets)
    return {name: phone_type_of(sets[row[2]]) for name, row in (await here.contacts()).items()}


async def test_what_comes_says_of_which_phone_type_it_is(here: Here) -> None:
    """The field's names add up, so that the hours of each of them hold; what is not in the file stays as it is."""
    mine = ("SMSPhoneNumber", "Mobile")
    assert set((await phone_types(here)).values()) == {mine}
    await here.add({"ExternalId": "7", "FirstName": "Joe", "SMSPhoneNumber": "2125552677"})
    assert (await phone_types(here))["7"] == mine
    await here.load("id,FirstName,Mobile\n1,Ann,212 555 2671\n8,Ned,212 555 2678\n")
    assert set((await phone_types(here)).values()) == {mine}
    assert len(await here.scalar(calling_list.c.zone_sets)) == 2
    await here.load("id,FirstName,Cell\n1,Ann,212 555 2671\n9,Tom,212 555 2679\n")
    both = (*mine, "Cell")
    assert await phone_types(here) == {name: both if name in "19" else mine for name in "1234789"}
    assert await here.scalar(calling_list.c.phone_names) == {"SMSPhoneNumber": ["Mobile", "Cell"]}
    await here.add({"ExternalId": "6", "FirstName": "Max", "SMSPhoneNumber": "2125552676"})
    assert (await phone_types(here))["6"] == both
    await here.check()


async def test_a_list_of_before_knows_no_phone_types_whatever_comes(here: Here) -> None:
    """Half of it would; it stays one whose phone types nobody knows, and its contacts count as they were."""
    async with here.store.writing() as connection:
        sets = [["US-NY America/New_York"], ["JP Asia/Tokyo"]]
        await connection.execute(update(calling_list).values(zone_sets=sets, phone_names=None))
    await here.add({"ExternalId": "7", "FirstName": "Joe", "SMSPhoneNumber": "2125552677"})
    ended = await here.load(FIRST + "8,Ned,212 555 2678\n")
    assert ended.updated is not None
    assert (ended.updated.merged.added, ended.updated.merged.updated, ended.updated.merged.unchanged) == (1, 0, 4)
    assert set((await phone_types(here)).values()) == {()}
    assert await here.scalar(calling_list.c.zone_sets) == sets
    assert await here.scalar(calling_list.c.phone_names) is None
    await here.check()
