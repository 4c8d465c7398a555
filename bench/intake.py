"""Importing a list end to end, beside what the database alone takes to load the same file into a table with a unique
phone number: `COPY ... FROM` of the file itself on PostgreSQL, `csv` and `executemany` in one transaction on SQLite.

Figures are medians of runs that alternate with the reference's, in rows a second.
"""

from __future__ import annotations

import asyncio
import csv
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
from sqlalchemy import insert

from bench.databases import databases
from todoke.pipeline.intake.importing import import_list
from todoke.store.schema import business_unit
from todoke.store.store import open_store

ROWS = 60_000
ROUNDS = 3
TRANSACTION_LIMIT = 20.0  # milliseconds that an import may keep SQLite's writer

_HEADER = ["Employee ID", "First name", "Last name", "Mobile phone", "Home phone", "Site", "Shift bonus", "Note"]
_COLUMNS = "id, first, last, phone, home, site, bonus, note"


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agents.csv"
        _write_list(path)
        for kind, database in databases():
            ours: list[float] = []
            bare: list[float] = []
            transactions: list[float] = []
            for _ in range(ROUNDS):
                with database() as url:
                    bare.append(ROWS / asyncio.run(_load(url, path)))
                with database() as url:
                    ours.append(ROWS / asyncio.run(_import(url, path, transactions)))
            yield _case(f"intake.{kind.lower()}", "rows/s", statistics.median(ours), statistics.median(bare))
            if transactions:
                longest = sorted(transactions)[int(len(transactions) * 0.99)]
                yield _case("intake.sqlite.transaction_p99", "ms", longest, TRANSACTION_LIMIT)


def _case(name: str, unit: str, value: float, reference: float) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "reference": round(reference, 1),
        "ratio": round(value / reference, 3),
    }


def _write_list(path: Path) -> None:
    """American mobile numbers in five formats, each once, so that the bare table takes them too."""
    chance = random.Random(1)
    numbers = chance.sample(range(2_000_000, 9_999_999), ROWS)
    formats = ("+1 212 {} {}", "(212) {}-{}", "212-{}-{}", "1212{}{}", "+1212{}{}")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for number, local in enumerate(numbers):
            phone = formats[number % 5].format(local // 10_000, f"{local % 10_000:04}")
            names = ("花子", "山田") if number % 4 == 0 else ("Ann", "O'Brien")
            writer.writerow([f"E{number:07}", *names, phone, "", "Osaka 1", f"${number % 50}", "prefers nights, ask"])


async def _import(url: str, path: Path, transactions: list[float]) -> float:
    """Seconds that the import takes."""
    async with await open_store(url, create=True) as store:
        async with store.writing() as connection:
            unit = {"name": "bench", "bucket": 0, "default_region": "US", "created_at": 0}
            await connection.execute(insert(business_unit).values(unit))
        if store.dialect == "sqlite":
            _time_transactions(store.writer, transactions)
        started = time.perf_counter()
        done = await import_list(store, business_unit="bench", name="agents", path=path, rejects_dir=path.parent, now=0)
        taken = time.perf_counter() - started
    if done.contacts != ROWS:
        raise AssertionError(f"{done.rejected} rows were refused: {done.reasons}")
    return taken


def _time_transactions(writer: Any, transactions: list[float]) -> None:
    transact = writer._transact

    def timed(work: Any) -> Any:
        started = time.perf_counter()
        try:
            return transact(work)
        finally:
            transactions.append((time.perf_counter() - started) * 1000)

    writer._transact = timed


async def _load(url: str, path: Path) -> float:
    """Seconds that the bare load takes."""
    if url.startswith("sqlite"):
        return _load_sqlite(urlsplit(url).path, path)
    connection = await asyncpg.connect(url)
    try:
        columns = ", ".join(f"{column} text" for column in _COLUMNS.split(", "))
        await connection.execute(f"CREATE TABLE bare ({columns}, UNIQUE (phone))")
        started = time.perf_counter()
        await connection.copy_to_table("bare", source=path, format="csv", header=True)
        return time.perf_counter() - started
    finally:
        await connection.close()


def _load_sqlite(database: str, path: Path) -> float:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE bare ({_COLUMNS}, UNIQUE (phone))")
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file, connection:
        rows = csv.reader(file)
        next(rows)
        connection.executemany(f"INSERT INTO bare ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    taken = time.perf_counter() - started
    connection.close()
    return taken
