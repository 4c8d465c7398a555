"""Files of numbers on DNC groups: everything in the file is accounted for, and nothing is ever shortened."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.factories import seed_dnc_group, seed_unit

from todoke.model.clock import HOUR, SystemClock
from todoke.model.errors import Invalid
from todoke.pipeline.intake.dnc import importing, sorting
from todoke.pipeline.intake.dnc.importing import ImportedNumbers, Reading, import_numbers
from todoke.store import schema
from todoke.store.catalogue import dnc, dnc_history, units
from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.dnc.export import export
from todoke.store.store import Store

DAY = 24 * HOUR


class Desk:
    """A unit with a group, and files put on it."""

    def __init__(self, store: Store, unit: Unit, group: Group, folder: Path) -> None:
        self.store, self.unit, self.group, self.folder = store, unit, group, folder
        self.clock = SystemClock()

    async def put(self, content: str | bytes, name: str = "numbers.csv", **reading: Any) -> ImportedNumbers:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = await import_numbers(
            self.store,
            self.unit,
            self.group,
            path,
            Reading(**reading),
            rejects_dir=self.folder / "rejected",
            clock=self.clock,
            who="ann",
        )
        assert done.processed == done.valid + done.invalid
        assert done.valid == done.added + done.extended + done.present + done.repeated
        assert done.invalid == sum(done.reasons.values())
        return done

    async def entries(self) -> dict[int, tuple[str, int | None]]:
        e = schema.dnc_entry.c
        async with self.store.reading() as connection:
            return {
                row[0]: (row[1], row[2]) for row in await connection.execute(select(e.phone, e.source, e.expires_at))
            }

    async def history(self, phone: int) -> list[tuple[str, str]]:
        async with self.store.reading() as connection:
            return [(row.change, row.source) for row in await dnc_history.of_phone(connection, self.unit, phone)]


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> Desk:
    unit_id = await seed_unit(store)
    group_id = await seed_dnc_group(store, unit_id)
    async with store.reading() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == unit_id)
    return Desk(store, unit, dnc.Group(group_id, "default", default=False), tmp_path)


async def test_a_plain_list_of_numbers(desk: Desk) -> None:
    done = await desk.put("+12025550143\n(202) 555-0144\n\nnot a number\n202 555 0143\n", "numbers.txt")
    assert (done.processed, done.added, done.repeated, done.reasons) == (4, 2, 1, {"phone_not_a_number": 1})
    assert await desk.entries() == {12025550143: ("upload", None), 12025550144: ("upload", None)}
    assert done.rejects_path is not None
    with done.rejects_path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["PhoneNumber"], row["todoke_line"], row["todoke_reason"]) == ("not a number", "4", "phone_not_a_number")


async def test_columns_are_found_by_their_names(desk: Desk) -> None:
    text = "Name;Mobile phone;Expires\nAnn;+1 202-555-0143;2090-01-31\nBob;+1 202-555-0144;\nEve;;2090-01-31\n"
    text += "Dan;+1 202-555-0145;soon\nFay;+1 202-555-0146;2001-01-01\n"
    done = await desk.put(text)
    assert (done.column, done.expires_column, done.processed, done.added) == ("Mobile phone", "Expires", 5, 2)
    assert done.reasons == {"missing_phone": 1, "invalid_expiration": 1, "expired": 1}
    entries = await desk.entries()
    assert entries[12025550144] == ("upload", None)
    assert entries[12025550143][1] is not None
    assert entries[12025550143][1] > desk.clock.now() + 60 * 365 * DAY


async def test_a_column_that_is_named(desk: Desk) -> None:
    text = "a,b,c\n2025550143,2025550144,2090-01-01\n"
    done = await desk.put(text, column="B", expires_column="c")
    assert (done.column, list(await desk.entries())) == ("b", [12025550144])
    with pytest.raises(Invalid, match="has no column 'd'"):
        await desk.put("a,b\n1,2\n", column="d")
    with pytest.raises(Invalid, match="No column holds phone numbers"):
        await desk.put("a,b\nx,y\n")


async def test_a_compressed_file(desk: Desk) -> None:
    done = await desk.put(gzip.compress(b"phone,expires\n2025550143,\n"), "numbers.csv.gz")
    assert done.added == 1
    with pytest.raises(Invalid, match="is damaged"):
        await desk.put(gzip.compress(b"phone\n" + b"2025550143\n" * 999)[:-9], "numbers.csv.gz")


async def test_bytes_that_are_no_text_are_a_rejected_row(desk: Desk) -> None:
    done = await desk.put(b"phone,name\n2025550143,Zo\xc3\xab\n20255\xff50144,Ann\n2025550145,\xff\n", encoding="utf-8")
    assert (done.added, done.reasons) == (1, {"undecodable": 2})


async def test_an_import_done_again_changes_nothing(desk: Desk) -> None:
    lines = "".join(f"202555{n:04}\n" for n in range(100, 199))
    assert (await desk.put(lines)).added == 99
    again = await desk.put(lines)
    assert (again.added, again.extended, again.present) == (0, 0, 99)
    async with desk.store.reading() as connection:
        changes = await dnc_history.of_group(connection, desk.unit, desk.group)
        newest, first = await dnc_history.uploads(connection, desk.unit)
    assert [(row.change, row.phone, row.numbers, row.upload_id, row.who) for row in changes] == [
        ("uploaded", None, 99, first.id, "ann")
    ]
    assert (newest.state, newest.processed, newest.present, first.file) == ("done", 99, 99, "numbers.csv")


async def test_the_stricter_one_stays_and_each_change_is_told(desk: Desk) -> None:
    now = desk.clock.now()
    olds = {1: now + 10 * DAY, 2: None, 3: now + 90 * DAY, 4: now - 1}
    async with desk.store.writing() as connection:
        for n, until in olds.items():
            row = {"bucket": 3, "dnc_group_id": desk.group.id, "phone": 12025550140 + n, "source": "opt_out"}
            await connection.execute(schema.dnc_entry.insert().values(**row, created_at=now - DAY, expires_at=until))
    done = await desk.put("".join(f"202555014{n}\n" for n in range(6)), expires_at=now + 30 * DAY)
    assert (done.added, done.extended, done.present) == (3, 1, 2)
    until = now + 30 * DAY
    assert await desk.entries() == {
        12025550140: ("upload", until),
        12025550141: ("upload", until),
        12025550142: ("opt_out", None),
        12025550143: ("opt_out", olds[3]),
        12025550144: ("upload", until),
        12025550145: ("upload", until),
    }
    assert await desk.history(12025550141) == [("extended", "upload")]
    assert await desk.history(12025550142) == []
    assert await desk.history(12025550144) == [("expired", "opt_out"), ("added", "upload")]
    assert await desk.history(12025550145) == [("added", "upload")]


async def test_what_is_held_for_review_is_put_on_the_group_all_the_same(desk: Desk) -> None:
    async with desk.store.writing() as connection:
        row = {"bucket": 3, "dnc_group_id": desk.group.id, "phone": 12025550143, "source": "review", "created_at": 1}
        await connection.execute(schema.dnc_entry.insert().values(**row))
    done = await desk.put("2025550143\n2025550144\n")
    assert (done.added, done.present) == (2, 0)
    assert (await desk.entries())[12025550143] == ("upload", None)


async def test_many_numbers_in_several_chunks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "CHUNK", 5_000)
    numbers = [12_125_000_000 + n * 37 % 9_000_000 for n in range(30_000)]
    assert len(set(numbers)) == 30_000
    done = await desk.put("phone\n" + "\n".join(f"+{number}" for number in reversed(numbers)))
    kept = await desk.entries()
    assert done.added == len(kept) == done.valid
    assert set(kept) <= set(numbers)
    pages = [row[0] async for page in export(desk.store, desk.unit, desk.group, page=999) for row in page]
    assert pages == sorted(kept)


async def test_what_is_exported_can_be_imported_again(desk: Desk) -> None:
    await desk.put("phone,expires\n2025550143,\n2025550144,2090-01-31T10:00:00Z\n")
    rows = [row async for page in export(desk.store, desk.unit, desk.group) for row in page]
    assert [(row[0], row[1]) for row in rows] == [(12025550143, "upload"), (12025550144, "upload")]
    assert rows[0][3] is None
    assert rows[1][3] is not None


async def test_an_upload_that_fails_says_so_and_can_be_done_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError("no more")

    lines = "2025550143\n2025550144\n20\n"
    with monkeypatch.context() as patch:
        patch.setattr(importing.uploads, "counted", broken)
        with pytest.raises(OSError, match="no more"):
            await desk.put(lines)
    assert not [*(desk.folder / "rejected").iterdir()]
    async with desk.store.reading() as connection:
        (upload,) = await dnc_history.uploads(connection, desk.unit)
    assert (upload.state, upload.added) == ("failed", 2)
    assert (await desk.put(lines)).present == 2


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(1, 9)), max_size=12))
def test_of_a_number_that_comes_twice_the_stricter_expiry_counts(rows: list[tuple[int, int | None]]) -> None:
    from array import array

    from todoke.store.dnc.numbers import FOR_GOOD, Numbers

    ends = array("q", [FOR_GOOD if until is None else until for _, until in rows])
    found = Numbers.of(array("q", [phone for phone, _ in rows]), ends)
    wanted: dict[int, float] = {}
    for (phone, _), end in zip(rows, ends, strict=True):
        wanted[phone] = max(end, wanted.get(phone, 0))
    assert [(p, FOR_GOOD if e is None else e) for p, e in found.pairs] == sorted(wanted.items())
