"""SIGKILL of the engine at any moment: nobody is texted twice, nobody is forgotten, every doubt is one."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from tests.faults.conftest import Spawn, kill
from tests.faults.restart import restarted
from tests.world import World, eventually, make_world

from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.service.processes import Child
from todoke.store.store import Store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

ROUNDS = int(os.environ.get("TODOKE_TEST_ROUNDS", "4"))
CONTACTS = 1_500


async def _over(world: World, run: int) -> bool:
    return await world.state(run) not in OPEN and not (await world.counts(run))[State.SENT]


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_killed_engine_loses_and_doubles_nothing(
    store: Store, simulator: Child, spawn: Spawn, ledger: Path, seed: int
) -> None:
    rng = random.Random(seed)
    world = await make_world(
        store, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=rng.choice([600, 2_000, 50_000])
    )
    run = await world.start(rng.choice(["Hello {FirstName}", "Hello {FirstName}. " + "A long text. " * 20]))
    kills = 0
    child = await spawn()
    while kills < 3 and not await _over(world, run):
        await asyncio.sleep(rng.uniform(0.0, 0.5))
        await kill(child)
        kills += 1
        child = await spawn()
    assert kills

    async def settled() -> bool:
        counts = await world.counts(run)
        return await world.state(run) not in OPEN and not counts[State.SENT]

    await eventually(settled, "the run ends", 90)
    counts = await world.judge(run, CONTACTS)
    assert set(counts) <= {State.DELIVERED, State.IN_DOUBT}
    # A doubt is a segment that may have been written: what is not in doubt was certainly taken by the simulator.
    sent = {message_id for message_id, _ in world.sent()}
    states = await world.states(run)
    delivered = sum(1 for folded in states.values() if folded.state is State.DELIVERED)
    assert delivered <= len(sent) <= CONTACTS


async def test_a_killed_simulator_leaves_doubts_and_no_duplicates(
    store: Store, simulator: Child, spawn: Spawn, ledger: Path
) -> None:
    """The link drops with submissions outstanding: in doubt, never sent again by us."""
    world = await make_world(store, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=1_500)
    run = await world.start()
    await spawn()

    async def under_way() -> bool:
        return len(world.entries()) > 100

    await eventually(under_way, "the run is under way")
    await kill(simulator)
    async with restarted(simulator, ledger):

        async def ended() -> bool:
            return await world.state(run) not in OPEN

        await eventually(ended, "the run ends", 90)
        counts = await world.judge(run, CONTACTS)
    assert set(counts) <= {State.DELIVERED, State.IN_DOUBT, State.SENT}
