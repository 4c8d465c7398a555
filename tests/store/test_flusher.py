"""The flush loop: the same flush until it is known to be in, and everybody told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.factories import NOW, Scene, seed, seed_engine, seed_run

from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.ids import base
from todoke.store.flusher import Flusher
from todoke.store.hot.base import EngineLost, Flush, Flushed, FlushOverlap, Fresh, StoreUnavailable
from todoke.store.store import Store

DEADLINE = 10.0


class Clerk:
    """A participant that has something to write when it is given it."""

    def __init__(self) -> None:
        self.next: list[Fresh] = []
        self.prepared: list[int] = []
        self.told: list[tuple[Flush, Flushed]] = []
        self.news = asyncio.Event()

    def prepare(self, flush: Flush) -> None:
        self.prepared.append(flush.seq)
        flush.fresh.extend(self.next)
        self.next = []

    def committed(self, flush: Flush, flushed: Flushed) -> None:
        self.told.append((flush, flushed))
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.news.clear()
                await self.news.wait()


class Desk:
    """A flusher on a real store, and a way to break the connection before or after the commit."""

    def __init__(self, store: Store, scene: Scene, run: int, engine: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.scene = scene
        self.run_id = run
        self.clerk, self.other = Clerk(), Clerk()
        self.noted: list[int] = []
        self.offered: list[Flush] = []
        self.faults: list[str] = []
        real = store.hot.flush

        async def flush(flush: Flush) -> Flushed:
            self.offered.append(flush)
            fault = self.faults.pop(0) if self.faults else ""
            if fault == "before":
                raise StoreUnavailable
            flushed = await real(flush)
            if fault == "after":
                raise StoreUnavailable  # it is in, and nobody says so
            return flushed

        monkeypatch.setattr(store.hot, "flush", flush)
        self.flusher = Flusher(
            store.hot,
            engine,
            SystemClock(),
            [self.clerk, self.other],
            self.noted.append,
            interval=0.005,
            idle=0.02,
        )

    def accept(self, *positions: int) -> None:
        start = base(self.scene.bucket, self.run_id)
        ids = [start + position for position in positions]
        self.clerk.next.append(
            Fresh(self.scene.bucket, self.run_id, self.scene.provider, NOW, ids, [str(i) for i in ids])
        )

    async def sent(self) -> list[int]:
        found = await self.store.hot.message_states(self.scene.bucket, self.run_id, 0, 100)
        assert {folded.state for _, folded in found} <= {State.SENT}
        return [message_id - base(self.scene.bucket, self.run_id) for message_id, _ in found]


@pytest.fixture
async def desk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Desk:
    scene = await seed(store)
    return Desk(store, scene, await seed_run(store, scene), await seed_engine(store), monkeypatch)


async def test_nothing_to_write_is_no_flush(desk: Desk) -> None:
    assert await desk.flusher.once() is False
    assert desk.offered == []
    assert desk.clerk.told == []


async def test_what_participants_add_is_one_flush_and_all_are_told(desk: Desk) -> None:
    desk.accept(1, 2)
    assert await desk.flusher.once() is True
    (flush,) = desk.offered
    assert flush.seq == 1
    assert desk.noted == [1]
    assert [f for f, _ in desk.clerk.told] == [f for f, _ in desk.other.told] == [flush]
    assert await desk.sent() == [1, 2]
    desk.accept(3)
    assert await desk.flusher.once() is True
    assert [flush.seq for flush in desk.offered] == [1, 2]


@pytest.mark.parametrize("faults", [["before"], ["after"], ["before", "after", "before", "after"], ["after", "after"]])
async def test_a_commit_that_nobody_answered_is_tried_again_with_the_same_flush(desk: Desk, faults: list[str]) -> None:
    desk.faults = list(faults)
    desk.accept(1, 2)
    assert await desk.flusher.once() is True
    assert len(desk.offered) == len(faults) + 1
    assert all(flush is desk.offered[0] for flush in desk.offered)
    assert desk.clerk.prepared == [1]
    assert len(desk.clerk.told) == len(desk.other.told) == 1
    assert desk.noted == [1]
    assert desk.flusher.unavailable is None
    assert await desk.sent() == [1, 2]
    desk.accept(3)
    assert await desk.flusher.once() is True
    assert await desk.sent() == [1, 2, 3]


async def test_nothing_new_is_asked_for_while_a_flush_is_not_known_to_be_in(desk: Desk) -> None:
    desk.faults = ["before"] * 3
    desk.accept(1)
    task = asyncio.create_task(desk.flusher.once())
    async with asyncio.timeout(DEADLINE):
        while len(desk.offered) < 2:  # noqa: ASYNC110 - the flusher has no events for tests
            await asyncio.sleep(0.002)
    assert desk.flusher.unavailable is not None
    desk.accept(2)
    await task
    assert await desk.sent() == [1]
    assert await desk.flusher.once() is True
    assert await desk.sent() == [1, 2]


@pytest.mark.parametrize("error", [EngineLost, FlushOverlap])
async def test_an_engine_that_lost_its_place_ends(desk: Desk, error: type[Exception]) -> None:
    (engine,) = await desk.store.hot.engines("alive")
    if error is EngineLost:
        await desk.store.hot.mark_engine(engine.id, "alive", "gone")
    else:
        for seq in (1, 2, 3):
            await desk.store.hot.flush(Flush(engine.id, seq, NOW))
    desk.accept(1)
    with pytest.raises(error):
        await desk.flusher.run()
    assert desk.clerk.told == []
    assert desk.noted == []
    assert await desk.sent() == []


async def test_it_flushes_when_it_is_woken_and_ends_when_it_is_told(desk: Desk) -> None:
    task = asyncio.create_task(desk.flusher.run())
    desk.accept(1)
    desk.flusher.wake()
    await desk.clerk.until(lambda: len(desk.clerk.told) == 1)
    desk.accept(2)
    await desk.clerk.until(lambda: len(desk.clerk.told) == 2)  # nobody woke it: it looks by itself
    desk.accept(3)
    desk.flusher.wake(urgent=True)
    await desk.clerk.until(lambda: len(desk.clerk.told) == 3)
    desk.flusher.finish()
    async with asyncio.timeout(DEADLINE):
        await task
    assert await desk.sent() == [1, 2, 3]


async def test_many_wakes_are_few_flushes(desk: Desk) -> None:
    desk.flusher = Flusher(
        desk.store.hot,
        (await desk.store.hot.engines("alive"))[0].id,
        SystemClock(),
        [desk.clerk],
        desk.noted.append,
        interval=0.2,
    )
    task = asyncio.create_task(desk.flusher.run())
    for position in range(10):
        desk.accept(position)
        desk.flusher.wake()
        await asyncio.sleep(0)
    await desk.clerk.until(lambda: sum(len(f.fresh) for f, _ in desk.clerk.told) == 10)
    assert len(desk.clerk.told) <= 2
    desk.flusher.finish()
    await task
