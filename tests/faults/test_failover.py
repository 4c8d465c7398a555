"""A primary dies and its standby takes its place. With a synchronous standby nobody is texted twice or forgotten; with
an asynchronous one that lagged people would be, and every run is paused instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.faults.cluster import Cluster, cluster
from tests.faults.conftest import kill
from tests.world import BUCKET, World, eventually, make_world

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.run import OPEN, RunEvent, RunState
from todoke.service.processes import Child, engine
from todoke.service.rewound import REASON
from todoke.store import schema
from todoke.store.hot.base import StoreUnavailable
from todoke.store.store import Store, migrate, open_store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS = 600
RATE = 400
ROUNDS = int(os.environ.get("TODOKE_TEST_ROUNDS", "4")) // 4


@pytest.fixture
async def synchronous() -> AsyncIterator[Cluster]:
    async with cluster(synchronous=True) as servers:
        yield servers


@pytest.fixture
async def asynchronous() -> AsyncIterator[Cluster]:
    async with cluster(synchronous=False) as servers:
        yield servers


class Engines:
    """Engine processes over one data folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self._settings = Settings(
            database=url, data_dir=folder, log_level="warning", lease_s=3, accept_async_replication=True
        )
        self.children: list[Child] = []

    async def start(self) -> Child:
        child = await engine(self._settings)
        self.children.append(child)
        return child


@pytest.fixture
async def engines(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engines]:
    name = next(name for name in ("synchronous", "asynchronous") if name in request.fixturenames)
    servers: Cluster = request.getfixturevalue(name)
    await migrate(servers.url)
    started = Engines(servers.url, tmp_path)
    yield started
    for child in started.children:
        await child.stop()


@pytest.fixture
async def standing(engines: Engines, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The test's own look at the database, through whichever server is the primary."""
    name = next(name for name in ("synchronous", "asynchronous") if name in request.fixturenames)
    async with await open_store(request.getfixturevalue(name).url) as opened:
        yield opened


async def so_many(world: World, wanted: int) -> None:
    async def there() -> bool:
        return len(world.entries()) >= wanted

    await eventually(there, f"{wanted} are sent")


async def silent(world: World) -> int:
    """How many were sent, once no more are."""
    known, calm = -1, 0
    while calm < 5:
        now = len(world.entries())
        known, calm = now, calm + 1 if now == known else 0
        await asyncio.sleep(0.1)
    return known


async def at_its_end(world: World, run: int) -> None:
    """Wait until the run has ended and every receipt is in, at whichever server has it."""

    async def ended() -> bool:
        with contextlib.suppress(StoreUnavailable):
            return await world.state(run) not in OPEN and not (await world.counts(run))[State.SENT]
        return False

    await eventually(ended, "the run ends at the new primary", 60)


async def reason(store: Store, run: int) -> str:
    async with store.reading() as connection:
        t = schema.run_transition.c
        query = select(t.reason).where(t.bucket == BUCKET, t.run_id == run).order_by(t.id.desc()).limit(1)
        return (await connection.execute(query)).scalar_one()


async def test_a_promoted_synchronous_standby_loses_and_doubles_nothing(
    synchronous: Cluster, engines: Engines, standing: Store, simulator: Child, ledger: Path
) -> None:
    """The link between the two is cut and commits hang; those who wait are told to wait no longer; the primary dies."""
    world = await make_world(standing, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=RATE)
    run = await world.start()
    child = await engines.start()
    await so_many(world, CONTACTS // 4)
    await synchronous.cut()
    cancelled = 0

    async def cancel() -> bool:
        nonlocal cancelled
        for pid in await synchronous.primary.waiting():
            cancelled += await synchronous.primary.value("SELECT pg_cancel_backend($1)::int", pid)
        return cancelled >= 8

    await eventually(cancel, "sessions wait for the standby and are told not to")
    sent = await silent(world)
    assert sent < CONTACTS
    await synchronous.fail_over()
    await at_its_end(world, run)
    assert child.process.returncode is None  # the engine lived through all of it
    assert await world.judge(run, CONTACTS) == {State.DELIVERED: CONTACTS}


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_primary_that_dies_at_any_moment(
    synchronous: Cluster, engines: Engines, standing: Store, simulator: Child, ledger: Path, seed: int
) -> None:
    """In full flow, now and then with the engine: its journal and the new primary tell what was sent."""
    rng = random.Random(seed)
    rate = rng.choice([RATE, 2 * RATE])
    world = await make_world(standing, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=rate)
    run = await world.start(rng.choice(["Hello {FirstName}", "Hello {FirstName}. " + "A long text. " * 20]))
    child = await engines.start()
    await so_many(world, rng.randrange(CONTACTS // 2))
    engine_dies = bool(seed % 2)
    if engine_dies:
        await asyncio.gather(synchronous.primary.kill(), kill(child))
        await synchronous.standby.promote()
        await engines.start()
    else:
        await synchronous.fail_over()
    await at_its_end(world, run)
    counts = await world.judge(run, CONTACTS)
    assert set(counts) <= ({State.DELIVERED, State.IN_DOUBT} if engine_dies else {State.DELIVERED})


@pytest.mark.parametrize("engine_dies", [True, False], ids=["the engine dies too", "the engine lives"])
async def test_a_promoted_standby_that_lagged_starts_with_its_runs_paused(
    asynchronous: Cluster, engines: Engines, standing: Store, simulator: Child, ledger: Path, engine_dies: bool
) -> None:
    """And where the guard is overruled people are texted twice: the books of this test can tell."""
    world = await make_world(standing, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=RATE)
    run = await world.start()
    child = await engines.start()
    await so_many(world, CONTACTS // 4)
    await asynchronous.cut()
    await so_many(world, CONTACTS * 3 // 4)
    if engine_dies:
        await kill(child)
    await asynchronous.fail_over()
    if engine_dies:
        await engines.start()
    else:
        assert await asyncio.wait_for(child.process.wait(), 30) == 1

    async def paused() -> bool:
        with contextlib.suppress(StoreUnavailable):
            return await world.state(run) is RunState.PAUSED
        return False

    await eventually(paused, "the run is paused")
    assert await reason(standing, run) == REASON
    if not engine_dies:
        await engines.start()
        assert await world.state(run) is RunState.PAUSED
    await silent(world)
    assert not [key for key, times in world.sent().items() if times > 1]

    await standing.hot.control_run(BUCKET, run, RunEvent.RESUME, "whatever it costs", SystemClock().now())

    async def ended() -> bool:
        return await world.state(run) not in OPEN

    await eventually(ended, "the run ends", 60)
    doubled = sum(times > 1 for times in world.sent().values())
    assert doubled > CONTACTS // 30, f"only {doubled} doubled"
    with pytest.raises(AssertionError, match="sent twice"):
        await world.judge(run, CONTACTS)


async def test_an_engine_with_nothing_to_send_notices_too(
    asynchronous: Cluster, engines: Engines, standing: Store, simulator: Child, ledger: Path
) -> None:
    """The run is on a provider that it cannot use: another engine would send it. All it does is renew its lease, and
    look every few seconds at receipts that wait.
    """
    port = simulator.told["smpp_port"]
    world = await make_world(standing, port, ledger, contacts=20, password="env:NOWHERE_TO_BE_FOUND")
    run = await world.start()
    child = await engines.start()
    await asynchronous.caught_up()
    await asynchronous.cut()
    (before,) = await standing.hot.engines("alive")

    async def renewed() -> bool:
        (engine,) = await standing.hot.engines("alive")
        return engine.lease_until > before.lease_until

    await eventually(renewed, "the lease is renewed")
    (engine,) = await standing.hot.engines("alive")
    assert engine.flush_seq <= before.flush_seq + 1
    await asynchronous.fail_over()
    assert await asyncio.wait_for(child.process.wait(), 30) == 1
    assert await world.state(run) is RunState.PAUSED
    assert await reason(standing, run) == REASON
    assert not world.entries()
