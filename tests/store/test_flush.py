"""A flush is one transaction that takes place once, also when nobody heard whether it did."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.factories import NOW, phone_of, seed_dnc, seed_engine
from tests.store.world import World

from todoke.model.clock import SECOND
from todoke.model.event import Kind
from todoke.model.run import RunState
from todoke.store.hot.base import EngineLost, Flush, FlushOverlap, Reserve, Rewound, RunWord, Scrub, StoreUnavailable
from todoke.store.hot.postgres.hot import PostgresHot
from todoke.store.hot.sqlite.hot import SqliteHot


async def test_flushes_are_counted_one_by_one(world: World) -> None:
    await world.flush()
    with pytest.raises(Rewound, match="had come to flush 2, and it knows its flush 1"):
        await world.hot.flush(Flush(world.engine, 3, NOW))
    with pytest.raises(Rewound, match="does not know this engine"):
        await world.hot.flush(Flush(999, 3, NOW))
    await world.flush()
    with pytest.raises(FlushOverlap):
        await world.hot.flush(Flush(world.engine, 1, NOW))
    assert (await world.hot.engines("alive"))[0].flush_seq == 2


async def test_a_dead_engine_writes_nothing(world: World) -> None:
    await world.hot.mark_engine(world.engine, "alive", "gone")
    with pytest.raises(EngineLost):
        await world.flush(fresh=[world.fresh(0)])
    with pytest.raises(EngineLost):
        await world.hot.flush(Flush(999, 1, NOW))
    assert await world.tallies() == {}


async def full_flush(world: World) -> Flush:
    """A flush with something of everything."""
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await world.flush(due=[world.due(10), world.due(11), world.due(12)])
    taken = (await world.flush(leases=[world.lease(0, 0, due=2)])).due
    await world.flush(fresh=[world.fresh(0)])
    await seed_dnc(world.store, scene.group, [phone_of(3)])
    reserve = Reserve(
        scene.bucket,
        scene.code,
        world.lane.epoch,
        NOW + SECOND,
        blocks=[(block.key, 4)],
        intents=[taken[0].key],
        scrubs=[Scrub(scene.bucket, (scene.group,), [phone_of(2), phone_of(3)])],
    )
    return world.flush_of(
        fresh=[world.fresh(1, 2)],
        events=[world.event(4, Kind.SKIPPED, segment=0, reason="dnc")],
        receipts=[world.receipt("p0"), world.receipt("p2"), world.receipt("nobody")],
        settled=[taken[1].key],
        due=[world.due(13, not_before=NOW + 1000 * SECOND)],
        reserves=[reserve],
        leases=[world.lease(5, 4, due=5)],
    )


async def test_the_same_flush_again_brings_the_same_and_changes_nothing(world: World) -> None:
    flush = await full_flush(world)
    first = await world.hot.flush(flush)
    counts = await world.tallies()
    again = await world.hot.flush(flush)
    again.orphans = first.orphans  # a count for the log, not read again
    assert again == first
    assert [(b.first_position, b.last_position) for b in first.blocks] == [(5, 8)]
    assert [taken.key for taken in first.due] == [world.due(12)[:3]]
    assert first.blocked == {world.scene.code: [{phone_of(3)}]}
    assert first.runs == {(world.scene.bucket, world.run): RunWord(RunState.RUNNING, False)}
    assert await world.tallies() == counts
    assert counts == {("sent", ""): (1, 1), ("delivered", ""): (2, 2), ("skipped", "dnc"): (1, 1)}
    await world.flush(receipts=[world.receipt("p1"), world.receipt("p2", Kind.UNDELIVERED)])
    await world.check()


class _Dying:
    """A driver's connection that is cut off around the COMMIT of its next transaction."""

    def __init__(self, connection: Any, *, after: bool) -> None:
        self._connection = connection
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        transaction = self._connection.transaction()
        await transaction.start()
        yield
        if self._after:
            await transaction.commit()
        self._connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


def cut(world: World, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> Callable[[], None]:
    """Let the next flush lose its database before or after the commit took place; returns what ends that."""
    hot = world.hot
    if isinstance(hot, PostgresHot):
        sessions = hot._sessions
        connected = sessions._connected

        async def dying() -> Any:
            return _Dying(await connected(), after=after)

        monkeypatch.setattr(sessions, "_connected", dying)
    else:
        assert isinstance(hot, SqliteHot)
        run = hot._writer.run

        async def lost(work: Callable[[sqlite3.Connection], Any]) -> Any:
            if after:
                await run(work)
            raise StoreUnavailable

        monkeypatch.setattr(hot._writer, "run", lost)
    return monkeypatch.undo


@pytest.mark.parametrize("after", [True, False])
async def test_a_flush_without_an_answer_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    flush = await full_flush(world)
    heal = cut(world, monkeypatch, after=after)
    for _ in range(2):  # also the second try may be lost; what it does is the same
        with pytest.raises(StoreUnavailable):
            await world.hot.flush(flush)
    heal()
    flushed = await world.hot.flush(flush)
    assert [(b.first_position, b.last_position) for b in flushed.blocks] == [(5, 8)]
    assert len(flushed.due) == 1
    counts = {("sent", ""): (1, 1), ("delivered", ""): (2, 2), ("skipped", "dnc"): (1, 1)}
    assert await world.tallies() == counts
    await world.check()
    # What was known by heart is neither lost nor believed any more where it is not true.
    receipts = [world.receipt("p0", Kind.UNDELIVERED), world.receipt("p1"), world.receipt("p2", Kind.UNDELIVERED)]
    await world.flush(receipts=receipts)
    assert await world.tallies() == {("delivered", ""): (3, 3), ("skipped", "dnc"): (1, 1)}
    await world.check()


async def test_a_flush_that_fails_is_rolled_back_whole(world: World) -> None:
    flush = await full_flush(world)
    flush.due.append(world.due(14)._replace(segments=None))  # type: ignore[arg-type]
    with pytest.raises((sqlite3.IntegrityError, asyncpg.NotNullViolationError)):
        await world.hot.flush(flush)
    assert await world.tallies() == {("sent", ""): (1, 1)}
    flush.due.pop()
    await world.hot.flush(flush)
    assert await world.tallies() == {("sent", ""): (1, 1), ("delivered", ""): (2, 2), ("skipped", "dnc"): (1, 1)}
    await world.check()


async def test_engines_count_for_themselves(world: World) -> None:
    other = await seed_engine(world.store, now=NOW)
    await world.flush()
    await world.hot.flush(Flush(other, 1, NOW))
    assert [row.flush_seq for row in await world.hot.engines("alive")] == [1, 1]
