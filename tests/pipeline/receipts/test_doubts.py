"""When doubts are looked at, and what must be known before a number alone tells."""

from __future__ import annotations

import pytest
from tests.factories import NOW, phone_of, seed_engine
from tests.pipeline.lanes.doubles import ManualClock, Wire
from tests.store.world import World, make_world

from todoke.model.clock import SECOND
from todoke.model.event import Kind
from todoke.pipeline.receipts.doubts import Doubts
from todoke.store.store import Store

LEASE = 10.0


@pytest.fixture
async def world(store: Store) -> World:
    """A doubt, and a receipt of the same number a second later that echoes nothing."""
    world = await make_world(store)
    await world.flush(events=[world.event(1, Kind.IN_DOUBT)])
    receipt = world.receipt("c1", at=NOW + SECOND, phone=str(phone_of(1)), code="15551230001")
    await world.flush(receipts=[receipt])
    return world


def doubts(world: World, clock: ManualClock) -> Doubts:
    return Doubts(world.hot, {world.scene.provider: Wire(world.scene.provider)}, clock, LEASE)


async def test_a_number_tells_when_all_that_was_on_its_way_has_its_answer(world: World) -> None:
    clock = ManualClock(NOW + SECOND)
    looks = doubts(world, clock)
    clock.pass_(30 + LEASE + 1.9)
    await looks.look()
    assert await world.doubts() == {(1, 1, 0)}
    clock.pass_(0.2)
    await looks.look()  # the next look at orphans is some seconds later
    assert await world.doubts() == {(1, 1, 0)}
    clock.pass_(5)
    await looks.look()
    assert await world.doubts() == set()
    assert await world.tallies() == {("delivered", ""): (1, 1)}


@pytest.mark.parametrize("state", ["gone", "lapsed"])
async def test_a_number_does_not_tell_while_a_dead_engine_is_not_recovered(world: World, state: str) -> None:
    clock = ManualClock(NOW + 60 * SECOND)
    dead = await seed_engine(world.store, now=NOW, lease=10 * SECOND)
    if state == "gone":
        await world.hot.mark_engine(dead, "alive", "gone")
    looks = doubts(world, clock)
    await looks.match()
    assert await world.doubts() == {(1, 1, 0)}
    await world.hot.mark_engine(dead, "alive", "gone")
    await world.hot.mark_engine(dead, "gone", "recovered")
    await looks.match()
    assert await world.doubts() == set()
