"""Imports as rows: how far each is, who works on it, and what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import Conflict, NotFound, TodokeError
from todoke.model.list_import import RESUMABLE, ImportEvent, ImportState, step
from todoke.store.catalogue.units import Unit
from todoke.store.lists.base import TakenOver
from todoke.store.lists.importer import is_here
from todoke.store.schema import list_import
from todoke.store.store import Store

_i = list_import.c
SEEN = 60 * 1_000_000  # a process of another machine that has said nothing for so long is taken for dead


class ImportRow(NamedTuple):
    """An import. `kind`: new or update. `options`: as they were given. `error`, `start_error`: sentence, where, fix."""

    id: int
    kind: str
    name: str
    list_id: int | None
    state: ImportState
    cancel_asked: bool
    options: dict[str, Any]
    source: str
    spooled: bool
    source_version: str
    importer: str
    stage: str
    rows: int
    rejected: int
    fraction: float
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    start_skill: str | None
    run_id: int | None
    start_error: dict[str, Any] | None
    created_at: Micros
    started_at: Micros | None
    seen_at: Micros
    ended_at: Micros | None

    @property
    def to_start(self) -> bool:
        """Whether a skill is still to be started over the list."""
        done = self.state is ImportState.DONE and self.start_skill is not None
        return done and self.run_id is None and self.start_error is None


_COLUMNS = tuple(_i[name] for name in ImportRow._fields)


class NewImport(NamedTuple):
    """What an import is begun with; `version` as `store.lists.imports` keeps it: whether the file is still the same."""

    kind: str
    name: str
    options: Mapping[str, Any]
    source: str
    spooled: bool
    version: str
    start_skill: str | None


async def create(store: Store, unit: Unit, new: NewImport, importer: str, now: Micros) -> int:
    """A new running import of this process; its id."""
    async with store.writing() as connection:
        import_id = await connection.scalar(
            insert(list_import)
            .values(
                business_unit_id=unit.id,
                bucket=unit.bucket,
                kind=new.kind,
                name=new.name,
                state=ImportState.RUNNING,
                options=dict(new.options),
                source=new.source,
                spooled=new.spooled,
                source_version=new.version,
                importer=importer,
                stage="",
                rows=0,
                rejected=0,
                fraction=0.0,
                start_skill=new.start_skill,
                created_at=now,
                started_at=now,
                seen_at=now,
            )
            .returning(_i.id)
        )
    assert import_id is not None
    return import_id


async def every(connection: AsyncConnection, unit: Unit, *, limit: int = 50) -> list[ImportRow]:
    """The unit's imports, the newest first."""
    query = select(*_COLUMNS).where(_i.business_unit_id == unit.id).order_by(_i.id.desc()).limit(limit)
    return [_row(row) for row in await connection.execute(query)]


async def with_upload(connection: AsyncConnection, unit: Unit) -> list[ImportRow]:
    """The unit's imports that run or can be resumed, and whose file is our own copy."""
    mine = (_i.business_unit_id == unit.id, _i.spooled.is_(True), _i.state.in_(RESUMABLE))
    return [_row(row) for row in await connection.execute(select(*_COLUMNS).where(*mine).order_by(_i.id))]


async def find(connection: AsyncConnection, unit: Unit, import_id: int) -> ImportRow:
    """The unit's import; NotFound."""
    return await _find(connection, unit, import_id, hold=False)


class Manner(NamedTuple):
    """By which rules the rows of a list were read. None: by those of the unit, or the usual ones."""

    region: str | None = None
    channel: str | None = None
    no_time_zone: str | None = None


async def manner(connection: AsyncConnection, unit: Unit, list_id: int) -> Manner:
    """As the import read it that made the unit's list: what is added to it later is read so, too."""
    made = (_i.business_unit_id == unit.id, _i.list_id == list_id, _i.kind == "new", _i.state == ImportState.DONE)
    row = (await connection.execute(select(_i.options, _i.result).where(*made).limit(1))).first()
    if row is None:
        return Manner()
    options: dict[str, Any] = row[0]
    result: dict[str, Any] = row[1] or {}
    region = result.get("region") or options.get("default_region")
    return Manner(region, options.get("channel"), options.get("no_time_zone"))


def is_idle(row: ImportRow, alive: Callable[[str], bool], now: Micros) -> bool:
    """Whether nobody works on a running import: its process is dead, or is on another machine and says nothing."""
    if row.state is not ImportState.RUNNING:
        return False
    return not alive(row.importer) and (is_here(row.importer) or now - row.seen_at > SEEN)


async def take(
    store: Store, unit: Unit, import_id: int, importer: str, alive: Callable[[str], bool], now: Micros
) -> ImportRow:
    """Make an import that nobody works on, or that failed, this process's. Conflict where it is not such a one."""
    async with store.writing() as connection:
        row = await _find(connection, unit, import_id, hold=True)
        state = step(row.state, ImportEvent.RESUME)
        if row.state is ImportState.RUNNING and not is_idle(row, alive, now):
            raise Conflict(
                f"Import {import_id} is being worked on right now.",
                where=f"import {import_id}",
                fix="Wait for its end, or cancel it.",
            )
        await connection.execute(
            update(list_import)
            .where(_i.business_unit_id == unit.id, _i.id == import_id)
            .values(state=state, importer=importer, error=null(), ended_at=None, started_at=now, seen_at=now)
        )
    return row._replace(state=state, importer=importer, error=None, ended_at=None, started_at=now, seen_at=now)


async def tick(
    store: Store, unit: Unit, import_id: int, importer: str, seen: tuple[str, int, int, float], now: Micros
) -> bool:
    """Say how far it is: stage, rows, rejected, fraction; whether it was asked to be cancelled. `TakenOver` where it is
    not this process's any more.
    """
    stage, rows, rejected, fraction = seen
    async with store.writing() as connection:
        asked = await connection.execute(
            update(list_import)
            .where(*_mine(unit, import_id, importer))
            .values(stage=stage, rows=rows, rejected=rejected, fraction=fraction, seen_at=now)
            .returning(_i.cancel_asked)
        )
        row = asked.first()
    if row is None:
        raise TakenOver
    return bool(row[0])


async def ask_cancel(store: Store, unit: Unit, import_id: int) -> ImportRow:
    """Ask whoever works on it to leave nothing of it. Conflict where it has ended."""
    async with store.writing() as connection:
        row = await _find(connection, unit, import_id, hold=True)
        step(row.state, ImportEvent.CANCEL)
        await connection.execute(
            update(list_import).where(_i.business_unit_id == unit.id, _i.id == import_id).values(cancel_asked=True)
        )
    return row._replace(cancel_asked=True)


async def end(
    store: Store,
    unit: Unit,
    import_id: int,
    importer: str,
    event: ImportEvent,
    now: Micros,
    *,
    error: TodokeError | None = None,
) -> bool:
    """It failed or was cancelled; False where it is not this process's, or has ended."""
    async with store.writing() as connection:
        moved = await connection.execute(
            update(list_import)
            .where(*_mine(unit, import_id, importer))
            .values(
                state=step(ImportState.RUNNING, event),
                list_id=None,
                error=null() if error is None else told(error),
                ended_at=now,
            )
        )
    return moved.rowcount == 1


async def finish(
    connection: AsyncConnection,
    business_unit_id: int,
    import_id: int,
    importer: str,
    list_id: int,
    result: Mapping[str, Any],
    counts: tuple[int, int],
    now: Micros,
) -> None:
    """It is done, in the transaction that makes its list ready. `counts`: rows of the file, and how many of them were
    rejected; a short import ends before it has said any. `TakenOver` where it is not this process's.
    """
    rows, rejected = counts
    moved = await connection.execute(
        update(list_import)
        .where(
            _i.business_unit_id == business_unit_id,
            _i.id == import_id,
            _i.importer == importer,
            _i.state == ImportState.RUNNING,
        )
        .values(
            state=step(ImportState.RUNNING, ImportEvent.FINISH),
            list_id=list_id,
            result=dict(result),
            rows=rows,
            rejected=rejected,
            fraction=1.0,
            ended_at=now,
            seen_at=now,
        )
    )
    if moved.rowcount != 1:
        raise TakenOver


async def describe(store: Store, unit: Unit, import_id: int, result: Mapping[str, Any]) -> None:
    """What came out of one that is done, in full."""
    async with store.writing() as connection:
        await connection.execute(
            update(list_import)
            .where(_i.business_unit_id == unit.id, _i.id == import_id, _i.state == ImportState.DONE)
            .values(result=dict(result))
        )


async def started(
    store: Store, unit: Unit, import_id: int, *, run_id: int | None = None, error: TodokeError | None = None
) -> None:
    """The run that was started over its list, or why there is none."""
    async with store.writing() as connection:
        await connection.execute(
            update(list_import)
            .where(_i.business_unit_id == unit.id, _i.id == import_id, _i.run_id.is_(None))
            .values(run_id=run_id, start_error=null() if error is None else told(error))
        )


def told(error: TodokeError) -> dict[str, Any]:
    """An error as it is kept."""
    return {"sentence": error.sentence, "where": error.where, "fix": error.fix}


def _mine(unit: Unit, import_id: int, importer: str) -> tuple[Any, ...]:
    return (
        _i.business_unit_id == unit.id,
        _i.id == import_id,
        _i.importer == importer,
        _i.state == ImportState.RUNNING,
    )


async def _find(connection: AsyncConnection, unit: Unit, import_id: int, *, hold: bool) -> ImportRow:
    query = select(*_COLUMNS).where(_i.business_unit_id == unit.id, _i.id == import_id)
    row = (await connection.execute(query.with_for_update() if hold else query)).first()
    if row is None:
        raise NotFound(f"There is no import {import_id}.", fix="See the imports with todoke imports list.")
    return _row(row)


def _row(values: Any) -> ImportRow:
    row = ImportRow(*values)
    return row._replace(state=ImportState(row.state))
