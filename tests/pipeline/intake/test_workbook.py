"""Sheets as rows of text with the sheet's own row numbers."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from todoke.model.errors import Invalid
from todoke.pipeline.intake.reading import open_source
from todoke.pipeline.intake.workbook import read_batches, read_sheet


@pytest.fixture
def path(tmp_path: Path) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["B3"], sheet["C3"], sheet["D3"], sheet["E3"] = "Employee ID", "Mobile", "Start", "Note"
    sheet["B4"], sheet["C4"], sheet["D4"] = "007", 15551230001.0, datetime.date(2026, 4, 1)
    sheet["B6"], sheet["C6"], sheet["D6"] = 8, "+81 90-1234-5678", datetime.time(9, 30)
    sheet["B7"], sheet["D7"], sheet["E7"] = 9.5, datetime.datetime(2026, 4, 1, 8, 15), "two\nlines\x09tab"
    workbook.create_sheet("Empty")
    workbook.create_sheet("Second")["A1"] = "id"
    place = tmp_path / "list.xlsx"
    workbook.save(place)
    return place


def test_cells_become_text_and_rows_keep_their_numbers(path: Path) -> None:
    (batch,) = read_batches(read_sheet(path))

    assert list(zip(batch.lines, batch.rows, strict=True)) == [
        (3, ["Employee ID", "Mobile", "Start", "Note"]),
        (4, ["007", "15551230001", "2026-04-01", ""]),
        (6, ["8", "+81 90-1234-5678", "09:30:00", ""]),
        (7, ["9.5", "", "2026-04-01 08:15:00", "two\nlines\ttab"]),
    ]


def test_the_first_row_with_a_value_is_the_header(path: Path) -> None:
    source = open_source(path)

    assert (source.header, source.header_line, source.sheet) == (["Employee ID", "Mobile", "Start", "Note"], 3, "Sheet")
    assert [line for batch in source.batches() for line in batch.lines] == [4, 6, 7]


def test_a_sheet_is_chosen_by_name(path: Path) -> None:
    assert open_source(path, sheet="Second").header == ["id"]


def test_a_missing_and_an_empty_sheet_are_told_with_the_others(path: Path) -> None:
    with pytest.raises(Invalid, match=r"no sheet 'Third'.*'Sheet', 'Empty', 'Second'"):
        open_source(path, sheet="Third")
    with pytest.raises(Invalid, match=r"'Empty' is empty.*'Sheet', 'Second'"):
        open_source(path, sheet="Empty")
