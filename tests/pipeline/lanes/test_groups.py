"""The bind groups of an engine: opened when they are taken, left in order, closed at once when they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import pytest
from tests.factories import Scene, seed, seed_engine
from tests.pipeline.lanes.doubles import ManualClock
from tests.world import eventually

from todoke.model.clock import HOUR
from todoke.pipeline.lanes.groups import Groups
from todoke.store.hot.base import EngineLost, Lane
from todoke.store.store import Store


class Ports:
    """The links and the lanes of one engine, written down. Closing waits for `answered`."""

    def __init__(self) -> None:
        self.wanted: set[int] = set()
        self.closed: list[tuple[int, float]] = []
        self.lanes: set[int] = set()
        self.declared_anew: set[int] = set()
        self.broken: set[int] = set()
        self.answered = asyncio.Event()

    async def keep(self, wanted: Collection[int], spare: Collection[int]) -> None:
        self.wanted = {*wanted, *spare}

    def faulty(self) -> Collection[int]:
        return self.broken & self.wanted

    async def close(self, provider_id: int, seconds: float) -> None:
        await self.answered.wait()
        self.closed.append((provider_id, seconds))
        self.declared_anew.discard(provider_id)

    def changed(self) -> Collection[int]:
        return self.declared_anew

    def have(self, rows: Sequence[Lane]) -> None:
        self.lanes = {row.provider_id for row in rows}


class Two:
    """Two engines on one store."""

    def __init__(self, store: Store, clock: ManualClock, ids: tuple[int, int]) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.ports = (Ports(), Ports())
        self.groups = tuple(
            Groups(store.hot, engine, clock, ports, ports) for engine, ports in zip(ids, self.ports, strict=True)
        )


@pytest.fixture
async def scenes(store: Store) -> list[Scene]:
    return [await seed(store, name=f"{i}") for i in range(2)]


@pytest.fixture
async def two(store: Store, scenes: list[Scene]) -> Two:
    clock = ManualClock()
    first = await seed_engine(store, now=clock.now(), lease=HOUR)
    return Two(store, clock, (first, 0))


async def second_comes(two: Two) -> Groups:
    engine = await seed_engine(two.store, now=two.clock.now(), lease=HOUR)
    two.groups = (two.groups[0], Groups(two.store.hot, engine, two.clock, two.ports[1], two.ports[1]))
    return two.groups[1]


async def test_alone_it_has_everything(two: Two, scenes: list[Scene]) -> None:
    await two.groups[0].look()
    ports = two.ports[0]
    assert ports.lanes == ports.wanted == {scene.provider for scene in scenes}


async def test_what_another_should_have_is_left_after_its_answers_came(two: Two) -> None:
    first, ports = two.groups[0], two.ports[0]
    await first.look()
    second = await second_comes(two)
    await first.look()
    (left,) = ports.wanted - ports.lanes  # it hands over nothing more, and its links are still open
    await second.look()
    assert two.ports[1].lanes == set()  # nobody else may have it before that
    ports.answered.set()

    async def taken() -> bool:
        await second.look()
        return two.ports[1].lanes == {left}

    await eventually(taken, "the second engine has it")
    assert ports.closed == [(left, 10.0)]
    await first.look()
    assert ports.wanted == ports.lanes
    assert left not in ports.lanes


async def test_one_that_is_declared_anew_is_closed_and_opened(two: Two, scenes: list[Scene]) -> None:
    first, ports = two.groups[0], two.ports[0]
    await first.look()
    ports.declared_anew.add(scenes[0].provider)
    await first.look()
    assert ports.lanes == {scenes[1].provider}
    ports.answered.set()

    async def back() -> bool:
        await first.look()
        return ports.lanes == {scene.provider for scene in scenes}

    await eventually(back, "it is ours again")
    assert ports.closed == [(scenes[0].provider, 10.0)]


async def test_what_others_took_is_not_wanted_any_more(two: Two) -> None:
    first = two.groups[0]
    await first.look()
    second = await second_comes(two)
    two.clock.pass_(2 * 3600)  # its lease lapsed while it was frozen
    await two.store.hot.renew_engine(second._engine_id, two.clock.now() + HOUR)  # pyright: ignore[reportPrivateUsage]
    await second.look()
    assert len(two.ports[1].lanes) == 2
    await first.look()
    assert two.ports[0].lanes == two.ports[0].wanted == set()
    assert two.ports[0].closed == []


async def test_stopping_does_not_wait_for_what_is_being_left(two: Two) -> None:
    first = two.groups[0]
    await first.look()
    await second_comes(two)
    await first.look()
    await first.stop()
    assert two.ports[0].closed == []


async def test_an_engine_that_was_declared_dead_hears_it(two: Two) -> None:
    await two.groups[0].look()
    await two.store.hot.mark_engine(two.ids[0], "alive", "gone")
    with pytest.raises(EngineLost):
        await two.groups[0].look()


async def test_what_cannot_be_opened_here_is_left_to_another(two: Two, scenes: list[Scene]) -> None:
    first, ports = two.groups[0], two.ports[0]
    ports.broken.add(scenes[0].provider)
    await first.look()
    assert ports.lanes == {scenes[1].provider}
    second = await second_comes(two)
    await second.look()
    assert two.ports[1].lanes == {scenes[0].provider}
    await first.look()
    assert ports.lanes == {scenes[1].provider}


async def test_what_nobody_takes_is_taken_by_anybody_in_the_end(two: Two, scenes: list[Scene]) -> None:
    """The engine that should take it lives and does not."""
    first, ports = two.groups[0], two.ports[0]
    await second_comes(two)
    for _ in range(3):
        await first.look()
    assert len(ports.lanes) == 1
    two.clock.pass_(6)
    await first.look()
    assert ports.lanes == {scene.provider for scene in scenes}


async def test_after_its_end_it_takes_nothing(two: Two) -> None:
    await two.groups[0].stop()
    await two.groups[0].look()
    assert two.ports[0].lanes == set()
