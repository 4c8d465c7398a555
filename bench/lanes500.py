"""Five hundred slow codes at once: does each get its pace, and what does it cost?

Each code has 1 to 5 segments a second and a run of its own. The share is counted from the gaps between the first and
the last segment of a code that the simulator got in the span: a span of 20 s holds 19 or 20 slots of a code of one a
second, and which of the two says nothing about the engine. One slot that is missed counts a whole slot.
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
from bench.ground import Code, Ground, heard, lay, smsc
from todoke.config import Settings
from todoke.pipeline.lanes.pace import SHARE
from todoke.service.processes import engine
from todoke.store.store import migrate, open_store

CODES = int(os.environ.get("BENCH_LANES", "500"))
SPAN = float(os.environ.get("BENCH_LANES_SECONDS", "20"))
_WARM = 6.0  # until every lane has its first slots


class Measured(NamedTuple):
    """Shares of the paced rate, and cores taken."""

    all_lanes: float
    middle: float
    worst: float
    engine: float
    database: float


def cases() -> Iterator[dict[str, object]]:
    """One account and ten, on every store there is."""
    for accounts in (1, 10):
        for name, url in databases():
            with url() as address, tempfile.TemporaryDirectory() as folder:
                found = asyncio.run(measure(address, Path(folder), accounts))
            where = f"{CODES} lanes, {'one account' if accounts == 1 else f'{accounts} accounts'}, {name}"
            for what, value, reference in (
                ("pace reached by all", found.all_lanes, 0.98),
                ("pace reached by the middle lane", found.middle, 0.98),
                ("pace reached by the slowest lane", found.worst, 0.98),
                ("engine", found.engine, 0.2),
                ("database", found.database, None),
            ):
                unit = "cores" if what in ("engine", "database") else "of the pace"
                yield {
                    "name": f"{where}: {what}",
                    "value": round(value, 4),
                    "unit": unit,
                    "reference": reference,
                    "ratio": round(value / reference, 3) if reference else None,
                }


async def measure(url: str, folder: Path, accounts: int, codes: int = CODES, span: float = SPAN) -> Measured:
    await migrate(url)
    rates = [Code(1 + number % 5, number % accounts) for number in range(codes)]
    with smsc(folder, "--no-receipts", accounts=accounts) as ports:
        async with await open_store(url) as store:
            ground = await lay(store, ports["smpp_port"], rates, int((span + 60) * 5))
            for code in range(codes):
                await store.hot.start_run(ground.run(code))
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                await asyncio.sleep(_WARM)
                spent = cpu.Spent(child.pid, await cpu.servers(store))
                begun = time.monotonic_ns() // 1000
                await asyncio.sleep(span)
                took = (time.monotonic_ns() // 1000 - begun) / 1e6
                used = spent.so_far()
                ended = time.monotonic_ns() // 1000
            finally:
                await child.stop()
    shares, whole = _shares(folder, ground, rates, begun, ended)
    return Measured(whole, statistics.median(shares), min(shares), used[0] / took, used[1] / took)


def _shares(folder: Path, ground: Ground, rates: list[Code], begun: int, ended: int) -> tuple[list[float], float]:
    """Of its pace, by lane; and all segments over all slots of the same gaps."""
    times = heard(folder)
    shares: list[float] = []
    sent = slots = 0.0
    for name, code in zip(ground.names, rates, strict=True):
        within = [at for at in times.get(name, ()) if begun <= at <= ended]
        if len(within) < 2:
            shares.append(0.0)
            slots += code.rate * SHARE * (ended - begun) / 1e6
            continue
        due = (within[-1] - within[0]) / 1e6 * code.rate * SHARE
        shares.append((len(within) - 1) / due)
        sent += len(within) - 1
        slots += due
    return shares, sent / slots
