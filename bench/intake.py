"""Importing a list end to end, beside what the database's own client takes to load the same file into a table with a
unique phone number and nothing else: `\\copy` of psql, `.import` of the sqlite3 shell.

End to end is all of it: read, numbers normalised and validated, places, duplicates, contacts counted that are on a
do-not-call group of millions, written, keys written, ready to be run. Figures are medians of runs that alternate with
the reference's, in rows a second; memory is the peak of a process that does nothing else.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import insert, text

from bench.databases import databases
from bench.list_files import write_list
from todoke.model.clock import SystemClock
from todoke.pipeline.intake.importing import import_list
from todoke.store.schema import business_unit, dnc_group
from todoke.store.store import Store, open_store

ROWS = int(os.environ.get("BENCH_IMPORT_ROWS", "1000000"))
ENTRIES = int(os.environ.get("BENCH_IMPORT_DNC", "5000000"))
ROUNDS = int(os.environ.get("BENCH_IMPORT_ROUNDS", "3"))
TRANSACTION_LIMIT = 20.0  # milliseconds that an import may keep SQLite's writer
MEMORY_LIMIT = 1024.0  # MB
GOAL = 1.3  # times the reference

_COLUMNS = ("id", "first", "last", "phone", "home", "site", "bonus", "note")
_FIRST_ENTRY = 13_000_000_000  # some of them are on the list
_CLIENTS = {"sqlite": ("sqlite3", "sqlite3"), "postgresql": ("psql", "postgresql-client")}


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agents.csv"
        write_list(path, ROWS)
        for kind, database in databases():
            dialect = kind.lower()
            client, package = _CLIENTS[dialect]
            if shutil.which(client) is None:
                sys.stderr.write(f"bench: {client} is not here; on Debian: apt-get install {package}\n")
                continue
            ours: list[float] = []
            bare: list[float] = []
            memory: list[float] = []
            transactions: list[float] = []
            for _ in range(ROUNDS):
                with database() as url:
                    bare.append(ROWS / (_copy(url, path) if dialect == "postgresql" else _shell(url, path)))
                with database() as url:
                    seconds, peak, longest = _import(url, path)
                    ours.append(ROWS / seconds)
                    memory.append(peak)
                    transactions += [longest] if longest else []
            yield _case(f"intake.{dialect}", "rows/s", statistics.median(ours), statistics.median(bare))
            yield _case(f"intake.{dialect}.memory", "MB", max(memory), MEMORY_LIMIT)
            if transactions:
                yield _case("intake.sqlite.transaction_p99", "ms", statistics.median(transactions), TRANSACTION_LIMIT)


def _case(name: str, unit: str, value: float, reference: float) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "reference": round(reference, 1),
        "ratio": round(value / reference, 3),
    }


def _copy(url: str, path: Path) -> float:
    """Seconds that `\\copy` takes."""
    asyncio.run(_bare_table(url))
    begun = time.perf_counter()
    command = f"\\copy bare from '{path}' with (format csv, header true)"
    subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", url, "-c", command], check=True)
    return time.perf_counter() - begun


async def _bare_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        columns = ", ".join(f"{column} text" for column in _COLUMNS)
        await connection.execute(f"CREATE TABLE bare ({columns}, UNIQUE (phone))")
    finally:
        await connection.close()


def _shell(url: str, path: Path) -> float:
    """Seconds that `.import` takes."""
    database = urlsplit(url).path
    table = f"CREATE TABLE bare ({', '.join(_COLUMNS)}, UNIQUE (phone))"
    subprocess.run(["sqlite3", database, "PRAGMA journal_mode=WAL", table], check=True, stdout=subprocess.DEVNULL)
    begun = time.perf_counter()
    subprocess.run(["sqlite3", database, f".import --csv --skip 1 {path} bare"], check=True)
    return time.perf_counter() - begun


def _import(url: str, path: Path) -> tuple[float, float, float | None]:
    """Seconds, the peak of memory in MB, and the 99th percentile of transactions in ms, of a process of its own."""
    asyncio.run(_prepare(url))
    command = [sys.executable, "-m", "bench.intake", url, str(path)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    seconds, peak, longest = map(float, told)
    return seconds, peak, longest or None


async def _prepare(url: str) -> None:
    """A business unit with a do-not-call group."""
    async with await open_store(url, create=True) as store, store.writing() as connection:
        unit = {"name": "bench", "bucket": 0, "default_region": "US", "created_at": 0}
        unit_id = await connection.scalar(insert(business_unit).values(unit).returning(business_unit.c.id))
        group = {"business_unit_id": unit_id, "name": "all", "created_at": 0}
        group_id = await connection.scalar(insert(dnc_group).values(group).returning(dnc_group.c.id))
        last = ENTRIES - 1
        generated = (
            f"generate_series(0, {last}) as g(i)"
            if store.dialect == "postgresql"
            else f"(with recursive g(i) as (select 0 union all select i + 1 from g where i < {last}) select i from g)"
        )
        await connection.execute(
            text(
                "insert into dnc_entry (bucket, dnc_group_id, phone, source, created_at) "
                f"select 0, {group_id}, {_FIRST_ENTRY} + i * 97, 'upload', 0 from {generated}"
            )
        )
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("VACUUM ANALYZE dnc_entry")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


async def _measure(url: str, path: Path) -> None:
    transactions: list[float] = []
    async with await open_store(url) as store:
        if store.dialect == "sqlite":
            _time_transactions(store, transactions)
        begun = time.perf_counter()
        done = await import_list(
            store,
            business_unit="bench",
            name="agents",
            path=path,
            rejects_dir=path.parent / "rejected",
            now=SystemClock().now(),
        )
        seconds = time.perf_counter() - begun
    if done.rejected:
        raise AssertionError(f"{done.rejected} rows were refused: {done.reasons}")
    if ENTRIES and not done.on_dnc:
        raise AssertionError("no contact is on the do-not-call group")
    longest = sorted(transactions)[int(len(transactions) * 0.99)] if transactions else 0.0
    sys.stdout.write(f"{seconds} {_peak()} {longest}\n")


def _time_transactions(store: Store, transactions: list[float]) -> None:
    writer: Any = store.writer
    transact = writer._transact

    def timed(work: Any) -> Any:
        started = time.perf_counter()
        try:
            return transact(work)
        finally:
            transactions.append((time.perf_counter() - started) * 1000)

    writer._transact = timed


def _peak() -> float:
    """The most memory that this process had, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    asyncio.run(_measure(sys.argv[1], Path(sys.argv[2])))
