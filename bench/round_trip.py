"""A carrier that takes 100 ms to answer must not slow a code down as long as the window has room: a code of 150 a
second has 15 segments on the way then.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.databases import databases
from bench.ground import Code, heard, lay, smsc
from todoke.config import Settings
from todoke.pipeline.lanes.pace import SHARE
from todoke.service.processes import engine
from todoke.store.store import migrate, open_store

RATE = 150.0
ROUND_TRIP = 0.1
WINDOWS = (20, 50)
SPAN = float(os.environ.get("BENCH_ROUND_TRIP_SECONDS", "10"))
_WARM = 3.0


def cases(runs: int = 3) -> Iterator[dict[str, object]]:
    """Two windows on every store there is; medians of `runs`."""
    for name, url in databases():
        for window in WINDOWS:
            shares: list[float] = []
            for _ in range(runs):
                with url() as address, tempfile.TemporaryDirectory() as folder:
                    shares.append(asyncio.run(measure(address, Path(folder), window)))
            value = statistics.median(shares)
            yield {
                "name": f"round trip of {ROUND_TRIP * 1000:.0f} ms, {RATE:.0f}/s, window {window}, {name}",
                "value": round(value, 4),
                "unit": "of the pace",
                "reference": 0.98,
                "ratio": round(value / 0.98, 3),
            }


async def measure(url: str, folder: Path, window: int, span: float = SPAN) -> float:
    """The share of its pace that the code reached, by the simulator's ledger."""
    await migrate(url)
    behaviour = json.dumps({"round_trip": ROUND_TRIP})
    with smsc(folder, "--no-receipts", "--behaviour", behaviour, fast=False) as ports:
        async with await open_store(url) as store:
            contacts = int((span + _WARM + 10) * RATE)
            ground = await lay(store, ports["smpp_port"], [Code(RATE)], contacts, window=window)
            await store.hot.start_run(ground.run())
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                await asyncio.sleep(_WARM)
                begun = time.monotonic_ns() // 1000
                await asyncio.sleep(span)
                ended = time.monotonic_ns() // 1000
            finally:
                await child.stop()
    within = [at for at in heard(folder)[ground.names[0]] if begun <= at <= ended]
    return (len(within) - 1) / ((within[-1] - within[0]) / 1e6 * RATE * SHARE)
