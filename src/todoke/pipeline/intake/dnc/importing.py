"""A file of numbers is put on a DNC group, at the speed of a bulk load.

The file is read and its numbers are parsed in a thread beside the event loop; what is valid waits as 16 bytes a
number, and goes to the store sorted, in short transactions. What an import that breaks off has written stays: it does
no harm, and the import can be done again.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from todoke.model import expiry
from todoke.model.clock import Clock, Micros
from todoke.model.errors import Invalid
from todoke.pipeline.intake.dnc.columns import Columns, find_columns
from todoke.pipeline.intake.reading import Source, open_source
from todoke.pipeline.intake.reasons import PHONE_REASONS, Reason
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rows import Batch
from todoke.sms.phone import Parser, Phone, PhoneError
from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.dnc import uploads
from todoke.store.dnc.base import Upload, Written
from todoke.store.dnc.numbers import FOR_GOOD, Numbers
from todoke.store.dnc.uploads import Counts
from todoke.store.lists.importer import this_process
from todoke.store.store import Store

CHUNK = 4_000_000  # numbers that wait in memory
_SLICE = 200_000  # numbers between two words on how far it is

INVALID_EXPIRY = "invalid_expiry"
ALREADY_EXPIRED = "already_expired"

Report = Callable[[int, float], None]
"""Told the rows so far, and the share of the whole work that is done."""


@dataclass(frozen=True, slots=True)
class ImportedNumbers:
    """processed = valid + invalid; valid = added + extended + present + repeated. `reasons` sum up to `invalid`.

    `extended`: were on the group and stay longer. `present`: were there as long already. `repeated`: stood in the file
    before. `rejects_path`: the file of invalid rows, if there are any. `column`: where the numbers were read.
    """

    upload_id: int
    group: str
    processed: int
    valid: int
    invalid: int
    added: int
    extended: int
    present: int
    repeated: int
    reasons: dict[str, int]
    rejects_path: Path | None
    column: str
    expires_column: str | None


class Reading(NamedTuple):
    """How a file is to be read; what is None is found out. `expires_at`: of numbers that have no expiry of their own;
    None: for good.
    """

    column: str | None = None
    expires_column: str | None = None
    expires_at: Micros | None = None
    region: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


async def import_numbers(
    store: Store,
    unit: Unit,
    group: Group,
    path: Path,
    reading: Reading,
    *,
    rejects_dir: Path,
    clock: Clock,
    who: str,
    reason: str = "",
    report: Report | None = None,
) -> ImportedNumbers:
    """Put the numbers of the file on the group. Raises `Invalid`, `NotFound`, `Conflict` or `Unavailable` with a
    sentence; numbers that were written before that stay.
    """
    if reading.expires_at is not None and reading.expires_at <= clock.now():
        raise Invalid("The expiry is in the past.", where="--expires", fix="Name a later moment.")
    try:
        parser = Parser(reading.region or unit.default_region)
    except ValueError as error:
        raise Invalid(f"{error}.", where="default region") from error
    with ThreadPoolExecutor(1, thread_name_prefix="todoke-dnc") as thread:
        loop = asyncio.get_running_loop()

        def begin() -> tuple[Source, Columns]:
            source = open_source(path, encoding=reading.encoding, delimiter=reading.delimiter, sheet=reading.sheet)
            return source, _columns(source, path, reading, parser, clock.now())

        source, columns = await loop.run_in_executor(thread, begin)
        now = clock.now()
        upload = await uploads.begin(
            store, unit, group, file=path.name, importer=this_process(), who=who, reason=reason, now=now
        )
        form = source.form
        rejects = RejectsFile(rejects_dir / f"dnc-{upload.id}-numbers-rejected{form.suffix}", columns.header, form)
        sorting = _Sorting(source, columns, parser, reading, rejects, now)
        work = _Work(store, upload, sorting, thread, report or (lambda _rows, _share: None))
        try:
            await work.run()
        except BaseException:
            await asyncio.shield(work.end(clock.now(), failed=True))
            raise
        rejects.keep()
        await work.end(clock.now(), failed=False)
    counts, written = sorting.counts(), work.written
    return ImportedNumbers(
        upload.id,
        group.name,
        *counts[:3],
        *written,
        counts.repeated,
        dict(sorting.reasons.most_common()),
        rejects.path if rejects.kept else None,
        columns.header[columns.phone],
        None if columns.expiry is None else columns.header[columns.expiry],
    )


class _Work:
    """The steps of one import."""

    def __init__(
        self, store: Store, upload: Upload, sorting: _Sorting, thread: ThreadPoolExecutor, report: Report
    ) -> None:
        self._store = store
        self._dnc = uploads.dnc_store(store)
        self._upload = upload
        self._sorting = sorting
        self._thread = thread
        self._report = report
        self.written = Written(0, 0, 0)

    async def run(self) -> None:
        loop, sorting = asyncio.get_running_loop(), self._sorting
        steps = sorting.steps()
        while (numbers := await loop.run_in_executor(self._thread, next, steps, None)) is not None:
            # Reading is the longer half of the work, and what is read is written by and by.
            self._report(sorting.processed, sorting.share / 2)
            for start in range(0, len(numbers), _SLICE):
                part = numbers.part(start, _SLICE)
                self.written = self.written.plus(await self._dnc.write(self._upload, part))
                done = (start + len(part)) / len(numbers)
                self._report(sorting.processed, sorting.share * (0.5 + done / 2))
                await uploads.counted(self._store, self._upload, sorting.counts(), self.written)

    async def end(self, now: Micros, *, failed: bool) -> None:
        await uploads.finish(self._store, self._upload, self._sorting.counts(), self.written, now, failed=failed)


class _Sorting:
    """Reads the file: what is valid is gathered, what is not is written to the file of rejected rows."""

    def __init__(
        self,
        source: Source,
        columns: Columns,
        parser: Parser,
        reading: Reading,
        rejects: RejectsFile,
        now: Micros,
    ) -> None:
        self._source = source
        self._columns = columns
        self._parse_many = parser.parse_many
        self._rejects = rejects
        self._now = now
        self._until = FOR_GOOD if reading.expires_at is None else reading.expires_at
        self._moment = lru_cache(100_000)(_moment)
        self._phones, self._ends = array("q"), array("q")
        self.processed = 0
        self.valid = 0
        self.repeated = 0
        self.share = 0.0
        self.reasons: Counter[str] = Counter()

    def counts(self) -> Counts:
        return Counts(self.processed, self.valid, self.processed - self.valid, self.repeated, dict(self.reasons))

    def steps(self) -> Iterator[Numbers]:
        """Numbers, and between them nothing to write but word of how far it is."""
        told = 0
        for batch in self._batches():
            self._take(batch)
            self.share = min(1.0, batch.consumed / max(1, self._source.size))
            if len(self._phones) >= CHUNK:
                yield self._gathered()
            elif self.processed - told >= _SLICE:
                told = self.processed
                yield Numbers.of(array("q"), array("q"))
        if self._phones:
            yield self._gathered()

    def _batches(self) -> Iterator[Batch]:
        if not self._columns.headless:
            return self._source.batches()
        first = Batch([list(self._source.header)], [self._source.header_line], 0, 0)
        return chain([first], self._source.batches())

    def _gathered(self) -> Numbers:
        numbers = Numbers.of(self._phones, self._ends)
        self.repeated += len(self._phones) - len(numbers)
        self._phones, self._ends = array("q"), array("q")
        return numbers

    def _take(self, batch: Batch) -> None:
        at = self._columns.phone
        rows = batch.rows
        raws = [row[at] if len(row) > at else "" for row in rows]
        answers = self._parse_many(raws)
        if self._columns.expiry is None and not batch.flaws:
            good = [answer.e164 for answer in answers if type(answer) is Phone]
            if len(good) == len(answers):  # nearly always
                self.processed += len(good)
                self._accept(good, [self._until] * len(good))
                return
        phones: list[int] = []
        ends: list[int] = []
        for index, (row, answer) in enumerate(zip(rows, answers, strict=True)):
            if not any(value and not value.isspace() for value in row):
                continue  # an empty line
            self.processed += 1
            refused = self._refused(row, answer, batch.flaws.get(index))
            if isinstance(refused, int):
                assert isinstance(answer, Phone)
                phones.append(answer.e164)
                ends.append(refused)
                continue
            place, code, detail = refused
            self.reasons[code] += 1
            name = self._columns.header[place] if place is not None else ""
            self._rejects.write(row, batch.lines[index], name, code, detail)
        self._accept(phones, ends)

    def _accept(self, phones: list[int], ends: list[int]) -> None:
        self.valid += len(phones)
        self._phones.extend(phones)
        self._ends.extend(ends)

    def _refused(
        self, row: list[str], answer: Phone | PhoneError, flaw: Reason | None
    ) -> int | tuple[int | None, str, str]:
        """When it ends; or column, code and sentence of what is wrong."""
        if flaw is not None:
            return None, flaw.value, "the row cannot be read"
        if isinstance(answer, PhoneError):
            return self._columns.phone, PHONE_REASONS[answer.reason].value, str(answer)
        at = self._columns.expiry
        text = row[at].strip() if at is not None and len(row) > at else ""
        if not text:
            return self._until
        until = self._moment(text, self._now)
        if until is None:
            return at, INVALID_EXPIRY, "this is no date; write it as 2027-12-31"
        return until if until > self._now else (at, ALREADY_EXPIRED, "the moment is in the past")


def _moment(text: str, now: Micros) -> Micros | None:
    try:
        return expiry.parse(text, now)
    except Invalid:
        return None


def _columns(source: Source, path: Path, reading: Reading, parser: Parser, now: Micros) -> Columns:
    def is_phone(value: str) -> bool:
        return isinstance(parser.parse_many([value])[0], Phone)

    return find_columns(
        source.header,
        is_phone,
        lambda value: _moment(value, now) is not None,
        column=reading.column,
        expires_column=reading.expires_column,
        where=f"{path}, line {source.header_line}",
    )
