"""A preview says how a file is read and why, and everything of it can be overridden."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from todoke.model.errors import Invalid
from todoke.model.list_mapping import Reading, SavedMapping
from todoke.pipeline.intake.file_kind import FileKind
from todoke.pipeline.intake.preview import Preview, preview


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def hows(seen: Preview) -> dict[str, tuple[str, str]]:
    return {column.header: (column.name, column.how.value) for column in seen.layout.columns}


def test_rows_mapping_and_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "社員番号,携帯\n1,090\n2,080\n", "cp932")

    seen = preview(path, rows=1)

    form = seen.written
    assert (seen.rows, seen.lines, form.encoding, form.certain) == ([["1", "090"]], [2], "cp932", False)
    assert (form.kind, form.compression, form.delimiter, form.quote) == (FileKind.TEXT, "none", ",", '"')
    assert seen.layout.mapping == {"社員番号": "ExternalId", "携帯": "SMSPhoneNumber"}
    assert seen.problem is None
    without = preview(path, Reading(fields={"社員番号": "Staff"}))
    assert "external id" in str(without.problem)
    assert preview(path, Reading(fields={"社員番号": "Staff"}, generate_external_ids=True)).problem is None


def test_how_each_column_was_mapped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "ExternalId,first_name,Mobile Phone,Home city now,Shift,Zone,Team\n")
    saved = SavedMapping("old", ("Zone",), Reading(fields={"Zone": "TimeZone", "Team": "Notes"}))

    seen = preview(path, Reading(fields={"Team": "Group"}, required=("Shift", "mobile phone")), saved=saved)

    assert hows(seen) == {
        "ExternalId": ("ExternalId", "exact"),
        "first_name": ("FirstName", "exact"),
        "Mobile Phone": ("SMSPhoneNumber", "synonym"),
        "Home city now": ("City", "part"),
        "Shift": ("Shift", "kept"),
        "Zone": ("TimeZone", "saved"),
        "Team": ("Group", "given"),
    }
    assert [column.header for column in seen.layout.required] == ["Mobile Phone", "Shift"]


def test_other_kinds_of_file_and_overrides(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Second").append(["id", "Mobile"])
    assert book.active is not None
    book.active.append(["id", "Phone"])
    book.save(tmp_path / "a.xlsx")
    pl.DataFrame({"id": [1], "Phone": [2.0]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.gz").write_bytes(gzip.compress("id;名\n1;'x'\n".encode("utf-16")))

    sheet = preview(tmp_path / "a.xlsx", Reading(sheet="Second"))
    table = preview(tmp_path / "a.parquet")
    packed = preview(tmp_path / "a.gz", Reading(quote="none"))

    assert (sheet.written.kind, sheet.written.sheet, sheet.written.sheets, sheet.header) == (
        FileKind.WORKBOOK,
        "Second",
        ["Sheet", "Second"],
        ["id", "Mobile"],
    )
    form = table.written
    assert (form.kind, table.rows, form.encoding, form.quote) == (FileKind.PARQUET, [["1", "2"]], None, None)
    form = packed.written
    assert (form.compression, form.encoding, form.delimiter, form.quote, packed.rows) == (
        "gzip",
        "utf-16-le",
        ";",
        "none",
        [["1", "'x'"]],
    )


WARNINGS = [
    ("id,Mobile,Home phone\n1,2,3\n", "'Mobile' is texted, 'Home phone' only where that is empty"),
    ("id,Phone,Work phone\n1,2,3\n", "Several columns hold phone numbers, 'Phone', 'Work phone': the first"),
    ("id,My mobile is\n1,2\n", "'My mobile is' is taken for SMSPhoneNumber by a part"),
    ("1,212-555-2671\n2,212-555-2672\n", "'212-555-2671', which looks like a phone number"),
    ("id,Phone,\n1,2,3\n", "The header names nothing in column 3"),
    ("id,Phone,todoke_line\n1,2,3\n", "Left out, .*: todoke_line"),
    ("id,Phone\n1\n", "Line 2 has 1 fields, the header 2"),
    ("id,Phone\n1,2,3\n", "Line 2 has 3 fields"),
    ("id,Phone,Where\n1,2,Asia/Tokyo\n3,4,\n", "'Where' holds time zones.*--map \"Where=TimeZone\""),
    ("id,Phone\n", "no rows below the header"),
]


@pytest.mark.parametrize(("text", "sentence"), WARNINGS)
def test_what_a_person_should_look_at(tmp_path: Path, text: str, sentence: str) -> None:
    import re

    warnings = preview(write(tmp_path / "a.csv", text)).warnings

    assert any(re.search(sentence, warning) for warning in warnings), warnings


def test_a_clean_list_has_no_warnings_but_a_guess_is_one(tmp_path: Path) -> None:
    assert preview(write(tmp_path / "a.csv", "id,Mobile\n1,2\n2,3,\n")).warnings == []
    (warning,) = preview(write(tmp_path / "b.csv", "id,Mobile,Name\n1,2,Zoë\n", "cp1252")).warnings
    assert "cp1252 is likely, not certain" in warning
    assert preview(tmp_path / "b.csv", Reading(encoding="cp1252")).warnings == []


def saved(name: str, *header: str, **reading: Any) -> SavedMapping:
    return SavedMapping(name, header, Reading(fields={column: column for column in header}, **reading))


def test_mappings_of_exactly_this_header_are_suggested_and_not_used(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Nr;Handy;todoke_line\n1;2;3\n")
    known = [saved("mine", "Handy", "Nr"), saved("less", "Nr"), saved("more", "Nr", "Handy", "Name")]

    seen = preview(path, known=known)

    assert seen.suggested == ["mine"]
    assert hows(seen)["Handy"] == ("SMSPhoneNumber", "synonym")
    assert preview(path, saved=known[0], known=known).suggested == []


def test_a_saved_mapping_gives_way_to_what_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Nr;A;B\n1;2;3\n")
    mapping = SavedMapping(
        "m", ("Nr", "A"), Reading(fields={"Nr": "ExternalId", "A": "SMSPhoneNumber"}, delimiter=";", required=("A",))
    )

    seen = preview(path, Reading(fields={"B": "SMSPhoneNumber"}), saved=mapping)

    assert hows(seen) == {"Nr": ("ExternalId", "saved"), "A": ("A", "kept"), "B": ("SMSPhoneNumber", "given")}
    assert [column.name for column in seen.layout.required] == ["A"]


def test_columns_of_a_saved_mapping_that_a_file_lacks_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Nr,Handy\n1,2\n")

    with pytest.raises(Invalid, match=r"'m' is for a list with the columns 'Name', 'Zone', which this one lacks"):
        preview(path, saved=saved("m", "nr", "Name", "HANDY", "Zone"))


def test_a_field_that_is_required_must_be_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,Mobile,Bonus\n1,2,3\n")

    with pytest.raises(Invalid, match=r"no field 'Bonsu'.*Did you mean 'Bonus'"):
        preview(path, Reading(required=("Bonsu",)))
