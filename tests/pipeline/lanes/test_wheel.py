"""The wheel: one timer, ticks, the sooner of two moments."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise

from todoke.model.clock import SystemClock
from todoke.pipeline.lanes.wheel import TICK, Wheel


class Woken:
    """Writes down who was woken when."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.calls: list[tuple[int, list[int]]] = []
        self.changed = asyncio.Event()
        self.wheel = Wheel(self.clock, self.wake)

    def wake(self, keys: Iterable[int]) -> None:
        self.calls.append((self.clock.now(), list(keys)))
        self.changed.set()

    async def until(self, count: int) -> list[int]:
        async with asyncio.timeout(10):
            while len(keys := [key for _, keys in self.calls for key in keys]) < count:
                await self.changed.wait()
                self.changed.clear()
        return keys


async def test_nobody_is_woken_before_its_moment_and_all_in_order() -> None:
    woken = Woken()
    begun = woken.clock.now()
    moments = {1: begun + 60_000, 2: begun + 20_000, 3: begun + 40_000, 4: begun - 5}
    for key, moment in moments.items():
        woken.wheel.at(key, moment)
    assert await woken.until(4) == [4, 2, 3, 1]
    assert all(at >= moments[key] for at, keys in woken.calls for key in keys)


async def test_who_shares_a_tick_is_woken_together() -> None:
    woken = Woken()
    tick = (woken.clock.now() // TICK + 4) * TICK
    for key in range(10):
        woken.wheel.at(key, tick - key)
    await woken.until(10)
    assert [keys for _, keys in woken.calls] == [list(range(10))]


async def test_the_sooner_of_two_moments_counts_and_once() -> None:
    woken = Woken()
    now = woken.clock.now()
    woken.wheel.at(1, now + 10_000_000)
    woken.wheel.at(1, now + 30_000)
    woken.wheel.at(1, now + 50_000)
    woken.wheel.at(2, now + 70_000)
    assert await woken.until(2) == [1, 2]


async def test_who_is_woken_may_ask_again() -> None:
    woken = Woken()
    told = woken.wake

    def again(keys: Iterable[int]) -> None:
        keys = list(keys)
        told(keys)
        if len(woken.calls) < 5:
            woken.wheel.at(keys[0], woken.clock.now() + TICK)

    woken.wheel = Wheel(woken.clock, again)
    woken.wheel.at(7, woken.clock.now())
    await woken.until(5)
    assert all(later > sooner for (sooner, _), (later, _) in pairwise(woken.calls))


async def test_cleared_it_wakes_nobody() -> None:
    woken = Woken()
    now = woken.clock.now()
    woken.wheel.at(1, now)
    woken.wheel.clear()
    woken.wheel.at(2, now + 3 * TICK)
    assert await woken.until(1) == [2]
