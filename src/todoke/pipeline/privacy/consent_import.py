"""A CSV file of consents into the ledger, as it is read: any length, rows that are wrong by line, nothing lost."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from todoke.config import closest
from todoke.model.clock import Micros
from todoke.model.consent import Record
from todoke.model.errors import Invalid
from todoke.pipeline.privacy.consent_rows import COLUMNS, BadRow, read
from todoke.sms.phone import Parser
from todoke.store.catalogue.units import Unit
from todoke.store.consents import writing
from todoke.store.store import Store

NEEDED = ("number", "at")
# Other names that files give to our columns.
ALIASES = {
    "phone": "number",
    "phone_number": "number",
    "brand": "seller",
    "program": "programme",
    "time": "at",
    "given_at": "at",
    "expires_at": "expires",
    "disclosure_version": "version",
}
# Of a file of refused rows, and of an export.
IGNORED = ("todoke_line", "todoke_column", "todoke_problem", "disclosure_hash", "recorded_at", "intact", "id")
_FLUSH = 4 * writing.BATCH


@dataclass(slots=True)
class Imported:
    """`rows` = `added` + `known` (in the ledger already, to the letter) + `refused`."""

    rows: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0


Refused = Callable[[int, str, str, Mapping[str, str]], None]
"""Told of each row that is wrong: its line, the column, what is wrong, and the row as it came."""


async def import_file(
    store: Store,
    unit: Unit,
    file: IO[str],
    *,
    now: Micros,
    refused: Refused,
    zone: str = "",
    where: str = "file",
    progress: Callable[[Imported], None] | None = None,
) -> Imported:
    """Add the file's records. Invalid where the header is not usable; nothing is added then.

    Rows that are wrong are told and left out. It may be repeated: what is there already is not added again.
    """
    done = Imported()
    parser = Parser(unit.default_region)
    waiting: list[Record] = []
    for line, row in _rows(file, where):
        done.rows += 1
        try:
            waiting.append(read(row, lambda raw: parser.parse(raw).e164, now, zone))
        except BadRow as error:
            done.refused += 1
            refused(line, error.column, str(error), row)
        if len(waiting) >= _FLUSH:
            await _write(store, unit, waiting, now, done)
            if progress is not None:
                progress(done)
    await _write(store, unit, waiting, now, done)
    return done


async def _write(store: Store, unit: Unit, waiting: list[Record], now: Micros, done: Imported) -> None:
    added = await writing.add(store, unit, waiting, now)
    done.added += added
    done.known += len(waiting) - added
    waiting.clear()


def _rows(file: IO[str], where: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with its line, by our names of the columns."""
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise Invalid("The file is empty.", where=where, fix="Its first line must name the columns.")
        names = columns(header, where)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, cells, strict=False)) | _surplus(cells, names)
    except csv.Error as error:
        raise Invalid(f"This is not CSV: {error}.", where=f"{where}:{reader.line_num}") from None
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8.", where=where, fix="Save it as CSV in UTF-8.") from None


def _surplus(cells: list[str], names: list[str]) -> dict[str, str]:
    """More cells than columns: a comma without quotes somewhere, so that nothing is where it seems to be."""
    return {"number": ""} if any(cell.strip() for cell in cells[len(names) :]) else {}


def columns(header: Iterable[str], where: str) -> list[str]:
    """Our names of the header's columns; Invalid for one that nobody knows, or where one is missing."""
    names: list[str] = []
    for cell in header:
        plain = cell.strip().casefold().replace(" ", "_").replace("-", "_")
        name = ALIASES.get(plain, plain)
        if name in IGNORED:
            names.append("")
            continue
        if name not in COLUMNS:
            fix = closest(name, COLUMNS) or f"The columns are: {', '.join(COLUMNS)}."
            raise Invalid(f"There is no column {cell!r} in a file of consents.", where=where, fix=fix)
        if name in names:
            raise Invalid(f"The column {name!r} stands there twice.", where=where)
        names.append(name)
    for name in NEEDED:
        if name not in names:
            raise Invalid(f"The column {name!r} is missing.", where=where, fix="The first line must name the columns.")
    return names
