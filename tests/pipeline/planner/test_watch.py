"""Runs that are over end by themselves."""

from __future__ import annotations

import asyncio

import pytest
from tests.factories import NOW, seed, seed_run
from tests.pipeline.lanes.doubles import ManualClock

from todoke.model.clock import HOUR
from todoke.pipeline.planner.watch import watch_runs
from todoke.store.hot.base import StoreUnavailable
from todoke.store.store import Store


async def test_an_expired_run_is_counted_out_and_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await seed(store, n=10)
    run = await seed_run(store, scene, hours=1)
    clock = ManualClock(NOW)
    settled, looked = store.hot.settle_runs, 0

    async def settle(now: int) -> object:
        nonlocal looked
        looked += 1
        if looked == 2:
            raise StoreUnavailable  # it looks again
        return await settled(now)

    monkeypatch.setattr(store.hot, "settle_runs", settle)
    task = asyncio.create_task(watch_runs(store.hot, clock, every=0.005))
    async with asyncio.timeout(10):
        while looked < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        assert [open_run.id for open_run in await store.hot.open_runs([scene.code])] == [run]
        clock.moment = NOW + HOUR
        while await store.hot.open_runs([scene.code]):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
