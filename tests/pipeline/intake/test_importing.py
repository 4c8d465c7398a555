"""A list as a whole or not at all, on both databases."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from tests.factories import NOW, seed_dnc_group, seed_unit
from tests.world import eventually

from todoke.model.errors import Conflict, Invalid, NotFound, TodokeError
from todoke.pipeline.intake import checking, dedupe, importing, key_frames
from todoke.pipeline.intake.importing import Imported, import_list
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import keys, lists
from todoke.store.lists.importer import this_process
from todoke.store.lists.key_hash import external_key
from todoke.store.lists.keys import Kind
from todoke.store.lists.postgres import PostgresContacts
from todoke.store.lists.sqlite import SqliteContacts
from todoke.store.schema import business_unit, calling_list, contact, list_range, list_rejection
from todoke.store.store import Store

ROWS = "id,First name,Mobile\n1,Ann,212 555 2671\n2,太郎,+81 90-1234-5678\n3,Bob,12345\n4,Kim,(212) 555-2671\n"

Import = Callable[..., Awaitable[Imported]]


@pytest.fixture
async def do_import(store: Store, tmp_path: Path) -> Import:
    """Imports a text as the list `agents`."""
    await seed_unit(store, name="unit", bucket=3, region="US")

    async def do(text: str = ROWS, **options: Any) -> Imported:
        path = tmp_path / "agents.csv"
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # what did not change is not touched
            path.write_text(text, encoding="utf-8")
        given = {
            "business_unit": "unit",
            "name": "agents",
            "path": path,
            "rejects_dir": tmp_path / "rejected",
            "now": NOW,
        }
        return await import_list(store, **{**given, **options})

    return do


async def rows(store: Store, *columns: Any) -> list[tuple[Any, ...]]:
    async with store.reading() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns))]


async def nothing_is_left(store: Store, folder: Path) -> bool:
    """Neither a list nor a contact nor a file."""
    tables = (calling_list, contact, list_range, list_rejection)
    left = [await rows(store, func.count(table.c.list_id if "list_id" in table.c else table.c.id)) for table in tables]
    files = list((folder / "rejected").iterdir()) if (folder / "rejected").exists() else []
    return left == [[(0,)]] * 4 and not files


async def test_a_file_becomes_a_list(do_import: Import, store: Store) -> None:
    done = await do_import()

    assert (done.contacts, done.rejected, done.blank) == (2, 2, 0)
    assert done.reasons == {"phone_too_short": 1, "duplicate_phone": 1}
    assert done.fields == ["ExternalId", "FirstName", "SMSPhoneNumber"]
    assert done.mapping == {"id": "ExternalId", "First name": "FirstName", "Mobile": "SMSPhoneNumber"}
    assert (done.encoding, done.delimiter, done.sheet) == ("utf-8", ",", None)
    assert sorted(done.zone_groups) == [(["JP Asia/Tokyo"], 1), (["US-NY America/New_York"], 1)]
    c, r, z = calling_list.c, list_rejection.c, list_range.c
    (stored,) = await rows(store, c.id, c.name, c.state, c.bucket, c.fields, c.zone_sets, c.source, c.imported_at)
    assert stored[:4] == (done.list_id, "agents", "ready", 3)
    mobile = ["@SMSPhoneNumber", "@Mobile"]
    zone_sets = [["US-NY America/New_York", *mobile], ["JP Asia/Tokyo", *mobile]]
    assert stored[4:] == (done.fields, zone_sets, "agents.csv", NOW)
    assert await rows(store, c.contacts, c.rejected) == [(2, 2)]
    assert sorted(await rows(store, contact)) == [
        (3, done.list_id, 0, 12125552671, 0, "1", "1\x1fAnn\x1f212 555 2671", None, None),
        (3, done.list_id, 1, 819012345678, 1, "2", "2\x1f太郎\x1f+81 90-1234-5678", None, None),
    ]
    assert sorted(await rows(store, r.reason, r["count"])) == [("duplicate_phone", 1), ("phone_too_short", 1)]
    assert await rows(store, z.number, z.zone_set, z.first_position, z.last_position) == [(0, 0, 0, 0), (1, 1, 1, 1)]


async def test_the_file_of_rejected_rows_can_be_corrected_and_imported(do_import: Import, tmp_path: Path) -> None:
    done = await do_import(
        'id,"=Bonus",Mobile\n1,=1+1,+1 212 555 2671\n2,"a\nb",12345\n3,@x,12345,too,many\n4,c\n5,=2,\n'
    )

    assert done.rejects_path is not None
    raw = done.rejects_path.read_bytes()
    assert raw.startswith(b"id,")  # no byte order mark, as the list has none
    assert done.rejects_path.stat().st_mode & 0o077 == 0
    table = list(csv.reader(raw.decode("utf-8").splitlines(keepends=True)))
    assert table[0] == ["id", "=Bonus", "Mobile", "todoke_line", "todoke_field", "todoke_reason", "todoke_detail"]
    assert [row[:6] for row in table[1:]] == [
        ["2", "a\nb", "12345", "3", "SMSPhoneNumber", "phone_too_short"],
        ["3", "@x", "12345", "5", "", "too_many_fields"],
        ["4", "c", "", "6", "", "too_few_fields"],
        ["5", "=2", "", "7", "SMSPhoneNumber", "missing_phone"],
    ]
    assert table[2][7:] == ["too", "many"]
    assert all(row[6][0].isalpha() for row in table[1:])
    corrected = raw.decode("utf-8").replace("12345", "2125552672", 1)
    again = await do_import(corrected, name="corrected")
    assert (again.contacts, again.fields) == (1, ["ExternalId", "=Bonus", "SMSPhoneNumber"])


async def test_a_field_name_in_our_columns_is_no_formula(do_import: Import) -> None:
    done = await do_import("id,=note,Mobile\n1,x,2125552671\n2," + "y" * 10_001 + ",2125552672\n")

    assert done.rejects_path is not None
    assert ",2,'=note,too_long," in done.rejects_path.read_text("utf-8").replace(",3,", ",2,")


async def test_without_rejected_rows_there_is_no_file(do_import: Import, tmp_path: Path) -> None:
    done = await do_import("id,Mobile\n1,2125552671\n")

    assert done.rejects_path is None
    assert not (tmp_path / "rejected").exists()


async def test_progress_goes_from_checking_to_the_end(do_import: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Progress] = []
    text = "id,Mobile\n" + "".join(f"{i},212{i % 8 + 2}{i:06d}\n" for i in range(20_000))

    done = await do_import(text, progress=seen.append)

    assert [step.fraction for step in seen] == sorted(step.fraction for step in seen)
    assert (seen[0].stage, seen[-1]) == (Stage.CHECKING, Progress(Stage.WRITING, 1.0, 20_000, done.rejected))
    assert len(seen) >= 4


async def test_a_name_is_used_once(do_import: Import, store: Store) -> None:
    await do_import()

    with pytest.raises(Conflict, match="There is a list 'agents' already"):
        await do_import()
    assert len(await rows(store, contact.c.position)) == 2


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"business_unit": "untit"}, NotFound, "no business unit 'untit'.*'unit'"),
        ({"name": "  "}, Invalid, "no name for a list"),
        ({"name": "a\x07b"}, Invalid, "no name for a list"),
        ({"default_region": "Japan"}, Invalid, "not a region"),
        ({"encoding": "klingon"}, Invalid, "not a text encoding"),
        ({"delimiter": "ab"}, Invalid, "cannot separate"),
        ({"mapping": {"Phone": "SMSPhoneNumber"}}, Invalid, "no column 'Phone'"),
        ({"path": Path("/nowhere/list.csv")}, NotFound, "no such file"),
        ({"text": "id,Mobile\n"}, Invalid, "no rows"),
        ({"text": "Mobile\n2125552671\n"}, Invalid, "external id"),
        ({"text": "2125552671\n2125552672\n"}, Invalid, "No column holds phone numbers"),
    ],
)
async def test_what_cannot_be_imported_leaves_nothing(
    do_import: Import, store: Store, tmp_path: Path, options: dict[str, Any], error: type[TodokeError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as caught:
        await do_import(**options)

    assert caught.value.fix or caught.value.where
    assert await nothing_is_left(store, tmp_path)


async def test_a_list_of_nobody_is_no_list_but_tells_why(do_import: Import, store: Store, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"None of the 2 rows.*2 phone_too_short.*rejected\.csv"):
        await do_import("id,Mobile\n1,12345\n2,123456\n")

    (kept,) = (tmp_path / "rejected").iterdir()
    assert len(kept.read_text("utf-8").splitlines()) == 3
    kept.unlink()
    assert await nothing_is_left(store, tmp_path)


def many(count: int) -> str:
    return "id,Mobile\n" + "".join(f"{i},+1212{i % 8 + 2}{i:06d}\n" for i in range(count)) + "x,12345\n"


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], Awaitable[None]]], None]:
    """Calls something before the n-th piece of contacts is written."""

    def hook(before: Callable[[int], Awaitable[None]]) -> None:
        for kind in (SqliteContacts, PostgresContacts):
            count = 0
            write = kind.write

            async def hooked(self: Any, opened: Any, contacts: Any, write: Any = write) -> None:
                nonlocal count
                count += 1
                await before(count)
                await write(self, opened, contacts)

            monkeypatch.setattr(kind, "write", hooked)

    return hook


async def test_a_database_that_goes_away_in_the_middle(
    do_import: Import, store: Store, tmp_path: Path, writes: Any
) -> None:
    async def fail(count: int) -> None:
        if count == 2:
            raise StoreUnavailable

    writes(fail)
    with pytest.raises(StoreUnavailable):
        await do_import(many(20_000))

    assert await nothing_is_left(store, tmp_path)


async def test_a_cancelled_import_leaves_nothing(do_import: Import, store: Store, tmp_path: Path, writes: Any) -> None:
    reached = asyncio.Event()

    async def wait(count: int) -> None:
        if count == 2:
            reached.set()
            await asyncio.Event().wait()

    writes(wait)
    task = asyncio.ensure_future(do_import(many(20_000)))
    await reached.wait()

    async def written() -> bool:
        return bool(await rows(store, contact.c.position))

    await eventually(written, "the first piece, which may be written beside the second, is there")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await nothing_is_left(store, tmp_path)


async def test_a_file_that_changes_in_the_middle(do_import: Import, store: Store, tmp_path: Path, writes: Any) -> None:
    async def change(count: int) -> None:
        with (tmp_path / "agents.csv").open("a") as file:
            file.write("z,2125552671\n")

    writes(change)
    with pytest.raises(Conflict, match="changed while it was read"):
        await do_import(many(20_000))

    assert await nothing_is_left(store, tmp_path)


async def test_a_full_disk_for_the_rejected_rows(
    do_import: Import, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rejected").write_text("not a folder")

    with pytest.raises(TodokeError, match="rejected rows cannot be written"):
        await do_import()
    (tmp_path / "rejected").unlink()
    assert await nothing_is_left(store, tmp_path)


async def test_the_same_name_at_the_same_time(do_import: Import, store: Store, writes: Any) -> None:
    async def again(_: int) -> None:
        with pytest.raises(Conflict, match="being imported right now"):
            await do_import()

    writes(again)
    done = await do_import()

    assert len(await rows(store, contact.c.position)) == done.contacts


async def leave_behind(store: Store, importer: str, state: str = "importing") -> int:
    """What a killed import leaves: a list that is not ready, and some contacts."""
    async with store.writing() as connection:
        unit = (await connection.execute(select(calling_list.c.id))).all()
        assert unit == []
        values = {"business_unit_id": 1, "name": "agents", "state": state, "bucket": 3, "fields": [], "zone_sets": []}
        values |= {"source": "x", "importer": importer, "contacts": 0, "rejected": 0, "created_at": NOW}
        statement = insert(calling_list).values(values).returning(calling_list.c.id)
        list_id = (await connection.execute(statement)).scalar_one()
        common = {"bucket": 3, "list_id": list_id, "zone_set": 0, "external_id": "", "fields": ""}
        await connection.execute(
            insert(contact), [{**common, "position": n * 7, "destination": n} for n in range(5000)]
        )
    return list_id


@pytest.mark.parametrize("importer", ["other:boot:1:2", "", "::1:", "nonsense"])
async def test_what_a_dead_import_left_is_cleared_away(do_import: Import, store: Store, importer: str) -> None:
    left = await leave_behind(store, importer)

    done = await do_import()

    assert done.list_id != left
    assert await rows(store, calling_list.c.id) == [(done.list_id,)]
    assert {row[0] for row in await rows(store, contact.c.list_id)} == {done.list_id}


async def test_what_a_living_import_writes_is_left_alone(do_import: Import, store: Store) -> None:
    left = await leave_behind(store, this_process())

    with pytest.raises(Conflict, match="being imported right now"):
        await do_import()
    assert await rows(store, calling_list.c.id) == [(left,)]
    assert len(await rows(store, contact.c.position)) == 5000


async def test_an_import_that_was_taken_over_writes_no_more(
    do_import: Import, store: Store, tmp_path: Path, writes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "is_alive", lambda _: False)
    monkeypatch.setattr(importing, "this_process", iter([f"host:boot:{n}:" for n in range(9)]).__next__)

    others: list[asyncio.Future[Any]] = []

    async def take_over(count: int) -> None:
        if count == 2:
            others.append(asyncio.ensure_future(do_import("id,Mobile\n1,2125552671\n")))
            await asyncio.shield(others[0])  # another process would not be cancelled with this one either

    writes(take_over)
    with pytest.raises(Conflict, match="taken this import over"):
        await do_import(many(20_000))

    await others[0]
    assert await rows(store, calling_list.c.state, calling_list.c.contacts) == [("ready", 1)]
    assert len(await rows(store, contact.c.position)) == 1


async def test_an_unanswered_last_commit_that_took_place_counts(
    do_import: Import, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Store.writing

    class Unanswered:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __aenter__(self) -> Any:
            return await self.inner.__aenter__()

        async def __aexit__(self, *args: Any) -> Any:
            await self.inner.__aexit__(*args)
            raise StoreUnavailable

    finish = lists.finish

    async def finish_unanswered(*args: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "writing", lambda store: Unanswered(writing(store)))
            await finish(*args)

    monkeypatch.setattr(lists, "finish", finish_unanswered)

    done = await do_import()

    assert await rows(store, calling_list.c.state, calling_list.c.contacts) == [("ready", done.contacts)]


async def test_keys_and_phone_types_are_kept_and_numbers_on_a_dnc_group_are_counted(
    do_import: Import, store: Store
) -> None:
    unit = (await rows(store, business_unit.c.id))[0][0]
    await seed_dnc_group(store, unit, bucket=3, phones=[12125552671, 819012345678, 1])
    text = (
        "id,Mobile,Home phone,Expires,Note\n"
        '1,212 555 2671,,,"a\rb"\n2,+81 90-1234-5678,+81 3-1234-5678,2099-01-01,"say ""hi"", \\\\."\n'
        '3,212 555 2673,12,," two\nlines "\n'
    )

    done = await do_import(text)

    assert (done.contacts, done.on_dnc, done.unusable) == (3, 2, {"PhoneNumber": 1})
    assert await rows(store, calling_list.c.phone_types) == [(["SMSPhoneNumber", "PhoneNumber"],)]
    c = contact.c
    stored = {
        row[0]: row[1:] for row in await rows(store, c.external_id, c.position, c.destination, c.fields, c.phones)
    }
    assert {row[2].rpartition("\x1f")[2] for row in stored.values()} == {
        "a\rb",
        'say "hi", \\\\.',
        "two\nlines",
    }
    assert [stored[key][3] for key in "123"] == [None, "\x1f81312345678", None]
    for external_id, (position, destination, _, _) in stored.items():
        key = external_key(external_id)
        assert await keys.find(store, 3, done.list_id, Kind.EXTERNAL, [key]) == {key: [position]}
        assert await keys.find(store, 3, done.list_id, Kind.PHONE, [destination]) == {destination: [position]}
    assert sum(expires is not None for (expires,) in await rows(store, c.expires_at)) == 1


@pytest.mark.parametrize("option", [{"no_time_zone": "Mars"}])
async def test_a_choice_that_there_is_not(do_import: Import, option: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="no time zone"):
        await do_import(**option)


async def test_a_list_that_does_not_fit_into_memory(
    do_import: Import, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_KEPT", 1)
    for module, few in ((dedupe, 100), (key_frames, 100)):
        monkeypatch.setattr(module, "IN_MEMORY", few)

    done = await do_import(many(3_000) + "x,+12122000000\n")

    assert done.reasons == {"phone_too_short": 1, "duplicate_phone": 1}
    assert done.contacts == 3_000
    found = await keys.read(store, 3, done.list_id, Kind.PHONE)
    assert found["position"].sort().to_list() == list(range(done.contacts))
    assert found["key"].is_sorted()
