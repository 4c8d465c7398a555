"""The life of a ready list: active or not, deleted, restored, with another end. Each is one row; what it means for runs
is in the same words everywhere: nobody on a list that is inactive or deleted is texted.
"""

from __future__ import annotations

from sqlalchemy import Update, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import HOUR, Micros
from todoke.model.errors import Conflict, NotFound
from todoke.model.run import OPEN, RunEvent, RunState
from todoke.store.catalogue import lists
from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.units import Unit
from todoke.store.schema import calling_list, skill_run
from todoke.store.store import Store

KEPT: Micros = 10 * 24 * HOUR  # a deleted list can be restored for so long

_list, _run = calling_list.c, skill_run.c


async def activate(store: Store, unit: Unit, name: str) -> None:
    """From now on skills can be started over it and its runs can be resumed; what was paused stays so."""
    async with store.writing() as connection:
        row = await _hold(connection, unit, name)
        await connection.execute(_update(unit, row).values(active=True))


async def deactivate(store: Store, unit: Unit, name: str, now: Micros) -> list[int]:
    """Nobody on it is texted: its running runs are paused, none is started or resumed. Returns the paused runs."""
    async with store.writing() as connection:
        row = await _hold(connection, unit, name)
        await connection.execute(_update(unit, row).values(active=False))
    return await pause_runs(store, unit.bucket, row.id, now)


async def expire(store: Store, unit: Unit, name: str, expires_at: Micros | None) -> None:
    """Give it another end, or none."""
    async with store.writing() as connection:
        row = await _hold(connection, unit, name)
        await connection.execute(_update(unit, row).values(expires_at=expires_at))


async def delete(store: Store, unit: Unit, name: str, now: Micros) -> ListRow:
    """Delete it; its name is free. Conflict while a run over it is open: whether that is to be stopped is for a person
    to say. It can be restored for ten days.
    """
    async with store.writing() as connection:
        row = await _hold(connection, unit, name)
        runs = await _runs(connection, unit.bucket, row.id, OPEN)
        if runs:
            raise Conflict(
                f"Run {runs[0]} over the list {name!r} has not ended.",
                where=f"list {name!r}",
                fix=f"Stop it first: todoke run stop {runs[0]}",
            )
        await connection.execute(_update(unit, row).values(state="deleted", deleted_at=now))
    return row


async def restore(store: Store, unit: Unit, name: str, now: Micros, *, as_name: str | None = None) -> ListRow:
    """The list of that name that was deleted last is there again, under `as_name` where that is given. NotFound where
    there is none, or it is too late; Conflict where the name is taken.
    """
    new = name if as_name is None else as_name
    async with store.writing() as connection:
        deleted = [row for row in await lists.every(connection, unit, deleted=True) if row.name == name]
        row = next((row for row in deleted if (row.deleted_at or 0) + KEPT > now), None)
        if row is None:
            raise NotFound(
                f"There is no deleted list {name!r} that can be restored.",
                fix="See them with todoke list list --deleted; ten days after it was deleted a list is gone.",
            )
        if any(other.name == new for other in await lists.every(connection, unit)):
            raise _taken(new)
        try:
            await connection.execute(_update(unit, row).values(state="ready", deleted_at=None, name=new))
        except IntegrityError as error:
            raise _taken(new) from error
    return row._replace(name=new, state="ready", deleted_at=None)


async def pause_runs(store: Store, bucket: int, list_id: int, now: Micros) -> list[int]:
    """Pause the running runs over an inactive list; those that there were."""
    async with store.reading() as connection:
        running = await _runs(connection, bucket, list_id, frozenset({RunState.RUNNING}))
    paused: list[int] = []
    for run_id in running:
        try:
            await store.hot.control_run(bucket, run_id, RunEvent.PAUSE, "the list is inactive", now)
        except Conflict:
            continue  # it has ended meanwhile
        paused.append(run_id)
    return paused


async def left_running(store: Store) -> list[tuple[int, int]]:
    """(bucket, list) of inactive lists that have running runs: whoever deactivated them was cut short."""
    async with store.reading() as connection:
        rows = await connection.execute(
            select(_run.bucket, _run.list_id)
            .join(calling_list, _list.id == _run.list_id)
            .where(_run.state == RunState.RUNNING, _list.active.is_(False))
            .distinct()
        )
        return [(row[0], row[1]) for row in rows]


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is another list {name!r} by now.",
        where=f"list {name!r}",
        fix="Restore it under another name with --as NAME.",
    )


def _update(unit: Unit, row: ListRow) -> Update:
    return update(calling_list).where(_list.business_unit_id == unit.id, _list.id == row.id)


async def _hold(connection: AsyncConnection, unit: Unit, name: str) -> ListRow:
    """The ready list, locked: no run starts over it meanwhile. Conflict while an import is merged into it."""
    row = await lists.find(connection, unit, name)
    held = await connection.execute(
        select(_list.state, _list.updating_import)
        .where(_list.business_unit_id == unit.id, _list.id == row.id)
        .with_for_update()
    )
    state, updating = held.one()
    if state != "ready":
        raise Conflict(f"The list {name!r} is {state} by now.", where=f"list {name!r}")
    if updating is not None:
        raise Conflict(
            f"Import {updating} is being merged into the list {name!r}.",
            where=f"list {name!r}",
            fix=f"Wait for its end, or resume it: todoke imports resume {updating}",
        )
    return row


async def _runs(connection: AsyncConnection, bucket: int, list_id: int, states: frozenset[RunState]) -> list[int]:
    rows = await connection.execute(
        select(_run.id)
        .where(_run.bucket == bucket, _run.list_id == list_id, _run.state.in_([state.value for state in states]))
        .order_by(_run.id)
    )
    return [row[0] for row in rows]
