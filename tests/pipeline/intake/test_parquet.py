"""Parquet files as rows of text, a piece at a time; and files that are broken."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from todoke.model.errors import Conflict, Invalid
from todoke.pipeline.intake import parquet
from todoke.pipeline.intake.reading import open_source
from todoke.pipeline.intake.reasons import Reason

MOMENT = datetime(2026, 4, 1, 8, 15)
AS_TEXT: list[tuple[str, Any, list[str]]] = [
    ("text", pl.Series(["007", None, "two\nlines\x1f\x0bx"]), ["007", "", "two\nlines x"]),
    ("whole numbers", pl.Series([81901234567, None, -1]), ["81901234567", "", "-1"]),
    ("numbers", pl.Series([81901234567.0, 1.5, float("nan")]), ["81901234567", "1.5", ""]),
    ("large numbers", pl.Series([1e300, float("inf"), None]), ["1e+300", "inf", ""]),
    ("short numbers", pl.Series([0.1, 2, None], dtype=pl.Float32), ["0.1", "2", ""]),
    ("money", pl.Series(["1.50", "2", None]).str.to_decimal(scale=2), ["1.50", "2.00", ""]),
    ("true", pl.Series([True, False, None]), ["true", "false", ""]),
    ("dates", pl.Series([date(2026, 4, 1), None, date(1, 1, 1)]), ["2026-04-01", "", "0001-01-01"]),
    (
        "moments",
        pl.Series([MOMENT, MOMENT + timedelta(milliseconds=500), None]),
        ["2026-04-01 08:15:00", "2026-04-01 08:15:00.500", ""],
    ),
    (
        "moments of a zone",
        pl.Series([MOMENT, None, None]).dt.replace_time_zone("Asia/Tokyo"),
        ["2026-04-01 08:15:00+09:00", "", ""],
    ),
    ("times", pl.Series([time(9, 30), time(9, 30, 1, 500_000), None]), ["09:30:00", "09:30:01.500", ""]),
    ("categories", pl.Series(["x", None, "y"], dtype=pl.Categorical), ["x", "", "y"]),
    ("choices", pl.Series(["x", None, "y"], dtype=pl.Enum(["x", "y"])), ["x", "", "y"]),
    ("bytes", pl.Series([b"abc", "花".encode(), None]), ["abc", "花", ""]),
    ("nothing", pl.Series([None, None, None]), ["", "", ""]),
]


def write(path: Path, **columns: Any) -> Path:
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize(("column", "expected"), [case[1:] for case in AS_TEXT], ids=[case[0] for case in AS_TEXT])
def test_values_are_what_people_would_write(tmp_path: Path, column: pl.Series, expected: list[str]) -> None:
    source = open_source(write(tmp_path / "a.csv", id=[1, 2, 3], it=column))

    (batch,) = source.batches()

    assert [row[1] for row in batch.rows] == expected
    assert batch.flaws == {}
    assert batch.longest == max(1, *map(len, expected))


def test_header_lines_and_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_PIECE", 1000)
    monkeypatch.setattr(parquet, "_BATCH", 300)
    frame = pl.DataFrame({"id": range(2500), "携帯": ["x"] * 2500})
    frame.write_parquet(tmp_path / "a", row_group_size=700)
    source = open_source(tmp_path / "a")

    batches = list(source.batches())

    assert (source.header, source.header_line, source.size, source.encoding) == (["id", "携帯"], 1, 2500, None)
    assert [int(row[0]) + 2 for batch in batches for row in batch.rows] == [
        line for batch in batches for line in batch.lines
    ]
    assert [line for batch in batches for line in batch.lines] == list(range(2, 2502))
    assert [batch.consumed for batch in batches][-1] == 2500
    assert all(len(batch) <= 300 for batch in batches)


def test_bytes_that_are_no_text_are_a_flaw_of_their_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_BATCH", 2)
    source = open_source(write(tmp_path / "a", id=[1, 2, 3], name=[b"a", b"b", b"\xff\xfe"]))

    assert [batch.flaws for batch in source.batches()] == [{}, {0: Reason.UNDECODABLE}]


@pytest.mark.parametrize("nested", [pl.Series([[1]]), pl.Series([{"a": 1}])])
def test_nested_columns_are_refused_by_name(tmp_path: Path, nested: pl.Series) -> None:
    with pytest.raises(Invalid, match=r"'tags' is nested"):
        open_source(write(tmp_path / "a.parquet", id=[1], tags=nested))


def test_a_file_without_rows_or_columns(tmp_path: Path) -> None:
    assert list(open_source(write(tmp_path / "a", id=pl.Series([], dtype=pl.Int64))).batches()) == []
    with pytest.raises(Invalid):
        open_source(write(tmp_path / "b"))


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a", id=[1, 2]))
    write(tmp_path / "a", id=[1, 2, 3], other=["x", "y", "z"])

    with pytest.raises(Conflict, match="changed while it was read"):
        list(source.batches())


def test_any_damage_ends_in_a_sentence_or_in_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a", id=range(300), name=[f"name {number}" for number in range(300)])
    good = path.read_bytes()
    chance = random.Random(5)
    for _ in range(60):
        raw = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            raw[chance.randrange(4, len(raw) - 4)] = chance.randrange(256)
        path.write_bytes(raw)
        try:
            assert all(len(row) == 2 for batch in open_source(path).batches() for row in batch.rows)
        except Invalid as error:
            assert error.where == str(path)
    path.write_bytes(good[:-20])
    with pytest.raises(Invalid, match="damaged"):
        open_source(path)
