"""An import from its beginning to its end: its row says how far it is, it can be cancelled by another process, another
one can go on with it after a kill, and a skill can be started over its list.

To go on is to begin anew with the same file and options: what a dead process wrote is removed first. A file that is not
the same any more is refused. An update of a list goes on where it was once its file is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from todoke.model.clock import Clock
from todoke.model.errors import Conflict, Invalid, NotFound, TodokeError, Unavailable
from todoke.model.list_import import ImportEvent, ImportState, step
from todoke.pipeline.intake.importing import Imported, import_list
from todoke.pipeline.intake.progress import Progress
from todoke.pipeline.planner.start import StartedRun, start_skill
from todoke.service.list_updates import Updated, update
from todoke.store.catalogue import lists as catalogue_lists
from todoke.store.catalogue import runs, skills
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import imports, lists, merging
from todoke.store.lists.base import TakenOver
from todoke.store.lists.importer import is_alive, this_process
from todoke.store.lists.imports import ImportRow, NewImport
from todoke.store.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")
Report = Callable[[Progress], None]

NEW, UPDATE = "new", "update"  # kinds of import
EVERY = 0.5  # seconds between words to the row, and looks whether it is to be cancelled
_STARTED = "import:"  # what the key of a run that an import starts begins with


class Cancelled(Conflict):
    """The import was cancelled; nothing of its list is left."""


class Upload(NamedTuple):
    """A file to import. `spooled`: it is our own copy, removed when the import has ended. `name`: what it is called."""

    path: Path
    spooled: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """An import that is done: a new list was `imported`, or one `updated`; neither where another process had done it.
    `run`: what was started over the list, `start_error` why nothing was.
    """

    import_id: int
    imported: Imported | None = None
    updated: Updated | None = None
    run: StartedRun | None = None
    start_error: TodokeError | None = None


class ListImports:
    """Imports of one business unit. `rejects_dir`: where files of rejected rows go."""

    def __init__(self, store: Store, unit: Unit, rejects_dir: Path, clock: Clock) -> None:
        self._store = store
        self._unit = unit
        self._rejects_dir = rejects_dir
        self._clock = clock
        self._me = this_process()

    async def begin(
        self,
        name: str,
        upload: Upload,
        options: Mapping[str, Any],
        *,
        onto: bool = False,
        start_skill: str | None = None,
        progress: Report | None = None,
    ) -> Ended:
        """Import the file as the list `name`; or `onto` that list, whose contacts are known by their external ids.
        `options`: what else `import_list` takes, as JSON can hold it.

        Raises what `import_list` does, and `Cancelled`. A spooled file is removed at the end, but for one that failed
        because something was not available: it can be resumed.
        """
        try:
            async with self._store.reading() as connection:
                if start_skill is not None:
                    await skills.find(connection, self._unit, start_skill)
                if onto:
                    await catalogue_lists.find(connection, self._unit, name)
            if onto and options.get("generate_external_ids"):
                raise Invalid(
                    "An update knows contacts by the external ids of the file, so they cannot be generated.",
                    where="generate_external_ids",
                    fix="Map the column with the external ids.",
                )
            version = _version(upload.path)
            kept = {**options, "source_name": upload.name} if upload.name else dict(options)
            new = NewImport(
                UPDATE if onto else NEW, name, kept, str(upload.path.absolute()), upload.spooled, version, start_skill
            )
            import_id = await imports.create(self._store, self._unit, new, self._me, self._clock.now())
        except BaseException:
            if upload.spooled:
                upload.path.unlink(missing_ok=True)
            raise
        async with self._store.reading() as connection:
            row = await imports.find(connection, self._unit, import_id)
        return await self._work(row, upload.path, progress)

    async def resume(self, import_id: int, *, progress: Report | None = None) -> Ended:
        """Go on with an import whose process was killed, or that failed; start what it was to start.

        Conflict where somebody works on it, where it needs nothing any more, and where its file is not the same.
        """
        async with self._store.reading() as connection:
            row = await imports.find(connection, self._unit, import_id)
        if row.to_start:
            return await self._start(row, Ended(row.id))
        step(row.state, ImportEvent.RESUME)
        _require_same(row)
        row = await imports.take(self._store, self._unit, import_id, self._me, is_alive, self._clock.now())
        await lists.clear(self._store, self._unit, import_id, self._me)
        return await self._work(row, Path(row.source), progress)

    async def cancel(self, import_id: int) -> bool:
        """Ask for its end, with nothing of the list left. True where it is cancelled when this returns, since nobody
        worked on it. Conflict where it is done.
        """
        row = await imports.ask_cancel(self._store, self._unit, import_id)
        if row.state is ImportState.RUNNING and not imports.is_idle(row, is_alive, self._clock.now()):
            return False
        await self.abandon(import_id)
        return True

    async def abandon(self, import_id: int) -> None:
        """Cancel one that nobody works on; nothing of its list is left. Conflict where somebody does, or it is done."""
        row = await imports.take(self._store, self._unit, import_id, self._me, is_alive, self._clock.now())
        await lists.clear(self._store, self._unit, import_id, self._me)
        await self._give_up(row, ImportEvent.CANCEL)

    async def _work(self, row: ImportRow, path: Path, report: Report | None) -> Ended:
        watch = _Watch(report)
        work = self._read(row, path, watch) if row.kind == NEW else self._update(row, path, watch)
        try:
            done = await self._watched(row, work, watch)
        except Cancelled:
            await self._give_up(row, ImportEvent.CANCEL)
            raise
        except TakenOver:
            raise
        except Unavailable as error:
            await self._ended(row, ImportEvent.FAIL, error)
            raise
        except TodokeError as error:  # the file itself is at fault
            await self._give_up(row, ImportEvent.FAIL, error)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._give_up(row, ImportEvent.CANCEL))
            raise
        except Exception as error:
            await self._ended(row, ImportEvent.FAIL, TodokeError(f"{type(error).__name__}: {error}"))
            raise
        if isinstance(done, Updated):
            ended = Ended(row.id, updated=done)
        else:
            ended = Ended(row.id, done)
            with contextlib.suppress(StoreUnavailable):  # it is done, whatever is known of it
                await imports.describe(self._store, self._unit, row.id, _result(done))
        _discard(row)
        return await self._start(row, ended)

    async def _read(self, row: ImportRow, path: Path, watch: _Watch) -> Imported:
        return await import_list(
            self._store,
            business_unit=self._unit.name,
            name=row.name,
            path=path,
            rejects_dir=self._rejects_dir,
            now=self._clock.now(),
            progress=watch.tell,
            import_id=row.id,
            **row.options,
        )

    async def _update(self, row: ImportRow, path: Path, watch: _Watch) -> Updated:
        now = self._clock.now()
        return await update(self._store, self._unit, row, path, self._rejects_dir, self._me, now, watch.tell)

    async def _give_up(self, row: ImportRow, event: ImportEvent, error: TodokeError | None = None) -> None:
        """It has ended; of an update, what was merged stays, and the list is free again."""
        await self._ended(row, event, error)
        if row.kind == UPDATE:
            with contextlib.suppress(StoreUnavailable):
                await merging.abandon(self._store, self._unit, row.id)
        _discard(row)

    async def _watched(self, row: ImportRow, work: Coroutine[Any, Any, T], watch: _Watch) -> T:
        """The work, with words to the row; Cancelled where that was asked for."""
        working = asyncio.ensure_future(work)
        why: TodokeError | None = None
        try:
            while not working.done():
                await asyncio.wait([working], timeout=EVERY)
                if working.done() or why is not None:
                    continue
                try:
                    asked = await imports.tick(self._store, self._unit, row.id, self._me, watch.seen, self._clock.now())
                    why = Cancelled(where=f"import {row.id}") if asked else None
                except TakenOver as error:
                    if await self._is_done(row):  # it only clears up
                        await asyncio.wait([working])
                        continue
                    why = error
                except StoreUnavailable as error:  # the import itself says so, if it lasts
                    _log.warning("How far an import is cannot be written: %s", error, extra={"action": "import_tick"})
                if why is not None:
                    working.cancel()
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait([working])
        try:
            return await working
        except asyncio.CancelledError:
            if why is None:
                raise
            raise why from None

    async def _is_done(self, row: ImportRow) -> bool:
        async with self._store.reading() as connection:
            return (await imports.find(connection, self._unit, row.id)).state is ImportState.DONE

    async def _start(self, row: ImportRow, ended: Ended) -> Ended:
        if row.start_skill is None:
            return ended
        key = f"{_STARTED}{row.id}"
        async with self._store.reading() as connection:  # a process may have been killed just behind the start
            run = await runs.started_with(connection, self._unit, key)
        if run is not None:
            await imports.started(self._store, self._unit, row.id, run_id=run.id)
            return replace(ended, run=StartedRun(run.bucket, run.id, run.contacts, ()))
        try:
            made = await start_skill(
                self._store,
                business_unit=self._unit.name,
                skill=row.start_skill,
                calling_list=row.name,
                now=self._clock.now(),
                start_key=key,
            )
        except Unavailable:
            raise  # resuming starts it
        except TodokeError as error:
            await imports.started(self._store, self._unit, row.id, error=error)
            return replace(ended, start_error=error)
        await imports.started(self._store, self._unit, row.id, run_id=made.run_id)
        return replace(ended, run=made)

    async def _ended(self, row: ImportRow, event: ImportEvent, error: TodokeError | None = None) -> None:
        try:
            await imports.end(self._store, self._unit, row.id, self._me, event, self._clock.now(), error=error)
        except StoreUnavailable as failure:  # it stays running, by nobody: it can be resumed
            _log.warning("The end of an import cannot be written: %s", failure, extra={"action": "import_end"})


class _Watch:
    """What was last said of an import."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self.seen: tuple[str, int, int, float] = ("", 0, 0, 0.0)

    def tell(self, progress: Progress) -> None:
        self.seen = (progress.stage.value, progress.rows, progress.rejected, progress.fraction)
        if self._report is not None:
            self._report(progress)


def _version(path: Path) -> str:
    try:
        found = path.stat()
    except OSError as error:
        raise NotFound("There is no such file.", where=str(path), fix="Check the path.") from error
    return f"{found.st_size}:{found.st_mtime_ns}"


def _require_same(row: ImportRow) -> None:
    if row.spooled and not Path(row.source).exists():
        raise Conflict(
            "The upload is not there any more: its content was at fault, or it was on another machine.",
            where=f"import {row.id}",
            fix="Upload the file again.",
        )
    if _version(Path(row.source)) != row.source_version:
        raise Conflict(
            "The file is not the one with which the import was begun.",
            where=row.source,
            fix=f"Cancel it with todoke imports cancel {row.id}, and import the file anew.",
        )


def _discard(row: ImportRow) -> None:
    if row.spooled:
        Path(row.source).unlink(missing_ok=True)


def _result(imported: Imported) -> dict[str, Any]:
    """As JSON can hold it."""
    return {
        "contacts": imported.contacts,
        "rejected": imported.rejected,
        "blank": imported.blank,
        "reasons": imported.reasons,
        "rejects_path": None if imported.rejects_path is None else str(imported.rejects_path),
        "fields": imported.fields,
        "mapping": imported.mapping,
        "encoding": imported.encoding,
        "delimiter": imported.delimiter,
        "sheet": imported.sheet,
        "region": imported.region,
    }
