"""What a killed engine or a killed carrier leaves in doubt: ended by receipts, or sent again by its policy, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.factories import update_skill
from tests.faults.conftest import Spawn, kill
from tests.faults.restart import restarted
from tests.world import World, eventually, let_policies_decide, make_world

from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.service.processes import simulator as spawn_simulator
from todoke.store import schema
from todoke.store.store import Store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS = 200


async def waiting(store: Store) -> list[str]:
    """The reasons of the doubts that wait for their policy."""
    async with store.reading() as connection:
        query = select(schema.doubt.c.reason).where(schema.doubt.c.retry_at.is_not(None))
        return list(await connection.scalars(query))


async def doubts(store: Store) -> int:
    async with store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.doubt))).scalar_one()


async def under_way(world: World, count: int) -> None:
    async def written() -> bool:
        return len(world.entries()) >= count

    await eventually(written, f"{count} are written")


async def over(world: World, run: int) -> None:
    async def ended() -> bool:
        return await world.state(run) not in OPEN

    await eventually(ended, "the run ends", 60)


@pytest.mark.parametrize("receipts", [True, False])
async def test_a_killed_engine(store: Store, spawn: Spawn, ledger: Path, receipts: bool) -> None:
    behaviour = json.dumps({"round_trip": 0.4, "receipts": receipts, "receipt_delay": 1.0})
    carrier = await spawn_simulator("--ledger", str(ledger), "--behaviour", behaviour, "--control-port", "0")
    try:
        world = await make_world(store, carrier.told["smpp_port"], ledger, contacts=CONTACTS, rate=200, window=100)
        await update_skill(store, world.scene, in_doubt_policy="at_least_once")
        child = await spawn()
        run = await world.start()
        await under_way(world, 100)
        await kill(child)
        await spawn()
        if receipts:
            # The carrier delivered what the engine never heard of, and its receipts say which they are.
            await world.ended(run)
            assert await world.judge(run, CONTACTS) == {State.DELIVERED: CONTACTS}
        else:

            async def all_told() -> bool:
                counts = await world.counts(run)
                return counts.total() == CONTACTS and counts[State.IN_DOUBT] > 0

            await eventually(all_told, "every contact is sent or in doubt")
            reasons = await waiting(store)
            assert set(reasons) == {"engine_crashed"}
            assert await world.state(run) in OPEN
            await let_policies_decide(store)
            await over(world, run)
            assert await world.counts(run) == {State.SENT: CONTACTS}
            assert sorted(world.sent().values()) == [1] * (CONTACTS - len(reasons)) + [2] * len(reasons)
        assert await doubts(store) == 0
    finally:
        await carrier.stop()


@pytest.mark.parametrize("policy", ["at_most_once", "at_least_once"])
async def test_a_killed_carrier(store: Store, spawn: Spawn, ledger: Path, policy: str) -> None:
    behaviour = json.dumps({"round_trip": 0.4, "receipts": False})
    carrier = await spawn_simulator("--ledger", str(ledger), "--behaviour", behaviour, "--control-port", "0")
    world = await make_world(store, carrier.told["smpp_port"], ledger, contacts=CONTACTS, rate=200, window=100)
    await update_skill(store, world.scene, in_doubt_policy=policy)
    await spawn()
    run = await world.start()
    await under_way(world, 100)
    await kill(carrier)
    async with restarted(carrier, ledger):

        async def all_told() -> bool:
            return (await world.counts(run)).total() == CONTACTS

        await eventually(all_told, "every contact has an outcome")
        left = (await world.counts(run))[State.IN_DOUBT]
        assert left == await doubts(store) > 0
        if policy == "at_least_once":
            assert await waiting(store) == ["link_dropped"] * left
            await let_policies_decide(store)
        else:
            assert await waiting(store) == []
        await over(world, run)
        # A doubt is what was written: the carrier may have died before it read it.
        sent = world.sent()
        if policy == "at_least_once":
            assert await doubts(store) == 0
            assert len(sent) == CONTACTS  # nobody is forgotten
            assert set(sent.values()) <= {1, 2}
            assert CONTACTS < sum(sent.values()) <= CONTACTS + left
        else:
            assert await doubts(store) == left
            assert set(sent.values()) == {1}
            assert CONTACTS - left <= len(sent) <= CONTACTS
