"""A list of ten million contacts against one of ten thousand: when is the first message on the wire after a start, and
what does a message cost?

The long list is started in its middle. Its run is stopped when as many messages are out as the short list has contacts.
BENCH_LONG_LIST=1000000 makes it shorter: filling ten million takes minutes and a few gigabytes on a small machine.
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

from sqlalchemy import text
from tests.factories import seed_list

from bench import cpu
from bench.databases import databases
from bench.ground import Code, Ground, counted, fill, lay, ledger, reach, smsc
from todoke.config import Settings
from todoke.model import ids
from todoke.model.clock import SystemClock
from todoke.model.run import RunEvent
from todoke.providers.simulator.ledger import read
from todoke.service.processes import engine
from todoke.store.store import Store, migrate, open_store

LONG = int(os.environ.get("BENCH_LONG_LIST", "10000000"))
SHORT = 10_000
ROUNDS = int(os.environ.get("BENCH_LONG_ROUNDS", "5"))
_RATE = 5_000.0
_PATIENCE = 60.0


class Started(NamedTuple):
    """One run: its id, when its start was asked for (monotonic), CPU of the engine and of the database a message."""

    run: int
    at: int
    engine: float
    database: float


def cases() -> Iterator[dict[str, object]]:
    """On every store there is."""
    for name, url in databases():
        with url() as address, tempfile.TemporaryDirectory() as folder:
            short, long, first = asyncio.run(measure(address, Path(folder)))
        for what, value, reference, unit in (
            ("first message", _first(long, first), 1.0, "s"),
            ("first message, beside the short list's", _first(long, first), _first(short, first), "s"),
            ("CPU of the engine a message", _middle(long, "engine"), _middle(short, "engine"), "µs"),
            ("CPU of the database a message", _middle(long, "database"), _middle(short, "database"), "µs"),
        ):
            if reference:
                yield {
                    "name": f"list of {LONG:,}, {name}: {what}",
                    "value": round(value, 3),
                    "unit": unit,
                    "reference": round(reference, 3),
                    "ratio": round(value / reference, 3),
                }


def _first(runs: list[Started], first: dict[int, int]) -> float:
    return statistics.median((first[run.run] - run.at) / 1e6 for run in runs)


def _middle(runs: list[Started], field: str) -> float:
    return statistics.median(getattr(run, field) for run in runs) * 1e6


async def measure(url: str, folder: Path) -> tuple[list[Started], list[Started], dict[int, int]]:
    """Runs of the short list, runs of the long one, and when the first segment of each run came."""
    await migrate(url)
    short: list[Started] = []
    long: list[Started] = []
    with smsc(folder, "--no-receipts") as ports:
        async with await open_store(url) as store:
            ground = await lay(store, ports["smpp_port"], [Code(_RATE)], SHORT)
            long_list = await seed_list(store, ground.unit, n=0, bucket=0, name="long")
            await fill(store, long_list, LONG)
            await _from_the_middle(store, long_list)
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                await _one(store, ground, ground.list, child.pid)  # the first run of a process makes its plans
                for _ in range(ROUNDS):
                    short.append(await _one(store, ground, ground.list, child.pid))
                    long.append(await _one(store, ground, long_list, child.pid))
            finally:
                await child.stop()
    first: dict[int, int] = {}
    for entry in read(ledger(folder)):
        if entry.mark is not None:
            first.setdefault(ids.address(entry.mark.message_id)[1], entry.monotonic)
    return short, long, first


async def _from_the_middle(store: Store, list_id: int) -> None:
    async with store.writing() as connection:
        await connection.execute(
            text("update list_range set first_position = :middle where list_id = :list"),
            {"middle": LONG // 2, "list": list_id},
        )


async def _one(store: Store, ground: Ground, list_id: int, pid: int) -> Started:
    """Start a run over the list; when SHORT messages are out, stop it, and wait until it has ended."""
    spent = cpu.Spent(pid, await cpu.servers(store))
    before = await counted(store)
    at = time.monotonic_ns() // 1000
    run = await store.hot.start_run(ground.run(list_id=list_id))
    await reach(store, before + SHORT, "sent", _PATIENCE)
    engine_seconds, database_seconds = spent.so_far()
    done = await counted(store) - before
    if list_id != ground.list:
        await store.hot.control_run(0, run, RunEvent.STOP, "enough", SystemClock().now())
    deadline = time.monotonic() + _PATIENCE
    while await _open(store):
        if time.monotonic() > deadline:
            raise TimeoutError("the run does not end")
        await asyncio.sleep(0.05)
    return Started(run, at, engine_seconds / done, database_seconds / done)


async def _open(store: Store) -> int:
    async with store.reading() as connection:
        found = await connection.scalar(
            text("select count(*) from skill_run where state in ('running', 'paused', 'stopping')")
        )
    return int(found or 0)
