"""Rows of a list as columns: what is judged and packed, some thousand rows at once.

Whatever a file holds is read row by row (`rows`); what is plainly written is read as columns at once (`plain_text`),
and both are parts. A source that has columns already gives them as they are: `columns_part`.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.verdicts import BLANK, verdict

MAX_VALUE = 10_000  # characters of a field


class Refused(NamedTuple):
    """A row that is no row of the table: as it stands, where it starts, and its verdict."""

    line: int
    row: list[str]
    code: int


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive rows. `lines` (UInt32) has where each of the `height` whole rows starts; `refused` the rows among
    them that cannot be read as rows of the table. `consumed` as in `Batch`.

    `columns` gives columns by their place in the row, as text without nulls, named by their number; it may be called
    again, and costs less for fewer columns.
    """

    height: int
    lines: pl.Series
    refused: list[Refused]
    consumed: int
    columns: Callable[[Sequence[int]], pl.DataFrame]


def name(index: int) -> str:
    """What the column at that place of the row is called in a frame."""
    return str(index)


def columns_part(frame: pl.DataFrame, lines: pl.Series, consumed: int, refused: Sequence[Refused] = ()) -> Part:
    """A part of columns that are there: text without nulls, in the order of the header.

    Values must hold no control characters but tabs and line ends (`lines.clean`).
    """
    named = frame.rename(dict(zip(frame.columns, map(name, range(frame.width)), strict=True)))
    long = [at for at, size in enumerate(_longest(named)) if size > MAX_VALUE]
    if not long:
        return Part(named.height, lines, list(refused), consumed, lambda at: named.select(map(name, at)))
    too_long = named.select(pl.any_horizontal(pl.col(name(at)).str.len_chars() > MAX_VALUE for at in long)).to_series()
    found = [
        Refused(line, list(row), verdict(Reason.TOO_LONG, next(at for at in long if len(row[at]) > MAX_VALUE)))
        for line, row in zip(lines.filter(too_long).to_list(), named.filter(too_long).iter_rows(), strict=True)
    ]
    kept = named.filter(~too_long)
    ordered = sorted([*refused, *found])
    return Part(kept.height, lines.filter(~too_long), ordered, consumed, lambda at: kept.select(map(name, at)))


def batch_part(batch: Batch, width: int) -> Part:
    """A part of rows that were read one by one. Those that are too wide only by empty fields are cut to `width`."""
    refused: list[Refused] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    for index, (line, row) in enumerate(zip(batch.lines, batch.rows, strict=True)):
        if index in batch.flaws:
            refused.append(Refused(line, row, verdict(batch.flaws[index])))
        elif len(row) < width:
            blank = not any(value.strip() for value in row)
            refused.append(Refused(line, row, BLANK if blank else verdict(Reason.TOO_FEW_FIELDS)))
        elif len(row) > width and any(value.strip() for value in row[width:]):
            refused.append(Refused(line, row, verdict(Reason.TOO_MANY_FIELDS)))
        else:
            rows.append(row[:width])
            lines.append(line)
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    frame = pl.DataFrame([pl.Series(name(at), values, dtype=pl.String) for at, values in enumerate(columns)])
    return columns_part(frame, pl.Series(lines, dtype=pl.UInt32), batch.consumed, refused)


def _longest(frame: pl.DataFrame) -> list[int]:
    """The length in bytes of each column's longest value, which bounds its characters."""
    if frame.is_empty():
        return [0] * frame.width
    return list(frame.select(pl.all().str.len_bytes().max()).row(0))
