"""The rows of a file of numbers, sorted into numbers and rejects.

What is plainly right is found by columns. All other rows are looked at one by one, which decides.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from todoke.model import expiry
from todoke.model.clock import Micros
from todoke.pipeline.intake.ahead import ahead
from todoke.pipeline.intake.dnc.columns import Columns
from todoke.pipeline.intake.parts import Part, batch_part, name
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.reasons import PHONE_REASONS, Reason
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.verdicts import BLANK, read_verdict
from todoke.sms.phone import Phone, PhoneError
from todoke.sms.phone_columns import ColumnParser
from todoke.store.dnc.numbers import FOR_GOOD, Numbers
from todoke.store.dnc.uploads import Counts

# Numbers that wait in memory, to be sorted as a whole. What comes after them meets entries that are there already: half
# as dear again on PostgreSQL.
CHUNK = 6_000_000
_TOLD = 200_000  # rows between two words on how far it is

# What is wrong with a row itself. Too many fields or too few are no fault here, where the number can be read.
_FLAWS = (Reason.BAD_QUOTING, Reason.UNDECODABLE)


class _Row(NamedTuple):
    line: int
    values: Sequence[str]
    flaw: Reason | None


class Sorting:
    """Reads the file: what is valid is gathered, what is not is written to the file of rejected rows. `until`: when
    numbers end that have no expiry of their own.
    """

    def __init__(
        self,
        source: Source,
        columns: Columns,
        parser: ColumnParser,
        until: Micros | None,
        rejects: RejectsFile,
        now: Micros,
    ) -> None:
        self._source = source
        self._columns = columns
        self._parser = parser
        self._rejects = rejects
        self._now = now
        self._until = FOR_GOOD if until is None else until
        self._moment = lru_cache(100_000)(expiry.read)
        self._gathered: list[pl.DataFrame] = []
        self._waiting = 0
        self.processed = 0
        self.valid = 0
        self.repeated = 0
        self.share = 0.0
        self.reasons: Counter[str] = Counter()

    def counts(self) -> Counts:
        return Counts(self.processed, self.valid, self.processed - self.valid, self.repeated, dict(self.reasons))

    def steps(self) -> Generator[Numbers]:
        """Numbers, and between them nothing to write but word of how far it is."""
        told = 0
        with closing(ahead(self._parts())) as parts:
            for part in parts:
                self._take(part)
                self.share = min(1.0, part.consumed / max(1, self._source.size))
                if self._waiting >= CHUNK:
                    yield self._numbers()
                elif self.processed - told >= _TOLD:
                    told = self.processed
                    yield Numbers.none()
        if self._waiting:
            yield self._numbers()

    def _parts(self) -> Iterator[Part]:
        if self._columns.headless:
            first = Batch([list(self._source.header)], [self._source.header_line], 0, 0)
            yield batch_part(first, len(self._source.header))
        yield from self._source.parts()

    def _numbers(self) -> Numbers:
        numbers = Numbers.of_frame(pl.concat(self._gathered))
        self.repeated += self._waiting - len(numbers)
        self._gathered, self._waiting = [], 0
        return numbers

    def _take(self, part: Part) -> None:
        others = [_Row(line, row, _flaw(code)) for line, row, code in part.refused]
        if part.height:
            found, good = self._plain(part)
            kept = found.filter(good)
            self.processed += kept.height
            self._accept(kept)
            if kept.height < part.height:
                at = (~good).arg_true()
                rows = part.columns(range(len(self._source.header)))[at]
                lines: list[int] = part.lines[at].to_list()
                others += [_Row(line, row, None) for line, row in zip(lines, rows.iter_rows(), strict=True)]
        if others:
            self._look(sorted(others, key=lambda row: row.line))

    def _plain(self, part: Part) -> tuple[pl.DataFrame, pl.Series]:
        """Number and moment of each row, and whether both will do."""
        phone, ends = self._columns.phone, self._columns.expiry
        frame = part.columns([phone] if ends is None else sorted({phone, ends}))
        phones = self._parser.read(frame[name(phone)])["e164"].alias("phone")
        if ends is None:
            until = pl.repeat(self._until, part.height, dtype=pl.Int64, eager=True)
            return pl.DataFrame([phones, until.alias("expires_at")]), phones.is_not_null()
        texts = frame.select(pl.col(name(ends)).alias("text"))
        distinct = texts.unique()
        moments = [self._ends(text) for text in distinct["text"].to_list()]
        known = distinct.with_columns(pl.Series("expires_at", moments, pl.Int64))
        until = texts.join(known, on="text", how="left", maintain_order="left")["expires_at"]
        return pl.DataFrame([phones, until]), phones.is_not_null() & (until > self._now).fill_null(value=False)

    def _look(self, rows: list[_Row]) -> None:
        """At one after the other."""
        at = self._columns.phone
        # What has a flaw is not parsed: it may hold what is no text.
        raws = [row.values[at] if row.flaw is None and len(row.values) > at else "" for row in rows]
        answers = self._parser.parse_many(raws)
        phones: list[int] = []
        ends: list[int] = []
        for row, answer in zip(rows, answers, strict=True):
            if not any(value and not value.isspace() for value in row.values):
                continue  # an empty line
            self.processed += 1
            refused = self._refused(row, answer)
            if isinstance(refused, int):
                assert isinstance(answer, Phone)
                phones.append(answer.e164)
                ends.append(refused)
                continue
            place, code, detail = refused
            self.reasons[code] += 1
            field = self._columns.header[place] if place is not None else ""
            self._rejects.write(row.values, row.line, field, code, detail)
        self._accept(pl.DataFrame([pl.Series("phone", phones, pl.Int64), pl.Series("expires_at", ends, pl.Int64)]))

    def _accept(self, found: pl.DataFrame) -> None:
        self.valid += found.height
        self._waiting += found.height
        self._gathered.append(found)

    def _refused(self, row: _Row, answer: Phone | PhoneError) -> int | tuple[int | None, str, str]:
        """When it ends; or column, code and sentence of what is wrong."""
        if row.flaw is not None:
            return None, row.flaw.value, "the row cannot be read"
        if isinstance(answer, PhoneError):
            return self._columns.phone, PHONE_REASONS[answer.reason].value, str(answer)
        at = self._columns.expiry
        until = self._ends(row.values[at] if at is not None and len(row.values) > at else "")
        if until is None:
            return at, Reason.INVALID_EXPIRATION.value, "this is no date; write it as 2027-12-31"
        return until if until > self._now else (at, Reason.EXPIRED.value, "the moment is in the past")

    def _ends(self, text: str) -> Micros | None:
        """None for what is no moment."""
        tidy = text.strip()
        return self._moment(tidy, self._now) if tidy else self._until


def _flaw(code: int) -> Reason | None:
    reason = None if code == BLANK else read_verdict(code)[0]
    return reason if reason in _FLAWS else None
