"""An .xlsx workbook's sheet as rows of text; line numbers are the sheet's row numbers."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import fastexcel
import polars as pl

from todoke.model.errors import Invalid
from todoke.pipeline.intake.lines import clean
from todoke.pipeline.intake.parts import Part, columns_part
from todoke.pipeline.intake.rows import Batch

_BATCH = 8192  # rows

# How the library writes dates and times of day as text: a date has midnight, a time of day has day zero.
_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) 00:00:00(?:\.0+)?$"
_TIME = r"^1899-12-3[01] ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.0+)?$"
_WHOLE = r"^(-?[0-9]+)\.0+$"


def sheet_names(path: Path) -> list[str]:
    """The names of the workbook's sheets, in its order."""
    return _open(path).sheet_names


def read_sheet(path: Path, sheet: str | None = None) -> pl.DataFrame:
    """A sheet as columns of text from its first row on, empty cells empty; by name, else the first. Raises `Invalid`.

    The whole sheet is held in memory (a sheet has at most 1,048,576 rows).
    """
    workbook = _open(path)
    names = workbook.sheet_names
    if sheet is not None and sheet not in names:
        there = ", ".join(map(repr, names))
        raise Invalid(f"The workbook has no sheet {sheet!r}.", where=str(path), fix=f"There is: {there}.")
    try:
        loaded = workbook.load_sheet(sheet or names[0], header_row=None, skip_rows=0, dtypes="string")
        frame = cast(pl.DataFrame, loaded.to_polars())
    except fastexcel.FastExcelError as error:
        raise _unreadable(path, error) from error
    text = pl.all().str.replace(_WHOLE, "$1").str.replace(_DATE, "$1").str.replace(_TIME, "$1")
    return cast(Any, frame).select(text.fill_null(""))


def read_batches(frame: pl.DataFrame, first: int = 0) -> Iterator[Batch]:
    """The rows from index `first` on; rows without any value are left out."""
    for start in range(first, frame.height, _BATCH):
        part = frame.slice(start, _BATCH)
        rows: list[list[str]] = []
        lines: list[int] = []
        for number, values in enumerate(part.iter_rows(), start + 1):
            if any(values):
                rows.append(list(map(clean, cast(tuple[str, ...], values))))
                lines.append(number)
        longest = max((len(value) for row in rows for value in row), default=0)
        yield Batch(rows, lines, start + part.height, longest)


def read_parts(frame: pl.DataFrame, first: int = 0) -> Iterator[Part]:
    """The same as columns."""
    for start in range(first, frame.height, _BATCH):
        rows = cast(Any, frame.slice(start, _BATCH).with_row_index("row", start + 1))
        values = pl.all().exclude("row")
        rows = rows.filter(pl.any_horizontal(values != ""))
        cleaned = values.str.replace_all("[\x0b\x0c]", " ").str.replace_all(r"[\x00-\x08\x0e-\x1f\x7f]", "")
        yield columns_part(rows.select(cleaned), rows["row"].cast(pl.UInt32), min(start + _BATCH, frame.height))


def _open(path: Path) -> Any:
    try:
        workbook = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise _unreadable(path, error) from error
    if not workbook.sheet_names:
        raise Invalid("The workbook has no sheet.", where=str(path), fix="Save the list as .xlsx again.")
    return workbook


def _unreadable(path: Path, error: Exception) -> Invalid:
    reason = str(error).splitlines()[0]
    return Invalid(
        f"The workbook cannot be read ({reason}).",
        where=str(path),
        fix="Open it in Excel and save it again, or as CSV.",
    )
