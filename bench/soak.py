"""Does an engine's memory stay flat? A code sends at a steady pace, each message gets its receipt, and the engine's
resident memory is looked at every half second.

SQLite keeps up to 64 MB of pages for its writer and as much for its reader; a first run at full speed fills them, so
that what grows afterwards is ours. By default for a minute after that; BENCH_SOAK_SECONDS=14400 makes it four hours.
What is compared is the middle value of the second quarter of the time and of the last.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import cpu
from bench.databases import databases
from bench.ground import Code, counted, lay, reach, smsc
from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.run import RunEvent
from todoke.service.processes import engine
from todoke.store.store import migrate, open_store

SECONDS = float(os.environ.get("BENCH_SOAK_SECONDS", "60"))
RATE = float(os.environ.get("BENCH_SOAK_RATE", "3000"))
WARM = 800_000  # messages of the run at full speed
_LOOK = 0.5
_PATIENCE = 300.0
_MEGABYTE = 1024 * 1024


class Measured(NamedTuple):
    """Megabytes, and how many messages went through meanwhile."""

    second_quarter: float
    last_quarter: float
    messages: int


def cases() -> Iterator[dict[str, object]]:
    """On every store there is."""
    for name, url in databases():
        with url() as address, tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measure(address, Path(folder)))
        yield {
            "name": f"soak, {name}: memory after {found.messages:,} messages in {SECONDS:g} s",
            "value": round(found.last_quarter, 1),
            "unit": "MB",
            "reference": round(found.second_quarter, 1),
            "ratio": round(found.last_quarter / found.second_quarter, 3),
        }


async def measure(url: str, folder: Path, seconds: float = SECONDS, rate: float = RATE, warm: int = WARM) -> Measured:
    await migrate(url)
    with smsc(folder, "--inbound-window", "5000") as ports:
        async with await open_store(url) as store:
            codes = [Code(rate), Code(1_000_000)]
            contacts = max(warm, int((seconds + 10) * rate))
            ground = await lay(store, ports["smpp_port"], codes, contacts, receipts=True)
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                full = await store.hot.start_run(ground.run(1))
                await reach(store, warm, "delivered", _PATIENCE)
                await store.hot.control_run(0, full, RunEvent.FORCE_STOP, "warm", SystemClock().now())
                before = await counted(store, "delivered")
                await store.hot.start_run(ground.run())
                begun = time.monotonic()
                seen: list[tuple[float, float]] = []
                while (passed := time.monotonic() - begun) < seconds:
                    seen.append((passed, cpu.resident(child.pid) / _MEGABYTE))
                    await asyncio.sleep(_LOOK)
                done = await counted(store, "delivered") - before
            finally:
                await child.stop()
    quarter = seconds / 4
    second = [size for at, size in seen if quarter <= at < 2 * quarter]
    last = [size for at, size in seen if at >= 3 * quarter]
    return Measured(statistics.median(second), statistics.median(last), done)
