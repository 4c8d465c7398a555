"""A file of numbers put on a do-not-call group, end to end, beside the database's own bulk load of the same rows into a
table with the same key: `COPY ... FROM` of the file itself on PostgreSQL, `executemany` in one transaction on SQLite.

Figures are medians of runs that alternate with the reference's, in numbers a second. `again` is the same file once
more: everything is there already.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from tests.factories import seed_dnc_group, seed_unit

from bench.databases import databases
from todoke.model.clock import SystemClock
from todoke.pipeline.intake.dnc.importing import Reading, import_numbers
from todoke.store.catalogue import dnc, units
from todoke.store.dnc import uploads
from todoke.store.dnc.base import Upload
from todoke.store.dnc.numbers import FOR_GOOD, Numbers
from todoke.store.store import Store, open_store

ENTRIES = int(os.environ.get("BENCH_DNC_ENTRIES", "1000000"))
ROUNDS = int(os.environ.get("BENCH_DNC_ROUNDS", "3"))
TRANSACTION_LIMIT = 20.0  # milliseconds that an import may keep SQLite's writer
_AREAS = (212, 310, 415, 512, 617, 702, 808, 907)


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.csv"
        _write(path)
        for kind, database in databases():
            taken: dict[str, list[float]] = {"bare": [], "first": [], "again": [], "write": []}
            transactions: list[float] = []
            for _ in range(ROUNDS):
                with database() as url:
                    taken["bare"].append(asyncio.run(_bare(url, path)))
                with database() as url:
                    for name, seconds in asyncio.run(_import(url, path, transactions)).items():
                        taken[name].append(seconds)
            speed = {name: ENTRIES / statistics.median(values) for name, values in taken.items()}
            for name in ("first", "again", "write"):
                yield _case(f"dnc_import.{kind.lower()}.{name}", "numbers/s", speed[name], speed["bare"])
            if transactions:
                longest = sorted(transactions)[int(len(transactions) * 0.99)]
                yield _case("dnc_import.sqlite.transaction_p99", "ms", longest, TRANSACTION_LIMIT)


def _case(name: str, unit: str, value: float, reference: float) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "reference": round(reference, 1),
        "ratio": round(value / reference, 3),
    }


def _numbers() -> list[int]:
    each = -(-ENTRIES // len(_AREAS))
    chance = random.Random(1)
    numbers = [
        10_000_000_000 + area * 10_000_000 + local
        for area in _AREAS
        for local in chance.sample(range(2_200_000, 9_990_000), each)
    ][:ENTRIES]
    chance.shuffle(numbers)
    return numbers


def _write(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("phone\n")
        file.writelines(f"+{number}\n" for number in _numbers())


async def _import(url: str, path: Path, transactions: list[float]) -> dict[str, float]:
    """Seconds that the import takes, the same once more, and the writing alone of what is parsed already."""
    async with await open_store(url, create=True) as store:
        unit_id = await seed_unit(store, bucket=0)
        groups = [await seed_dnc_group(store, unit_id, name=name, bucket=0) for name in ("one", "two")]
        async with store.reading() as connection:
            (unit,) = await units.every(connection)
        if store.dialect == "sqlite":
            _time_transactions(store.writer, transactions)
        found: dict[str, float] = {}
        for name in ("first", "again"):
            started = time.perf_counter()
            done = await import_numbers(
                store,
                unit,
                dnc.Group(groups[0], "one", default=False),
                path,
                Reading(),
                rejects_dir=path.parent,
                clock=SystemClock(),
                who="bench",
            )
            found[name] = time.perf_counter() - started
            wanted = done.added if name == "first" else done.present
            if wanted != ENTRIES:
                raise AssertionError(f"{done.added} added, {done.present} present, refused: {done.reasons}")
        found["write"] = await _written(store, unit_id, groups[1])
        return found


async def _written(store: Store, unit: int, group: int) -> float:
    from array import array

    phones = array("q", _numbers())
    upload = Upload(1, 0, unit, group, "bench", "", 1)
    started = time.perf_counter()
    numbers = Numbers.of(phones, array("q", [FOR_GOOD]) * len(phones))
    await uploads.dnc_store(store).write(upload, numbers)
    return time.perf_counter() - started


def _time_transactions(writer: Any, transactions: list[float]) -> None:
    transact = writer._transact

    def timed(work: Any) -> Any:
        started = time.perf_counter()
        try:
            return transact(work)
        finally:
            transactions.append((time.perf_counter() - started) * 1000)

    writer._transact = timed


_TABLE = "CREATE TABLE bare (phone BIGINT PRIMARY KEY)"


async def _bare(url: str, path: Path) -> float:
    """Seconds that the bare load takes."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(urlsplit(url).path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"{_TABLE} WITHOUT ROWID")
        started = time.perf_counter()
        with path.open(encoding="utf-8") as file, connection:
            next(file)
            connection.executemany("INSERT INTO bare VALUES (?)", ((int(line),) for line in file))
        taken = time.perf_counter() - started
        connection.close()
        return taken
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_TABLE)
        started = time.perf_counter()
        await connection.copy_to_table("bare", source=path, format="csv", header=True)
        return time.perf_counter() - started
    finally:
        await connection.close()
