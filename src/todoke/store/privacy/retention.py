"""What is past its days: counted, and removed a piece at a time, each a transaction of some milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.ids import MAX_ORDINAL, RUN_SHIFT, base
from todoke.model.retention import is_over
from todoke.store.catalogue.units import Unit
from todoke.store.consents import reading
from todoke.store.hot.base import StoreUnavailable
from todoke.store.hot.postgres import partitions
from todoke.store.lists import keys
from todoke.store.lists.base import OpenImport
from todoke.store.lists.lists import contact_store
from todoke.store.postgres import LOST, unavailable
from todoke.store.schema import (
    business_unit,
    calling_list,
    consent,
    contact,
    dnc_upload,
    doubt,
    event,
    inbound,
    list_import,
    opt_out,
    review,
    run_counter,
    run_selection,
    selection,
    skill_run,
    tally,
)
from todoke.store.store import Store

PIECE = 250  # rows in a transaction
_LOOKED_AT = 100  # rows of the ledger at a time, each with all of its number
SETTLED = 60.0
"""Seconds after which no flush knows a partition any more that was taken off."""
_ENDED = ("stopped", "finished")
_OPEN = ("running", "paused", "stopping")


# Whether it is attached, half detached; how many seconds ago it was taken off, as its comment says.
_PARTITION = """
    SELECT i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false),
           extract(epoch FROM now())::float - obj_description(c.oid)::float
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = to_regclass($1)
"""
_FORGET_DOUBTS = "DELETE FROM doubt WHERE bucket = $1 AND run_id BETWEEN $2 AND $3"


class Step(NamedTuple):
    """`mark`: from where to go on; None when there is no more for now."""

    done: int
    mark: int | None


async def days(connection: AsyncConnection, unit: Unit) -> Mapping[str, int]:
    """Days by kind of data; what is not named is kept."""
    b = business_unit.c
    return await connection.scalar(select(b.retention).where(b.id == unit.id)) or {}


class Numbered(NamedTuple):
    """The id of a business unit and those of all that it imported, deleted lists too: files of rejected rows are named
    by them.
    """

    unit: int
    lists: frozenset[int]
    imports: frozenset[int]
    uploads: frozenset[int]


async def numbered(connection: AsyncConnection, unit: Unit) -> Numbered:
    """What the unit imported."""
    found: list[frozenset[int]] = []
    for table in (calling_list, list_import, dnc_upload):
        rows = await connection.execute(select(table.c.id).where(table.c.business_unit_id == unit.id))
        found.append(frozenset(rows.scalars()))
    return Numbered(unit.id, *found)


# ------------------------------------------------------------------ what would go


async def past_replies(connection: AsyncConnection, unit: Unit, before: Micros) -> int:
    i = inbound.c
    return await _count(connection, select(func.count()).select_from(inbound).where(*_of(unit, i), *_old_reply(before)))


async def past_opt_outs(connection: AsyncConnection, unit: Unit, before: Micros) -> int:
    o = opt_out.c
    return await _count(connection, select(func.count()).select_from(opt_out).where(*_of(unit, o), *_old_word(before)))


async def past_doubts(connection: AsyncConnection, unit: Unit, before: Micros) -> int:
    return await _count(connection, select(func.count()).select_from(doubt).where(*_old_doubt(unit, before)))


async def past_events(connection: AsyncConnection, unit: Unit, before: Micros) -> int:
    """Messages of runs whose events are past their days (also where they went already: the counts stay)."""
    t = tally.c
    old = select(skill_run.c.id).where(*_old_run(unit, before))
    return await _count(connection, select(func.sum(t.messages)).where(t.bucket == unit.bucket, t.run_id.in_(old)))


async def past_lists(connection: AsyncConnection, unit: Unit, before: Micros) -> list[int]:
    """Lists that were deleted or have expired so long ago, have contacts, and are in no run that goes on."""
    c, r = calling_list.c, skill_run.c
    going = select(r.id).where(r.bucket == c.bucket, r.list_id == c.id, r.state.in_(_OPEN))
    left = select(contact.c.position).where(contact.c.bucket == c.bucket, contact.c.list_id == c.id).limit(1)
    rows = await connection.execute(
        select(c.id)
        .where(
            c.business_unit_id == unit.id,
            c.state.in_(("ready", "deleted")),
            or_(c.deleted_at < before, c.expires_at < before),
            ~going.exists(),
            left.exists(),
        )
        .order_by(c.id)
    )
    return list(rows.scalars())


async def past_consents(store: Store, unit: Unit, before: Micros) -> int:
    """Rows; the whole ledger is read."""
    over: set[int] = set()
    mark = 0
    while True:
        async with store.reading() as connection:
            ids, last = await _over(connection, unit, before, mark)
        if last is None:
            return len(over)
        over.update(ids)
        mark = last


# ------------------------------------------------------------------ what goes, in pieces


async def replies(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """Texts of replies. Ids count up with time, so it is over at the first that is younger."""
    i = inbound.c
    async with store.reading() as connection:
        rows = (
            await connection.execute(
                select(i.id, i.received_at, i.text).where(*_of(unit, i), i.id > mark).order_by(i.id).limit(PIECE)
            )
        ).all()
    ids = [row[0] for row in rows if row[1] < before and row[2]]
    if ids:
        async with store.writing() as connection:
            await connection.execute(update(inbound).where(*_of(unit, i), i.id.in_(ids)).values(text=""))
            r = review.c
            await connection.execute(update(review).where(*_of(unit, r), r.inbound_id.in_(ids)).values(text=""))
    return _step(len(ids), rows, before)


async def opt_outs(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """Words of opt-outs and opt-ins."""
    o = opt_out.c
    async with store.reading() as connection:
        rows = (
            await connection.execute(
                select(o.id, o.at, o.evidence).where(*_of(unit, o), o.id > mark).order_by(o.id).limit(PIECE)
            )
        ).all()
    ids = [row[0] for row in rows if row[1] < before and row[2]]
    if ids:
        async with store.writing() as connection:
            await connection.execute(update(opt_out).where(*_of(unit, o), o.id.in_(ids)).values(evidence=""))
    return _step(len(ids), rows, before)


async def consents(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """All rows of numbers of which nothing held since."""
    async with store.reading() as connection:
        ids, last = await _over(connection, unit, before, mark)
    if ids:  # not by number: what was recorded meanwhile stays
        async with store.writing() as connection:
            await connection.execute(delete(consent).where(*_of(unit, consent.c), consent.c.id.in_(ids)))
    return Step(len(ids), last)


async def doubts(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """Numbers of what is in doubt."""
    d = doubt.c
    async with store.reading() as connection:
        query = select(d.message_id).where(*_old_doubt(unit, before)).limit(PIECE)
        ids = list((await connection.execute(query)).scalars())
    if ids:
        async with store.writing() as connection:
            mine = (d.bucket == unit.bucket, d.message_id.in_(ids), d.at < before)
            await connection.execute(update(doubt).where(*mine).values(destination=None))
    return Step(len(ids), mark if len(ids) == PIECE else None)


async def events(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """Events of the next run that ended so long ago, a piece of them; what is in doubt of it goes with them."""
    r, e, d, s, n = skill_run.c, event.c, doubt.c, selection.c, run_selection.c
    own = base(unit.bucket, 0) + r.id * (1 << RUN_SHIFT)
    left = or_(
        select(e.message_id).where(e.bucket == unit.bucket, e.message_id.between(own, own + MAX_ORDINAL)).exists(),
        select(d.message_id).where(d.bucket == unit.bucket, d.run_id == r.id).exists(),
        select(s.run_id).where(s.bucket == unit.bucket, s.run_id == r.id).exists(),
        select(n.run_id).where(n.bucket == unit.bucket, n.run_id == r.id).exists(),
    )
    async with store.reading() as connection:
        query = select(r.id).where(*_old_run(unit, before), r.id > mark, left).order_by(r.id).limit(1)
        run = await connection.scalar(query)
    if run is None:
        return Step(0, None)
    first = base(unit.bucket, run)
    of_run = (e.bucket == unit.bucket, e.message_id.between(first, first + MAX_ORDINAL))
    async with store.reading() as connection:
        query = select(e.message_id).where(*of_run).order_by(e.message_id).limit(PIECE)
        ids = list((await connection.execute(query)).scalars())
    done = 0
    async with store.writing() as connection:
        if ids:  # a range of the key: the rest of the run, however long, is not looked at
            upto = (e.bucket == unit.bucket, e.message_id >= first, e.message_id <= ids[-1])
            done = (await connection.execute(delete(event).where(*upto))).rowcount
        await connection.execute(delete(doubt).where(d.bucket == unit.bucket, d.run_id == run))
        more = len(ids) == PIECE or await _selections(connection, unit, run)
    return Step(done, run - 1 if more else run)


async def _selections(connection: AsyncConnection, unit: Unit, run: int) -> bool:
    """Some of which contacts the run's filters chose; whether there may be more."""
    s, r = selection.c, run_selection.c
    of_run = (s.bucket == unit.bucket, s.run_id == run)
    some = list(await connection.scalars(select(s.first_ordinal).where(*of_run).order_by(s.first_ordinal).limit(50)))
    if some:
        await connection.execute(delete(selection).where(*of_run, s.first_ordinal <= some[-1]))
    await connection.execute(delete(run_selection).where(r.bucket == unit.bucket, r.run_id == run))
    return len(some) == 50


async def contacts(store: Store, unit: Unit, before: Micros, mark: int) -> Step:
    """The contacts of one list, in pieces as short, with its keys."""
    async with store.reading() as connection:
        found = [list_id for list_id in await past_lists(connection, unit, before) if list_id > mark]
    if not found:
        return Step(0, None)
    await keys.remove(store, unit.bucket, found[0])
    await contact_store(store).remove(OpenImport(found[0], unit.bucket, unit.id, ""))
    return Step(1, found[0])


async def drop_partitions(
    store: Store, units: Sequence[tuple[Unit, Micros | None]], *, wait: float = SETTLED
) -> list[str]:
    """On PostgreSQL: partitions of `event` that no run will write to any more and whose runs are all past the days of
    their units are taken off, and dropped whole by a call `wait` seconds later. `units`: all there are, each with its
    cutoff. Returns the names of those that were dropped.
    """
    dropped: list[str] = []
    if store.address.path:
        return dropped
    for bucket in sorted({unit.bucket for unit, _ in units}):
        of_bucket = [(unit, before) for unit, before in units if unit.bucket == bucket]
        async with store.reading() as connection:
            next_run = await connection.scalar(select(run_counter.c.next_run).where(run_counter.c.bucket == bucket))
        full = range((next_run or 0) // partitions.RUNS)  # run ids count up
        past = [number for number in full if await _droppable(store, bucket, number, of_bucket)]
        dropped += [f"event_b{bucket}_r{number}" for number in past if await _drop(store, bucket, number, wait)]
    return dropped


async def _droppable(store: Store, bucket: int, number: int, units: Sequence[tuple[Unit, Micros | None]]) -> bool:
    r = skill_run.c
    first = number * partitions.RUNS
    past = [
        (r.business_unit_id == unit.id) & (r.ended_at < before) & r.state.in_(_ENDED)
        for unit, before in units
        if before is not None
    ]
    if not past:
        return False
    here = (
        select(func.count())
        .select_from(skill_run)
        .where(r.bucket == bucket, r.id.between(first, first + partitions.RUNS - 1))
    )
    async with store.reading() as connection:
        return await connection.scalar(here) == await connection.scalar(here.where(or_(*past)))


async def _drop(store: Store, bucket: int, number: int, wait: float) -> bool:
    """Taken off, which no writer of other partitions waits for (that is what CONCURRENTLY is for); and dropped at a
    later call, when nobody can know it any more. Whether it was dropped.
    """
    name = f"event_b{bucket}_r{number}"
    first = number * partitions.RUNS
    try:
        async with store.pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock(7430505)"):
                return False  # another engine is at it
            try:
                await connection.execute("SET lock_timeout = '5s'")
                known = await connection.fetchrow(_PARTITION, name)
                if known is None:
                    return False
                attached, pending, since = known
                if since is not None and not attached:
                    if since < wait:
                        return False
                    await connection.execute(f"DROP TABLE {name}")
                    return True
                await connection.execute(_FORGET_DOUBTS, bucket, first, first + partitions.RUNS - 1)
                if attached:  # pending: it was broken off in the middle before
                    how = "FINALIZE" if pending else "CONCURRENTLY"
                    await connection.execute(f"ALTER TABLE event DETACH PARTITION {name} {how}")
                now = await connection.fetchval("SELECT floor(extract(epoch FROM now()))::bigint")
                await connection.execute(f"COMMENT ON TABLE {name} IS '{int(now)}'")
                return False
            finally:
                await connection.execute("RESET lock_timeout")
                await connection.execute("SELECT pg_advisory_unlock(7430505)")
    except LOST as error:
        raise unavailable(error, store.address) or StoreUnavailable(str(error)) from error


# ------------------------------------------------------------------ conditions


def _of(unit: Unit, columns: Any) -> tuple[ColumnElement[bool], ...]:
    return columns.bucket == unit.bucket, columns.business_unit_id == unit.id


def _old_reply(before: Micros) -> tuple[ColumnElement[bool], ...]:
    return inbound.c.received_at < before, inbound.c.text != ""


def _old_word(before: Micros) -> tuple[ColumnElement[bool], ...]:
    return opt_out.c.at < before, opt_out.c.evidence != ""


def _old_run(unit: Unit, before: Micros) -> tuple[ColumnElement[bool], ...]:
    r = skill_run.c
    return r.bucket == unit.bucket, r.business_unit_id == unit.id, r.state.in_(_ENDED), r.ended_at < before


def _old_doubt(unit: Unit, before: Micros) -> tuple[ColumnElement[bool], ...]:
    d, r = doubt.c, skill_run.c
    ended = select(r.id).where(
        r.bucket == unit.bucket, r.business_unit_id == unit.id, r.state.in_(_ENDED), r.id == d.run_id
    )
    return d.bucket == unit.bucket, d.at < before, d.destination.is_not(None), ended.exists()


def _step(done: int, rows: Sequence[Any], before: Micros) -> Step:
    return Step(done, rows[-1][0] if rows and rows[-1][1] < before else None)


async def _over(connection: AsyncConnection, unit: Unit, before: Micros, mark: int) -> tuple[list[int], int | None]:
    """Of the numbers of the next rows: the rows of those of which nothing held since; and the last one looked at."""
    c = consent.c
    query = select(c.id, c.phone).where(*_of(unit, c), c.id > mark).order_by(c.id).limit(_LOOKED_AT)
    rows = (await connection.execute(query)).all()
    ids: list[int] = []
    for phone in dict.fromkeys(row[1] for row in rows):
        entries = await reading.of_number(connection, unit, phone)
        replies = await reading.replies_of(connection, unit, phone)
        facts = [entry.fact for entry in entries] + [fact for row in replies if (fact := row.fact) is not None]
        if is_over(facts, before):
            ids += [entry.id for entry in entries]
    return ids, rows[-1][0] if rows else None


async def _count(connection: AsyncConnection, query: Any) -> int:
    return int(await connection.scalar(query) or 0)
