"""A file of numbers is put on a DNC group, at the speed of a bulk load.

The file is read and its numbers are parsed by columns, in threads beside the event loop; what is valid waits as 16
bytes a number, and goes to the store sorted, in short transactions. What an import that breaks off has written stays:
it does no harm, and the import can be done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from todoke.model import expiry
from todoke.model.clock import Clock, Micros
from todoke.model.errors import Invalid
from todoke.pipeline.intake.ahead import give_way
from todoke.pipeline.intake.dnc.columns import Columns, find_columns
from todoke.pipeline.intake.dnc.sorting import Sorting
from todoke.pipeline.intake.importing import column_parser
from todoke.pipeline.intake.reading import Source, open_read_as
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.sms.phone import Phone
from todoke.sms.phone_columns import ColumnParser
from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.dnc import uploads
from todoke.store.dnc.base import Upload, Written
from todoke.store.dnc.numbers import Numbers
from todoke.store.lists import lists
from todoke.store.lists.importer import this_process
from todoke.store.store import Store

_SLICE = 200_000  # numbers between two words on how far it is

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
    quote: str | None = None
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
    name: str | None = None,
    report: Report | None = None,
) -> ImportedNumbers:
    """Put the numbers of the file on the group. Raises `Invalid`, `NotFound`, `Conflict` or `Unavailable` with a
    sentence; numbers that were written before that stay. `name`: what the file is called, if not by its own name.
    """
    if reading.expires_at is not None and reading.expires_at <= clock.now():
        raise Invalid("The expiry is in the past.", where="--expires", fix="Name a later moment.")
    parser = column_parser(reading.region or unit.default_region)
    async with store.reading() as connection:
        behind = give_way if await lists.engine_runs(connection, clock.now()) else None
    with ThreadPoolExecutor(1, thread_name_prefix="todoke-dnc", initializer=behind) as thread:
        loop = asyncio.get_running_loop()

        source, columns = await loop.run_in_executor(thread, open_numbers, path, reading, parser, clock.now())
        now = clock.now()
        upload = await uploads.begin(
            store, unit, group, file=name or path.name, importer=this_process(), who=who, reason=reason, now=now
        )
        form = source.form
        rejects = RejectsFile(rejects_dir / f"dnc-{upload.id}-numbers-rejected{form.suffix}", columns.header, form)
        sorting = Sorting(source, columns, parser, reading.expires_at, rejects, now)
        work = _Work(store, upload, sorting, thread, report or (lambda _rows, _share: None))
        try:
            await work.run()
        except BaseException:
            rejects.discard()
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
        self, store: Store, upload: Upload, sorting: Sorting, thread: ThreadPoolExecutor, report: Report
    ) -> None:
        self._store = store
        self._dnc = uploads.dnc_store(store)
        self._upload = upload
        self._sorting = sorting
        self._thread = thread
        self._report = report
        self.written = Written(0, 0, 0)

    async def run(self) -> None:
        steps = self._sorting.steps()
        try:
            await self._write(steps)
        finally:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, steps.close))

    async def _write(self, steps: Generator[Numbers]) -> None:
        loop, sorting = asyncio.get_running_loop(), self._sorting
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


def open_numbers(path: Path, reading: Reading, parser: ColumnParser, now: Micros) -> tuple[Source, Columns]:
    """The file, and which columns of it are read. `NotFound` or `Invalid`."""
    source = open_read_as(path, reading)

    def is_phone(value: str) -> bool:
        return isinstance(parser.parse_many([value])[0], Phone)

    columns = find_columns(
        source.header,
        is_phone,
        lambda value: expiry.read(value, now) is not None,
        column=reading.column,
        expires_column=reading.expires_column,
        where=f"{path}, line {source.header_line}",
    )
    return source, columns
