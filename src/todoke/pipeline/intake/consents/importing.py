"""A file of consents into the ledger: read as lists are, of any length; rows that are wrong go to a file of their own.

What an import that breaks off has added stays: it may be repeated, and what is there already is not added again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from todoke.model.clock import Micros, to_datetime
from todoke.model.closest import suggestion
from todoke.model.consent import COLUMNS, Record
from todoke.model.errors import Invalid
from todoke.pipeline.intake.ahead import give_way
from todoke.pipeline.intake.consents.rows import BadRow, read
from todoke.pipeline.intake.importing import column_parser
from todoke.pipeline.intake.mapping import is_ours
from todoke.pipeline.intake.reading import Source, open_read_as
from todoke.pipeline.intake.reasons import SENTENCES, Reason
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rows import Batch
from todoke.sms.phone import Phone, PhoneError
from todoke.sms.phone_columns import ColumnParser
from todoke.store.catalogue.units import Unit
from todoke.store.consents import writing
from todoke.store.lists import lists
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
IGNORED = ("disclosure_hash", "recorded_at", "intact", "id")  # what an export has beside them
Report = Callable[[int, float], None]
"""Told the rows so far, and the share of the file that is read."""


@dataclass(frozen=True, slots=True)
class ImportedConsents:
    """`rows` = `added` + `known` (in the ledger already, to the letter) + `rejected`; `reasons` sum up to `rejected`.
    `rejects_path`: the file of rejected rows, if there are any.
    """

    rows: int
    added: int
    known: int
    rejected: int
    reasons: dict[str, int]
    rejects_path: Path | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None


class Reading(NamedTuple):
    """How a file is to be read; what is None is found out. `zone`: of moments that say none."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    region: str | None = None
    zone: str = ""


async def import_consents(
    store: Store,
    unit: Unit,
    path: Path,
    reading: Reading,
    *,
    rejects_dir: Path,
    now: Micros,
    report: Report | None = None,
) -> ImportedConsents:
    """Add the file's records. Raises `Invalid`, `NotFound`, `Conflict` or `Unavailable` with a sentence; where the
    header is not usable nothing is added. It may be repeated: what is there already is not added again.
    """
    parser = column_parser(reading.region or unit.default_region)
    async with store.reading() as connection:
        behind = give_way if await lists.engine_runs(connection, now) else None
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="todoke-consents", initializer=behind) as thread:

        def begin() -> _Rows:
            source = open_read_as(path, reading)
            names = columns(source.header, f"{path}, line {source.header_line}")
            file = f"consents-{unit.id}-{to_datetime(now):%Y%m%dT%H%M%S%f}Z-rejected{source.form.suffix}"
            rejects = RejectsFile(rejects_dir / file, source.header, source.form)
            return _Rows(source, names, parser, rejects, now, reading.zone)

        rows = await loop.run_in_executor(thread, begin)
        steps = rows.steps()
        added = accepted = 0
        coming = loop.run_in_executor(thread, next, steps, None)
        try:
            while (records := await coming) is not None:
                coming = loop.run_in_executor(thread, next, steps, None)  # read while these are written
                added += await writing.add(store, unit, records, now)
                accepted += len(records)
                if report is not None:
                    report(rows.count, rows.share)
        except BaseException:
            await asyncio.shield(asyncio.wait([coming]))
            rows.rejects.discard()
            raise
        rows.rejects.keep()
    source = rows.source
    return ImportedConsents(
        rows.count,
        added,
        accepted - added,
        rows.reasons.total(),
        dict(rows.reasons.most_common()),
        rows.rejects.path if rows.rejects.kept else None,
        None if source.encoding is None else source.encoding.name,
        source.delimiter,
        source.sheet,
    )


class _Rows:
    """The rows of the file, read into records; those that are wrong are counted and written to the file of rejects."""

    def __init__(
        self,
        source: Source,
        names: list[str],
        parser: ColumnParser,
        rejects: RejectsFile,
        now: Micros,
        zone: str,
    ) -> None:
        self.source = source
        self.rejects = rejects
        self._names = names
        self._number = names.index("number")
        self._parser = parser
        self._now = now
        self._zone = zone
        self.count = 0
        self.share = 0.0
        self.reasons: Counter[str] = Counter()

    def steps(self) -> Iterator[list[Record]]:
        """Some thousand records each time."""
        waiting: list[Record] = []
        for batch in self.source.batches():
            self._take(batch, waiting)
            self.share = min(1.0, batch.consumed / max(1, self.source.size))
            if len(waiting) >= writing.BATCH:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _take(self, batch: Batch, waiting: list[Record]) -> None:
        at = self._number
        # What cannot be read is not parsed: it may hold what is no text.
        raws = [row[at] if len(row) > at and index not in batch.flaws else "" for index, row in enumerate(batch.rows)]
        answers = self._parser.parse_many(raws)
        for index, (line, row, answer) in enumerate(zip(batch.lines, batch.rows, answers, strict=True)):
            if not any(cell.strip() for cell in row):
                continue
            self.count += 1
            try:
                waiting.append(self._record(row, answer, batch.flaws.get(index) or self._misfit(row)))
            except BadRow as error:
                self.reasons[error.code] += 1
                self.rejects.write(row, line, error.column, error.code, str(error))

    def _record(self, row: Sequence[str], answer: Phone | PhoneError, flaw: Reason | None) -> Record:
        if flaw is not None:
            raise BadRow("", flaw, SENTENCES[flaw])

        def parsed(_raw: str) -> int:
            if isinstance(answer, PhoneError):
                raise PhoneError(answer.reason)
            return answer.e164

        return read(dict(zip(self._names, row, strict=False)), parsed, self._now, self._zone)

    def _misfit(self, row: Sequence[str]) -> Reason | None:
        """More cells than columns: a comma without quotes somewhere, so that nothing is where it seems to be."""
        if len(row) < len(self._names):
            return Reason.TOO_FEW_FIELDS
        surplus = any(cell.strip() for cell in row[len(self._names) :])
        return Reason.TOO_MANY_FIELDS if surplus else None


def columns(header: Iterable[str], where: str) -> list[str]:
    """Our names of the header's columns, empty for those that are left out; Invalid for one that nobody knows, or where
    one is missing.
    """
    names: list[str] = []
    for cell in header:
        tidy = cell.replace("\ufeff", "").strip()
        plain = tidy.casefold().replace(" ", "_").replace("-", "_")
        name = ALIASES.get(plain, plain)
        if is_ours(tidy) or name in IGNORED or not name:
            names.append("")
            continue
        if name not in COLUMNS:
            fix = suggestion(name, COLUMNS) or f"The columns are: {', '.join(COLUMNS)}."
            raise Invalid(f"There is no column {cell!r} in a file of consents.", where=where, fix=fix)
        if name in names:
            raise Invalid(f"The column {name!r} stands there twice.", where=where)
        names.append(name)
    for name in NEEDED:
        if name not in names:
            raise Invalid(f"The column {name!r} is missing.", where=where, fix="The first line must name the columns.")
    return names
