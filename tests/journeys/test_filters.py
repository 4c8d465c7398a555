"""A run with a filter, and one with an order, from the start to the report over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update
from tests.factories import phone_of
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, World, make_world

from todoke.model.clock import HOUR, SystemClock
from todoke.model.event import State
from todoke.model.ids import SELECTED, address
from todoke.providers.simulator import Simulator
from todoke.store import schema
from todoke.store.hot.base import NewRun, Selecting
from todoke.store.store import Store

CONTACTS = 60


@pytest.mark.parametrize(
    ("wanted", "order", "meant"),
    [
        ('FirstName starts with "even"', (), range(0, CONTACTS, 2)),
        (None, ("FirstName desc",), [*range(CONTACTS - 1, 0, -2), *range(CONTACTS - 2, -1, -2)]),
    ],
)
async def test_who_is_wanted_gets_a_text_in_turn(
    store: Store,
    simulator: Simulator,
    engine: EngineContext,
    ledger: Path,
    wanted: str | None,
    order: tuple[str, ...],
    meant: list[int],
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=CONTACTS, rate=200)
    c = schema.contact
    async with store.writing() as connection:
        for position in range(CONTACTS):
            name = f"{'odd' if position % 2 else 'even'} {position:03}"
            await connection.execute(update(c).where(c.c.position == position).values(fields=name))
    async with engine():
        run = await start(world, Selecting(wanted, order, "2026-11-27"))
        await world.ended(run)
    assert await world.judge(run, len(meant)) == {State.DELIVERED: len(meant)}
    # In the order of the ordinals: a message that missed its slot on a busy machine leaves a little later.
    marks = sorted((entry.mark.message_id, entry.destination) for entry in world.entries() if entry.mark is not None)
    assert [address(message).ordinal for message, _ in marks] == [*range(SELECTED, SELECTED + len(meant))]
    assert [int(phone.lstrip("+")) for _, phone in marks] == [phone_of(position) for position in meant]


async def start(world: World, selecting: Selecting) -> int:
    now, scene = SystemClock().now(), world.scene
    ids = (BUCKET, scene.unit, scene.skill, scene.list, scene.code)
    run = NewRun(*ids, "Hello {FirstName}", None, (scene.group,), now, now + HOUR, selecting=selecting)
    return await world.store.hot.start_run(run)
