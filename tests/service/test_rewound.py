"""A database that was restored from a copy does not send again what it does not know of."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.factories import seed, seed_run
from tests.world import BUCKET, World, eventually, make_world

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.run import RunEvent, RunState
from todoke.pipeline.planner.selecting import Selector
from todoke.providers.simulator import Simulator
from todoke.service.engine import Engine
from todoke.service.rewound import REASON, Marks, pause_everything
from todoke.store import schema
from todoke.store.hot.selecting import Apply, Selecting
from todoke.store.store import Store, migrate, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'todoke.db'}"


def copy(source: Path, target: Path) -> None:
    """A consistent copy, whoever writes meanwhile."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def restore(copied: Path, database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    copy(copied, database)


@asynccontextmanager
async def running(store: Store, folder: Path) -> AsyncIterator[None]:
    one, up = Engine(Settings(database=store.url, data_dir=folder), store), asyncio.Event()
    task = asyncio.create_task(one.run(up.set))
    await up.wait()
    try:
        yield
    finally:
        one.stop()
        await task


async def reason(store: Store, run: int) -> str:
    async with store.reading() as connection:
        t = schema.run_transition.c
        query = select(t.reason).where(t.bucket == BUCKET, t.run_id == run).order_by(t.id.desc()).limit(1)
        return (await connection.execute(query)).scalar_one()


@pytest.mark.parametrize("copied_when", ["before any engine", "while an engine runs"])
async def test_a_restored_copy_starts_paused_and_sends_nothing_by_itself(
    url: str, tmp_path: Path, simulator: Simulator, ledger: Path, copied_when: str
) -> None:
    await migrate(url)
    database, copied = tmp_path / "todoke.db", tmp_path / "copy.db"
    async with await open_store(url) as store:
        world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=60, rate=300)
        run = await world.start()
        if copied_when == "before any engine":
            copy(database, copied)
        async with running(store, tmp_path):
            if copied_when != "before any engine":
                await eventually(lambda: _sent(world, 10), "some are sent")
                copy(database, copied)
            await world.ended(run)
    assert len(world.sent()) == 60
    restore(copied, database)
    async with await open_store(url) as store:
        world.store = store
        async with running(store, tmp_path):
            assert await world.state(run) is RunState.PAUSED
            assert await reason(store, run) == REASON
            assert len(world.entries()) == 60  # nothing went out again
        # A person looked: nothing is to go on. The next start is an ordinary one.
        await store.hot.control_run(BUCKET, run, RunEvent.STOP, "restored", SystemClock().now())
        second = await world.start()
        async with running(store, tmp_path):
            await world.ended(second)
        assert (await world.counts(second))[State.DELIVERED] == 60
    assert all(times == 1 for times in world.sent().values())


async def test_a_run_that_was_paused_for_a_filter_waits_for_a_person_too(url: str) -> None:
    await migrate(url)
    async with await open_store(url) as store:
        scene, clock = await seed(store, n=20), SystemClock()
        run = await seed_run(store, scene, started_at=clock.now(), hours=5)
        wanted = Selecting(None, (), "2026-11-27")
        assert await store.hot.select_anew(scene.bucket, run, wanted, Apply.STOP, clock.now())
        await pause_everything(store, clock, "something")
        selector = Selector(store, clock)
        assert await selector.look() == 1
        await selector.idle()
        (data,) = await store.hot.open_runs([scene.code])
        assert data.state is RunState.PAUSED
        assert [cursor.zone_set for cursor in data.cursors if cursor.next_position <= cursor.last_position] == [0]


async def _sent(world: World, wanted: int) -> bool:
    return len(world.entries()) >= wanted


async def test_what_is_not_behind_is_not_disturbed(
    url: str, tmp_path: Path, simulator: Simulator, ledger: Path
) -> None:
    """Engines one after another, each with a clean end: no run is paused."""
    await migrate(url)
    async with await open_store(url) as store:
        world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=30, rate=300)
        for _ in range(3):
            run = await world.start()
            async with running(store, tmp_path):
                await world.ended(run)
            assert await world.state(run) is RunState.FINISHED


def test_a_torn_mark_counts_as_none(tmp_path: Path) -> None:
    marks = Marks(tmp_path, "here")
    marks.write(3, 5)
    marks.write(2, 9)  # an earlier engine that ended later
    (mark,) = tmp_path.glob("*.mark")
    assert b"3" in mark.read_bytes()
    mark.write_bytes(b'{"eng')
    marks.write(2, 9)
    assert b"9" in mark.read_bytes()
