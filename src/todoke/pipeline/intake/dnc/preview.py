"""How a file of numbers would be read, before anything is put on a group."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from todoke.model import expiry
from todoke.model.clock import Micros
from todoke.pipeline.intake.dnc.importing import Reading, open_numbers
from todoke.pipeline.intake.importing import column_parser
from todoke.pipeline.intake.preview import Written, written
from todoke.sms.phone import Phone

_ROWS = 10


@dataclass(frozen=True, slots=True)
class NumbersPreview:
    """`written`: the form of the file. `headless`: its first row is a number like the others. `column` has the numbers,
    `expires_column` says until when. `rows`: the first ones.
    """

    written: Written
    headless: bool
    column: str
    expires_column: str | None
    rows: list[PreviewedNumber]


@dataclass(frozen=True, slots=True)
class PreviewedNumber:
    """`number`: as it would be kept; None where there is none, and `problem` says why. `expires_at`: None for good."""

    line: int
    raw: str
    number: str | None
    expires_at: Micros | None
    problem: str | None


def preview_numbers(path: Path, reading: Reading, region: str, now: Micros, *, rows: int = _ROWS) -> NumbersPreview:
    """Read the head of the file as an import would. Raises `NotFound` or `Invalid` where it cannot be read at all.
    `region`: of numbers without a country code, where the reading names none.
    """
    parser = column_parser(reading.region or region)
    source, columns = open_numbers(path, reading, parser, now)
    following = ((line, row) for batch in source.batches() for line, row in zip(batch.lines, batch.rows, strict=True))
    first = [(source.header_line, source.header)] if columns.headless else []
    first += islice(following, rows - len(first))
    found: list[PreviewedNumber] = []
    for line, row in first:
        raw = row[columns.phone] if len(row) > columns.phone else ""
        told = row[columns.expiry].strip() if columns.expiry is not None and len(row) > columns.expiry else ""
        answer = parser.parse_many([raw])[0]
        until = expiry.read(told, now) if told else reading.expires_at
        problem = None if isinstance(answer, Phone) else str(answer)
        if problem is None and told and until is None:
            problem = f"{told!r} is no date"
        elif problem is None and until is not None and until <= now:
            problem = "it has expired"
        number = f"+{answer.e164}" if isinstance(answer, Phone) else None
        found.append(PreviewedNumber(line, raw, number, until, problem))
    ends = None if columns.expiry is None else columns.header[columns.expiry]
    return NumbersPreview(written(source), columns.headless, columns.header[columns.phone], ends, found)
