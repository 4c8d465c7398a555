"""Delimited text as rows of fields, each with the physical line on which it starts.

A quoted field may hold line ends. A row whose quotes are wrong is one flawed row, not the end of the file: reading
goes on at the line after the one on which it starts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Protocol

from todoke.pipeline.intake.lines import Chunk, is_flawed
from todoke.pipeline.intake.reasons import Reason


@dataclass(slots=True)
class Batch:
    """Some rows as they stand in the file, and the line (or sheet row) on which each starts; empty lines are left out.

    `consumed`: how much of the file is read, in bytes or a sheet's rows. `longest` bounds the length of every field.
    `flawed`: there may be text that could not be decoded. `flaws` has the rows that could not be read, by index; one
    with wrong quotes is its first line in one field.
    """

    rows: list[list[str]]
    lines: Sequence[int]
    consumed: int
    longest: int
    flawed: bool = False
    flaws: dict[int, Reason] = field(default_factory=dict[int, Reason])

    def __len__(self) -> int:
        return len(self.rows)

    def after(self, line: int) -> Batch:
        """Only the rows that start below that line."""
        return self._only([index for index, number in enumerate(self.lines) if number > line])

    def without_empty(self) -> Batch:
        """Only the rows that have a field."""
        return self._only([index for index, row in enumerate(self.rows) if row])

    def _only(self, kept: list[int]) -> Batch:
        flaws = {new: self.flaws[old] for new, old in enumerate(kept) if old in self.flaws} if self.flaws else {}
        rows, lines = [self.rows[index] for index in kept], [self.lines[index] for index in kept]
        return Batch(rows, lines, self.consumed, self.longest, self.flawed, flaws)


def read_rows(chunks: Iterator[Chunk], delimiter: str, quote: str | None = '"') -> Iterator[Batch]:
    """A batch a chunk. `quote` is the quotation mark, the one that the chunks were looked through for."""
    dialect = _Dialect(delimiter, quote)
    for chunk in chunks:
        batch = _read_plain(chunk, dialect) or _read_quoted(chunk, chunks, dialect)
        if batch.flawed:
            _find_undecodable(batch)
        if [] in batch.rows:
            batch = batch.without_empty()
        yield batch


class _Rows(Protocol):
    """A `csv.reader`."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class _Dialect:
    """How `csv` is to read: strictly, since a guess at broken quotes would move values to other columns."""

    def __init__(self, delimiter: str, quote: str | None) -> None:
        self.delimiter = delimiter
        self._mark = quote or '"'
        self._quoting: Any = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
        self._after_quote = re.compile(rf"{re.escape(self._mark)}[ \t]+(?={re.escape(delimiter)}|[\r\n]*\Z)")

    def rows(self, lines: Iterable[str]) -> _Rows:
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self._mark,
            quoting=self._quoting,
            skipinitialspace=True,
            strict=True,
        )

    def without_blanks_after_quotes(self, line: str) -> str:
        """`"a" ,"b"` as it was meant."""
        return self._after_quote.sub(self._mark, line)


def _read_plain(chunk: Chunk, dialect: _Dialect) -> Batch | None:
    """The fast way: without a quotation mark every line is a row."""
    if chunk.quoted:
        return None
    try:
        rows = list(dialect.rows(chunk.lines))
    except csv.Error:  # a field beyond csv's own limit
        return None
    lines = range(chunk.first, chunk.first + len(rows))
    return Batch(rows, lines, chunk.consumed, max(map(len, chunk.lines)), chunk.flawed)


def _read_quoted(chunk: Chunk, chunks: Iterator[Chunk], dialect: _Dialect) -> Batch:
    """Row by row, counting lines. A row that is open at the end of the chunk takes what it needs from the next."""
    lines = list(chunk.lines)
    batch = Batch([], [], chunk.consumed, 0, chunk.flawed)
    numbers: list[int] = []

    def more() -> Iterator[list[str]]:
        for following in chunks:
            batch.consumed = following.consumed
            batch.flawed |= following.flawed
            lines.extend(following.lines)
            yield following.lines

    start = base = 0
    rows = dialect.rows(chain(lines[:], chain.from_iterable(more())))
    while start < len(lines):
        try:
            row = next(rows)
            end = base + rows.line_num
        except StopIteration:
            break
        except csv.Error:
            row = _mended(lines[start], dialect)
            end = start + 1
            if row is None:
                row = [lines[start].rstrip("\r\n")]
                batch.flaws[len(batch.rows)] = Reason.BAD_QUOTING
            base = end
            rows = dialect.rows(chain(list(islice(lines, end, None)), chain.from_iterable(more())))
        batch.rows.append(row)
        numbers.append(chunk.first + start)
        if end > start + 1:
            batch.longest = max(batch.longest, sum(map(len, islice(lines, start, end))))
        start = end
    batch.lines = numbers
    batch.longest = max(batch.longest, *map(len, lines))
    return batch


def _mended(line: str, dialect: _Dialect) -> list[str] | None:
    mended = dialect.without_blanks_after_quotes(line)
    if mended == line:
        return None
    try:
        return next(dialect.rows([mended]))
    except (csv.Error, StopIteration):
        return None


def _find_undecodable(batch: Batch) -> None:
    for index, row in enumerate(batch.rows):
        if is_flawed("".join(row)):
            batch.flaws.setdefault(index, Reason.UNDECODABLE)
