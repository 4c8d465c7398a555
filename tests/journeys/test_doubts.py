"""What is in doubt comes to its end: by receipts that echo a reference, by number and time, by the skill's policy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tests.factories import seed_list, update_skill
from tests.world import BUCKET, World, eventually, make_world

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.run import OPEN, RunState
from todoke.providers.simulator import Behaviour, Simulator
from todoke.service.engine import Engine
from todoke.store import schema
from todoke.store.hot.base import Choice
from todoke.store.store import Store


@asynccontextmanager
async def running(store: Store, folder: Path) -> AsyncIterator[None]:
    """An engine with a short lease: what may be matched by number waits as long."""
    one = Engine(Settings(database=store.url, data_dir=folder, lease_s=3), store)
    task = asyncio.create_task(one.run(lambda: None))
    try:
        yield
    finally:
        one.stop()
        await task


async def doubts(store: Store) -> int:
    async with store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.doubt))).scalar_one()


async def in_doubt(world: World, run: int, count: int) -> None:
    async def so_many() -> bool:
        return (await world.counts(run)) == {State.IN_DOUBT: count}

    await eventually(so_many, f"{count} messages of run {run} are in doubt")


async def over(world: World, *runs: int) -> None:
    for run in runs:
        await world.ended(run)


def behave(simulator: Simulator, behaviour: Behaviour) -> None:
    assert simulator.smsc is not None
    simulator.smsc.behave(behaviour)


@pytest.mark.parametrize("delay", [0.02, 2.5], ids=["before the time-out", "after it"])
async def test_receipts_that_echo_their_reference_leave_no_doubt(
    store: Store, simulator: Simulator, ledger: Path, tmp_path: Path, delay: float
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=60, response_timeout=1.0)
    behave(simulator, Behaviour(lose_response_ratio=0.7, receipt_delay=delay))
    async with running(store, tmp_path):
        run = await world.start("Hello {FirstName}. " + "A text of several segments. " * 10)

        async def all_delivered() -> bool:
            return await world.counts(run) == {State.DELIVERED: 60}

        await eventually(all_delivered, "every receipt found its segment")
    assert await world.judge(run, 60) == {State.DELIVERED: 60}
    assert sum(entry.fate == 1 for entry in world.entries()) > 60  # so many responses were lost
    assert await doubts(store) == 0


async def test_without_an_echo_a_number_with_one_doubt_is_known_by_it_and_one_with_two_is_not(
    store: Store, simulator: Simulator, ledger: Path, tmp_path: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=20, response_timeout=1.0)
    short = await seed_list(store, world.scene.unit, n=1, name="short", bucket=BUCKET)  # the first number, once more
    again = World(store, world.scene._replace(list=short), ledger)
    behave(simulator, Behaviour(lose_response_ratio=1.0, echo_reference=False, receipt_delay=0.02))
    async with running(store, tmp_path):
        run, other = await world.start(), await again.start()

        async def all_but_one() -> bool:
            return await world.counts(run) == {State.DELIVERED: 19, State.IN_DOUBT: 1}

        await eventually(all_but_one, "the numbers with one doubt are known", 60)
        await in_doubt(again, other, 1)
    await world.judge(run, 20)
    await again.judge(other, 1)
    assert (await world.states(run))[0].state is State.IN_DOUBT
    assert await world.state(run) is RunState.FINISHED  # it did not wait for what nobody decides


async def test_at_least_once_sends_again_when_its_time_has_come(
    store: Store, simulator: Simulator, ledger: Path, tmp_path: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=30, response_timeout=1.0)
    await update_skill(store, world.scene, in_doubt_policy="at_least_once")
    behave(simulator, Behaviour(lose_response_ratio=1.0, receipts=False))
    async with running(store, tmp_path):
        run = await world.start()
        await in_doubt(world, run, 30)
        assert await world.state(run) in OPEN  # it waits for its policy
        assert len(world.entries()) == 30
        behave(simulator, Behaviour(receipt_delay=0.02))
        async with store.writing() as connection:
            await connection.execute(update(schema.doubt).values(retry_at=SystemClock().now()))
        await over(world, run)
    assert await world.counts(run) == {State.DELIVERED: 30}
    assert set(world.sent().values()) == {2}
    assert await doubts(store) == 0


async def test_a_person_sends_again_what_a_finished_run_left_in_doubt(
    store: Store, simulator: Simulator, ledger: Path, tmp_path: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=5, response_timeout=1.0)
    behave(simulator, Behaviour(lose_response_ratio=1.0, receipts=False))
    async with running(store, tmp_path):
        run = await world.start()
        await in_doubt(world, run, 5)

        async def finished() -> bool:
            return await world.state(run) is RunState.FINISHED

        await eventually(finished, "the run is finished")
        behave(simulator, Behaviour(receipt_delay=0.02))
        ids = [message_id for message_id, _ in world.sent()]
        now = SystemClock().now()
        assert await store.hot.resolve_doubts(BUCKET, run, ids[:2], Choice.RESEND, "person", now) == 2
        assert await store.hot.resolve_doubts(BUCKET, run, ids[2:3], Choice.DELIVERED, "person", now) == 1

        async def sent_again() -> bool:
            return await world.counts(run) == {State.DELIVERED: 3, State.IN_DOUBT: 2}

        await eventually(sent_again, "the two are delivered")
        await eventually(finished, "the run is finished again")
    assert sorted(world.sent().values()) == [1, 1, 1, 2, 2]
