"""What a message costs: CPU of the engine, of PostgreSQL's backends and of the simulator, in microseconds a message.

The same scene as `end_to_end`, but it counts CPU time instead of seconds, so that it can be compared on a machine that
does other things too: in alternating runs of two versions, medians of several. SQLite works inside the engine: its
share is in the engine's.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from bench import cpu, end_to_end
from bench.blaster import simulator
from bench.databases import databases
from todoke.config import Settings
from todoke.service.processes import engine
from todoke.store.store import Store, migrate, open_store


def cases(count: int | None = None, runs: int = 3) -> Iterator[dict[str, object]]:
    """With and without receipts, on every store there is, one figure a process."""
    messages = count or int(os.environ.get("BENCH_MESSAGES", "150000"))
    for receipts in (False, True):
        for name, url in databases():
            costs: dict[str, list[float]] = {}
            for _ in range(runs):
                with url() as address, tempfile.TemporaryDirectory() as folder:
                    for process, cost in asyncio.run(measure(address, Path(folder), messages, receipts)).items():
                        costs.setdefault(process, []).append(cost)
            for process, measured in costs.items():
                yield {
                    "name": f"cost with{'' if receipts else 'out'} receipts, {name}: {process}",
                    "value": round(statistics.median(measured), 2),
                    "unit": "µs of CPU a message",
                    "reference": None,
                    "ratio": None,
                }


async def measure(url: str, folder: Path, count: int, receipts: bool) -> dict[str, float]:
    """Microseconds of CPU a message of one run over a list of `count` contacts, by process."""
    await migrate(url)
    with simulator(*end_to_end.arguments(folder, receipts)) as ports:
        async with await open_store(url) as store:
            run = await end_to_end.scene(store, ports["smpp_port"], count, receipts)
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                before = {"engine": cpu.seconds([child.pid]), "simulator": cpu.seconds([ports["pid"]])}
                backends = {pid: cpu.seconds([pid]) for pid in await _backends(store)}
                await store.hot.start_run(run)
                await end_to_end.until(store, count, "delivered" if receipts else "sent", time.monotonic())
                spent = {"engine": cpu.seconds([child.pid]), "simulator": cpu.seconds([ports["pid"]])}
                cost = {name: (spent[name] - before[name]) / count * 1e6 for name in spent}
                if store.dialect == "postgresql":
                    database = sum(cpu.seconds([pid]) - backends.get(pid, 0.0) for pid in await _backends(store))
                    cost["database"] = database / count * 1e6
                return cost
            finally:
                await child.stop()


async def _backends(store: Store) -> list[int]:
    """The processes of the server on this machine that work for this database."""
    if store.dialect != "postgresql":
        return []
    async with store.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        )
        return [row[0] for row in rows]


def main() -> None:
    """One measurement: `python -m bench.cost sqlite|postgresql COUNT [receipts]`."""
    kind, count, *rest = sys.argv[1:]
    for name, url in databases():
        if name.lower() == kind:
            with url() as address, tempfile.TemporaryDirectory() as folder:
                cost = asyncio.run(measure(address, Path(folder), int(count), bool(rest)))
            print(*(f"{process} {us:.2f}" for process, us in cost.items()))


if __name__ == "__main__":
    main()
