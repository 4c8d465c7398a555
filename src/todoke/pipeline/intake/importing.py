"""A list file becomes a calling list, as a whole or not at all.

The file is read twice: what may become a contact, and at which position, is known only when all of it was seen. In
between some 60 bytes a row are kept, of millions of rows on the disk. Reading runs in a thread beside the event loop,
and beside the database.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import polars as pl

from todoke.model.clock import Micros
from todoke.model.errors import Invalid, TodokeError, Unavailable
from todoke.model.list_mapping import Reading
from todoke.pipeline.intake.ahead import give_way
from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.key_frames import KeyFrames, even_bounds
from todoke.pipeline.intake.mapping import Layout, require
from todoke.pipeline.intake.opening import open_list
from todoke.pipeline.intake.progress import Progress
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rules import HOLD, Channel, Rules, read_channel, read_no_time_zone
from todoke.pipeline.intake.side_by_side import SideBySide
from todoke.pipeline.intake.validation import Judge, phone_names, phone_types
from todoke.pipeline.intake.writing import Sorting
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms.phone import Mismatch
from todoke.sms.phone_columns import ColumnParser
from todoke.store.catalogue import mappings, units
from todoke.store.lists import dnc_phones, imports, lists
from todoke.store.lists.base import Finished, OpenImport
from todoke.store.lists.importer import is_alive, this_process
from todoke.store.lists.keys import Kind
from todoke.store.lists.keys import write as write_keys
from todoke.store.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")
Report = Callable[[Progress], None]

MAX_NAME = 200  # characters of a list's name
_SHARES = 48  # of the keys of a long list, each sorted by itself


class ZoneGroup(NamedTuple):
    """Contacts whose candidate zones are these; without any they are held at the time of sending."""

    zones: list[str]
    contacts: int


@dataclass(frozen=True, slots=True)
class Imported:
    """A list that can be run. Rows of the file = `contacts` + `rejected`; `reasons` sum up to `rejected`.

    `blank`: lines of nothing but separators, which are no rows. `rejects_path`: the file of rejected rows, if there
    are any. `fields`: the merge fields in list order; `mapping`: field by header. `unusable`: values of further phone
    columns that are no numbers, by field; they cost no row. `on_dnc`: contacts whose number is on a DNC group of the
    unit now; they are on the list all the same, since entries come and go. `region`: of numbers without a country
    code. The rest is how the file was read.
    """

    list_id: int
    contacts: int
    rejected: int
    blank: int
    reasons: dict[str, int]
    rejects_path: Path | None
    fields: list[str]
    mapping: dict[str, str]
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    region: str
    zone_groups: list[ZoneGroup]
    unusable: dict[str, int]
    on_dnc: int


async def import_list(
    store: Store,
    *,
    business_unit: str,
    name: str,
    path: Path,
    rejects_dir: Path,
    now: Micros,
    default_region: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    sheet: str | None = None,
    required: Sequence[str] = (),
    saved_mapping: str | None = None,
    generate_external_ids: bool = False,
    channel: str = Channel.SMS,
    no_time_zone: str = HOLD,
    progress: Report | None = None,
    source_name: str | None = None,
    import_id: int | None = None,
    into: int | None = None,
) -> Imported:
    """Import the file as the list `name` of the business unit; what is given is not guessed.

    `default_region` is for numbers without a country code (default: that of the list `into`, else the unit's).
    `mapping`: field by header. `required`: fields that must have a value. `saved_mapping`: the unit's of that name;
    what is given counts more. `channel` and `no_time_zone`: see `Rules`. `source_name`: what the file is called, if
    not by its path. `import_id`: the row that is done with it. `into`: the list into which this one is to be merged.

    Raises `Invalid`, `NotFound`, `Conflict` or `Unavailable` with a sentence; then, and when cancelled, nothing is
    left of the list. What a killed import leaves cannot be run and is removed by the next one of that name.
    """
    name = _checked_name(name)
    given = Reading(
        fields=dict(mapping or {}),
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        sheet=sheet,
        region=default_region,
        required=tuple(required),
        generate_external_ids=generate_external_ids,
    )
    async with store.reading() as connection:
        unit = await units.find(connection, business_unit)
        saved = await mappings.find(connection, unit, saved_mapping) if saved_mapping else None
        engine_runs = await lists.engine_runs(connection, now)
        own = await imports.manner(connection, unit, into) if into is not None else None
    behind = give_way if engine_runs else None
    with _sentences(path), ThreadPoolExecutor(1, thread_name_prefix="todoke-intake", initializer=behind) as thread:
        source, layout, reading, where = await asyncio.get_running_loop().run_in_executor(
            thread, lambda: open_list(path, given, saved)
        )
        region = reading.region or (own.region if own is not None else None) or unit.default_region
        phones = column_parser(region)
        rules = Rules(now, reading.generate_external_ids, read_channel(channel), read_no_time_zone(no_time_zone))
        require(layout, generate_external_ids=rules.generate_ids, where=where)
        opened = await lists.begin(
            store,
            unit,
            name,
            fields=layout.names,
            source=source_name or path.name,
            importer=this_process(),
            alive=is_alive,
            now=now,
            import_id=import_id,
            into=into,
        )
        rejects_name = _rejects_name(name, opened.list_id, None if into is None else import_id) + source.form.suffix
        rejects = RejectsFile(rejects_dir / rejects_name, source.header, source.form)
        zone_sets = ZoneSets()
        judge = Judge(layout, phones, zone_sets, rules)
        checked = Checked(source, judge, zone_sets, rejects_dir)
        sorting = Sorting(source, layout, checked, judge, rejects, phones)
        work = _Work(store, opened, checked, sorting, rejects, thread, progress or _silent, engine_runs=engine_runs)
        try:
            on_dnc = await work.run(_PhoneTypes(phone_types(layout, rules), phone_names(layout)), now)
        except BaseException:
            await asyncio.shield(work.clean_up())
            raise
        finally:
            checked.close()
    return _imported(opened, source, layout, checked, rejects, region, on_dnc)


class _PhoneTypes(NamedTuple):
    """Of a list: those whose further numbers are kept, and what each is called."""

    kept: list[str] | None
    names: dict[str, list[str]]


class _Work:
    """The two readings of one import."""

    def __init__(
        self,
        store: Store,
        opened: OpenImport,
        checked: Checked,
        sorting: Sorting,
        rejects: RejectsFile,
        thread: ThreadPoolExecutor,
        report: Report,
        *,
        engine_runs: bool,
    ) -> None:
        self._store = store
        self._engine_runs = engine_runs
        self._opened = opened
        self._checked = checked
        self._sorting = sorting
        self._rejects = rejects
        self._thread = thread
        self._report = report
        self._where = str(checked.path)

    async def run(self, types: _PhoneTypes, now: Micros) -> int:
        """Everything up to the list that can be run; how many of its contacts are on DNC groups."""
        # Read while the database has nothing else to do.
        scrub = asyncio.ensure_future(dnc_phones.Scrub.begin(self._store, self._opened))
        try:
            return await self._run(types, now, scrub)
        finally:
            scrub.cancel()
            await asyncio.wait([scrub])
            if not scrub.cancelled():
                scrub.exception()  # it was raised above, or something else was

    async def _run(self, types: _PhoneTypes, now: Micros, scrubbing: Awaitable[dnc_phones.Scrub]) -> int:
        checked = self._checked
        async with aclosing(_made(self._thread, checked.steps())) as steps:
            async for progress in steps:
                self._report(progress)
        if not checked.rows:
            raise Invalid("The file has a header but no rows.", where=self._where, fix="Export the list again.")
        folder = self._rejects.path.parent
        keys = {
            keyed: KeyFrames(folder, bounds)
            for keyed, bounds in (
                (Kind.PHONE, checked.sample.bounds(_SHARES)),
                (Kind.EXTERNAL, even_bounds(_SHARES)),
            )
        }
        try:
            await self._write(keys)
            if (self._sorting.contacts, self._sorting.rejected) != (checked.contacts, checked.rejected):
                raise AssertionError("rows in = accepted + rejected does not hold")
            await _to_the_end(self._thread, self._rejects.keep)
            if not checked.contacts:
                raise self._nobody()
            scrub = await scrubbing
            await self._write_keys(keys[Kind.EXTERNAL].ordered(), scrub.counted(keys[Kind.PHONE].ordered()))
        finally:
            for kept in keys.values():
                kept.close()
        reasons = checked.reasons
        finished = Finished(
            checked.zone_sets, checked.zone_ranges, checked.contacts, checked.rejected, reasons, types.kept, types.names
        )
        await lists.finish(self._store, self._opened, finished, now)
        return scrub.found

    async def _write_keys(self, external: Iterator[pl.DataFrame], phones: Iterator[pl.DataFrame]) -> None:
        kinds = ((Kind.EXTERNAL, external), (Kind.PHONE, phones))
        if self._store.dialect == "sqlite":  # it has one writer
            for kind, frames in kinds:
                await write_keys(self._store, self._opened, kind, frames)
            return
        both = (write_keys(self._store, self._opened, kind, frames) for kind, frames in kinds)
        for failed in await asyncio.gather(*both, return_exceptions=True):
            if failed is not None:
                raise failed

    async def _write(self, keys: Mapping[Kind, KeyFrames]) -> None:
        contacts = lists.contact_store(self._store)
        pieces = _made(self._thread, self._sorting.pieces())
        async with aclosing(pieces), SideBySide(1 if self._engine_runs else contacts.at_once) as side:
            async for piece in pieces:
                if not piece.contacts.is_empty():
                    await side.start(contacts.write(self._opened, piece.contacts))
                    keys[Kind.PHONE].add(_keyed(piece.contacts, "phone"))
                    keys[Kind.EXTERNAL].add(_keyed(piece.contacts, "external"))
                self._report(piece.progress)

    async def clean_up(self) -> None:
        """Leave nothing of the list, and no file of rejected rows unless it is the answer."""
        if self._checked.contacts or not self._rejects.kept:
            self._rejects.discard()
        try:
            await lists.abandon(self._store, self._opened)
        except Unavailable as error:
            _log.warning(
                "A failed import could not be removed; the next one of that name will: %s",
                error,
                extra={"action": "intake.abandon", "list_id": self._opened.list_id},
            )

    def _nobody(self) -> Invalid:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self._checked.reasons.most_common(3))
        return Invalid(
            f"None of the {self._checked.rows:,} rows can become a contact ({reasons}).",
            where=self._where,
            fix=f"See {self._rejects.path}; are the mapping and the default region right?",
        )


async def _to_the_end(thread: ThreadPoolExecutor, work: Callable[[], None]) -> None:
    """Work in the thread that is over when this is, also when it is cancelled."""
    running = asyncio.get_running_loop().run_in_executor(thread, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


async def _made(thread: ThreadPoolExecutor, items: Iterator[T], *, ahead: bool = True) -> AsyncGenerator[T]:
    """Items made in the thread; `ahead`: the next one while this one is used."""
    loop = asyncio.get_running_loop()
    coming = loop.run_in_executor(thread, next, items, None)
    try:
        while (item := await coming) is not None:
            if ahead:
                coming = loop.run_in_executor(thread, next, items, None)
            yield item
            if not ahead:
                coming = loop.run_in_executor(thread, next, items, None)
    finally:
        if not coming.done():
            await asyncio.wait([coming])
        if not coming.cancelled():
            coming.exception()  # it was raised above, or is of a batch that nobody waits for


def _keyed(contacts: pl.DataFrame, column: str) -> pl.DataFrame:
    return contacts.select(pl.col(column).alias("key"), pl.col("position").cast(pl.UInt32))


def _imported(
    opened: OpenImport, source: Source, layout: Layout, checked: Checked, rejects: RejectsFile, region: str, on_dnc: int
) -> Imported:
    names = {column.index: column.name for column in layout.columns}
    return Imported(
        list_id=opened.list_id,
        contacts=checked.contacts,
        rejected=checked.rejected,
        blank=checked.blank,
        reasons=dict(sorted(checked.reasons.items(), key=lambda found: (-found[1], found[0]))),
        rejects_path=rejects.path if rejects.kept else None,
        fields=layout.names,
        mapping=layout.mapping,
        encoding=source.encoding.name if source.encoding else None,
        delimiter=source.delimiter,
        sheet=source.sheet,
        region=region,
        zone_groups=[ZoneGroup(*group) for group in checked.zone_groups],
        unusable={names[index]: count for index, count in sorted(checked.unusable.items())},
        on_dnc=on_dnc,
    )


def _rejects_name(name: str, list_id: int, update: int | None) -> str:
    """By the list's id; of an update by the import's: its own list is gone when it is merged, and a database may give
    the id to the next one.
    """
    return f"{_file_name(name)}-{list_id}-rejected" if update is None else f"import-{update}-not-read-rejected"


def column_parser(region: str) -> ColumnParser:
    """Reads the numbers of a list; `Invalid` for a region that there is not."""

    def warn(mismatch: Mismatch) -> None:
        _log.warning("Phone numbers: %s", mismatch, extra={"action": "intake.phone_mismatch"})

    try:
        return ColumnParser(region, on_mismatch=warn)
    except ValueError as error:
        raise Invalid(f"{error}.", where="default region") from error


def _checked_name(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > MAX_NAME or not tidy.isprintable():
        raise Invalid(
            "This is no name for a list.", where="name", fix=f"Give 1 to {MAX_NAME} characters that can be printed."
        )
    return tidy


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "list"


@contextmanager
def _sentences(path: Path) -> Generator[None]:
    """The system's errors about the list file as sentences."""
    try:
        yield
    except TodokeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable(
            f"The file cannot be read: {reason}.", where=str(path), fix="Copy it to a local disk and try again."
        ) from error


def _silent(_: Progress) -> None:
    pass
