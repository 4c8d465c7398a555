"""Engines come and go: the accounts are shared out, nothing is lost, doubled or too fast on the way."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.factories import Scene, seed_code, seed_list, seed_provider, seed_skill
from tests.faults.conftest import kill
from tests.world import BUCKET, World, eventually, make_world

from todoke.config import Settings
from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.providers.simulator import audit
from todoke.service.processes import Child, engine
from todoke.service.processes import simulator as spawn_simulator
from todoke.store import schema
from todoke.store.store import Store

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("dialect", ["postgresql"], indirect=True),
]

ACCOUNTS = 4
CONTACTS = 2_000
RATE = 150
LEASE = 2.0


@pytest.fixture
async def simulator(ledger: Path) -> AsyncIterator[Child]:
    accounts = [f"account{i}:secret" for i in range(ACCOUNTS)]
    options = [option for account in accounts for option in ("--account", account)]
    child = await spawn_simulator("--ledger", str(ledger), "--receipt-delay", "0.02", *options)
    yield child
    await child.stop()


class Engines:
    """Engine processes on one database."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._settings = Settings(database=store.url, data_dir=folder, log_level="warning", lease_s=LEASE)
        self.children: list[Child] = []

    async def start(self) -> Child:
        child = await engine(self._settings)
        self.children.append(child)
        return child


@pytest.fixture
async def engines(store: Store, tmp_path: Path) -> AsyncIterator[Engines]:
    some = Engines(store, tmp_path)
    yield some
    for child in some.children:
        if child.process.returncode is None:
            child.process.send_signal(signal.SIGCONT)
        await child.stop()


async def make_accounts(store: Store, port: int, ledger: Path) -> list[World]:
    """One business unit with a code at each of several accounts, and a list for each."""
    first = await make_world(store, port, ledger, contacts=CONTACTS, rate=RATE, system_id="account0")
    worlds = [first]
    unit, group = first.scene.unit, first.scene.group
    for i in range(1, ACCOUNTS):
        settings = {"host": "127.0.0.1", "port": port, "system_id": f"account{i}", "password": "secret", "window": 50}
        provider = await seed_provider(store, name=f"carrier{i}", bucket=BUCKET, settings={**settings, "trace": True})
        code = await seed_code(store, unit, provider, code=f"7234{i}", type="short", rate=RATE)
        skill = await seed_skill(store, unit, code, name=f"skill{i}")
        calling_list = await seed_list(store, unit, n=CONTACTS, name=f"list{i}", bucket=BUCKET)
        worlds.append(World(store, Scene(BUCKET, unit, provider, code, group, skill, calling_list), ledger))
    return worlds


async def owners(store: Store) -> Counter[int]:
    """Process ids of living engines, with how many lanes each has."""
    lane, one = schema.lane.c, schema.engine.c
    query = select(one.pid).join(schema.lane, lane.engine_id == one.id).where(one.state == "alive")
    async with store.reading() as connection:
        return Counter(row[0] for row in await connection.execute(query))


async def shared_by(store: Store, children: Sequence[Child]) -> bool:
    """Whether just these have all lanes, evenly."""
    found = await owners(store)
    counts = [found[child.pid] for child in children]
    return found.total() == ACCOUNTS == sum(counts) and max(counts) - min(counts) <= 1


async def over(worlds: Sequence[World], runs: Sequence[int]) -> bool:
    for world, run in zip(worlds, runs, strict=True):
        if await world.state(run) in OPEN or (await world.counts(run))[State.SENT]:
            return False
    return True


async def test_accounts_are_shared_among_engines_that_come_and_go(
    store: Store, simulator: Child, engines: Engines, ledger: Path
) -> None:
    worlds = await make_accounts(store, simulator.told["smpp_port"], ledger)
    first = await engines.start()
    await eventually(lambda: shared_by(store, [first]), "the first engine has everything")
    runs = [await world.start() for world in worlds]
    second = await engines.start()
    await eventually(lambda: shared_by(store, [first, second]), "two engines share the accounts")
    third, fourth = await asyncio.gather(engines.start(), engines.start())
    everybody = [first, second, third, fourth]
    await eventually(lambda: shared_by(store, everybody), "four engines share the accounts")
    assert not await over(worlds, runs), "the runs were over before the engines had shared them: nothing is shown"
    await kill(second)
    await eventually(lambda: shared_by(store, [first, third, fourth]), "the dead engine's accounts are taken over")
    assert await fourth.stop() == 0
    await eventually(lambda: shared_by(store, [first, third]), "a leaving engine's accounts are taken over")
    await eventually(lambda: over(worlds, runs), "the runs end", 120)
    for world, run in zip(worlds, runs, strict=True):
        counts = await world.judge(run, CONTACTS)
        assert set(counts) <= {State.DELIVERED, State.IN_DOUBT}
    # Hand-overs leave gaps and never the rate of two. (The simulator may read late: a tenth is allowed for that.)
    assert max(audit(ledger).fastest_second.values()) <= RATE * 1.1


async def test_an_engine_that_was_frozen_past_its_lease_finds_its_lanes_gone(
    store: Store, simulator: Child, engines: Engines, ledger: Path
) -> None:
    worlds = await make_accounts(store, simulator.told["smpp_port"], ledger)
    first = await engines.start()
    runs = [await world.start() for world in worlds]

    async def under_way() -> bool:
        return len(worlds[0].entries()) > 100

    await eventually(under_way, "the runs are under way")
    os.kill(first.pid, signal.SIGSTOP)
    second = await engines.start()
    await eventually(lambda: shared_by(store, [second]), "the second engine takes the lanes of the frozen one")
    before = len(worlds[0].entries())

    async def goes_on() -> bool:
        return len(worlds[0].entries()) > before + 100

    await eventually(goes_on, "the second engine sends")
    os.kill(first.pid, signal.SIGCONT)
    await eventually(lambda: shared_by(store, [first, second]), "the first engine is back and has a share")
    await eventually(lambda: over(worlds, runs), "the runs end", 120)
    for world, run in zip(worlds, runs, strict=True):
        counts = await world.judge(run, CONTACTS)
        assert set(counts) <= {State.DELIVERED, State.IN_DOUBT}
    assert max(audit(ledger).fastest_second.values()) <= RATE * 1.1
