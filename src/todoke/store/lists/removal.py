"""Lists that were deleted more than ten days ago go, in short transactions with rests between them."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import and_, delete, func, or_, select, update

from todoke.model.clock import HOUR, Micros
from todoke.store.lists import keys
from todoke.store.lists.life import KEPT
from todoke.store.schema import calling_list, contact, list_import, list_range, list_rejection
from todoke.store.store import Store

_list, _contact = calling_list.c, contact.c
_LEAST, _FIRST, _MOST = 100, 500, 20_000  # contacts in a transaction
_TARGET = 0.005  # seconds of one
STRAY: Micros = 24 * HOUR
_REST = 10  # rests last so many times longer than what was done: lanes lose a tenth of the writer at the most


async def remove_deleted(store: Store, now: Micros, *, rest: float = _REST) -> list[int]:
    """Remove contacts, keys and ranges of each list that cannot be restored any more; its row and its counts stay, for
    reports. Returns the lists. Any number of engines may do this, and may be killed in it.
    """
    late = and_(_list.state == "deleted", _list.deleted_at <= now - KEPT)
    # Ranges go last: a removed list that has some is not finished.
    unfinished = and_(_list.state == "removed", _list.id.in_(select(list_range.c.list_id)))
    await _strays(store, now)
    async with store.reading() as connection:
        found = (await connection.execute(select(_list.id, _list.bucket).where(or_(late, unfinished)))).all()
    if not found:
        return []
    async with store.writing() as connection:  # from here on none of them can be restored
        await connection.execute(update(calling_list).where(late).values(state="removed", keyed=False))
        left = (await connection.execute(select(_list.id, _list.bucket).where(_list.state == "removed"))).all()
    todo = [row for row in found if row in left]  # but for one that a person restored just now
    for list_id, bucket in todo:
        await _contacts(store, bucket, list_id, rest)
        await keys.remove(store, bucket, list_id)
        async with store.writing() as connection:
            await connection.execute(delete(list_range).where(list_range.c.list_id == list_id))
    return [row[0] for row in todo]


async def _strays(store: Store, now: Micros) -> None:
    """What was to be merged into another list and never will be: its import has ended, or it had none and is old."""
    has_ended = select(list_import.c.id).where(list_import.c.state.in_(("done", "cancelled")))
    over = or_(_list.import_id.in_(has_ended), and_(_list.import_id.is_(None), _list.created_at <= now - STRAY))
    stray = and_(_list.state.in_(("importing", "staged")), _list.into_list_id.is_not(None), over)
    async with store.reading() as connection:
        found = (await connection.execute(select(_list.id, _list.bucket).where(stray))).all()
    for list_id, bucket in found:
        await _contacts(store, bucket, list_id, _REST)
        await keys.remove(store, bucket, list_id)
        async with store.writing() as connection:
            for table in (list_range, list_rejection):
                await connection.execute(delete(table).where(table.c.list_id == list_id))
            await connection.execute(delete(calling_list).where(_list.id == list_id, stray))


async def _contacts(store: Store, bucket: int, list_id: int, rest: float) -> None:
    size = _FIRST
    of_list = (_contact.bucket == bucket, _contact.list_id == list_id)
    while True:
        async with store.writing() as connection:
            started = time.perf_counter()
            piece = select(_contact.position).where(*of_list).order_by(_contact.position).limit(size).subquery()
            last = await connection.scalar(select(func.max(piece.c.position)))
            if last is None:
                return
            await connection.execute(delete(contact).where(*of_list, _contact.position <= last))
            taken = time.perf_counter() - started
        size = int(min(_MOST, max(_LEAST, (size + size * _TARGET / max(taken, 1e-6)) / 2)))
        await asyncio.sleep(taken * rest)
