"""Reserving with a frequency cap beside reserving without one, and beside looking for suppressions: a flush for 500
messages to numbers that have had one text each, on each database.

Figures are medians, in messages a second, in turns with the reference's.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator

from tests.factories import phone_of, seed, seed_engine, seed_run

from bench.databases import databases
from todoke.model.cap import Cap
from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.model.ids import message_id
from todoke.store.hot.base import Flush, Guard, Reserve, Scrub
from todoke.store.store import open_store

BATCH = 500
FLUSHES = int(os.environ.get("BENCH_CAPS_FLUSHES", "40"))
NUMBERS = 50_000


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    for kind, database in databases():
        with database() as url:
            speeds = asyncio.run(_measure(url))
        bare = statistics.median(speeds.pop("bare"))
        for name, measured in speeds.items():
            value = statistics.median(measured)
            yield {
                "name": f"caps.{kind.lower()}.{name}",
                "value": round(value, 1),
                "unit": "messages/s",
                "reference": round(bare, 1),
                "ratio": round(value / bare, 3),
            }


async def _measure(url: str) -> dict[str, list[float]]:
    async with await open_store(url, create=True) as store:
        scene = await seed(store, n=10)
        run = await seed_run(store, scene)
        now = SystemClock().now()
        engine = await seed_engine(store, now=now)
        (lane,) = await store.hot.take_lanes(engine, now, 0)
        plain = Guard(scene.bucket, scene.unit, scene.skill, scene.list, scene.code)
        guards = {
            "bare": None,
            "capped": plain._replace(unit_cap=Cap(100, 24 * HOUR)),
            "suppressing": plain._replace(phones=True),
        }
        speeds: dict[str, list[float]] = {name: [] for name in guards}
        seq = ordinal = 0
        for turn in range(FLUSHES):
            for name, guard in guards.items():
                seq, ordinal, now = seq + 1, ordinal + BATCH, now + SECOND // 50
                phones = [phone_of((turn * BATCH + n) * 7 % NUMBERS) for n in range(BATCH)]
                ids = [message_id(scene.bucket, run, ordinal + n) for n in range(BATCH)]
                guarded = list(zip(ids, phones, strict=True)) if guard is not None else ()
                scrub = Scrub(scene.bucket, (scene.group,), phones, guard, guarded)
                reserve = Reserve(scene.bucket, scene.code, lane.epoch, now + SECOND, scrubs=[scrub])
                started = time.perf_counter()
                await store.hot.flush(Flush(engine, seq, now, reserves=[reserve]))
                if turn >= FLUSHES // 10:  # the first ones prepare statements
                    speeds[name].append(BATCH / (time.perf_counter() - started))
        return speeds
