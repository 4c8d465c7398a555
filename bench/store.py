"""The hot operations of the store alone, beside what the bare database takes of the same rows: as many transactions of
the same size by COPY (PostgreSQL) or `executemany` (SQLite) into a table with the same key and nothing else.

Ours do more: they are fenced and replayable, count live, find each receipt's message and index the providers' ids. A
block lease is compared with writing a row a message, as a queue would. Figures are medians of runs that alternate with
the reference's.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import insert, update
from tests.factories import NOW, Scene, seed, seed_engine, seed_run

from bench.databases import databases
from todoke.model.event import Kind
from todoke.model.ids import base
from todoke.store import schema
from todoke.store.hot.base import CursorAsk, Flush, Fresh, Lane, Lease, Receipt
from todoke.store.store import Store, migrate, open_store

MESSAGES = 30_000
BATCH = 1_000  # a flush every 20 ms at 50,000 messages a second
ROUNDS = 5
POSITIONS = 400  # of a block

Row = tuple[Any, ...]


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    for kind, database in databases():
        with database() as url:
            for name, ours, bare in asyncio.run(_measure(url)):
                yield {
                    "name": f"store.{kind.lower()}.{name}",
                    "value": round(ours),
                    "unit": "messages/s",
                    "reference": round(bare),
                    "ratio": round(ours / bare, 2),
                }


async def _measure(url: str) -> list[tuple[str, float, float]]:
    await migrate(url)
    rates: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("lease", "results", "receipts")}
    async with await open_store(url) as store:
        scene = await seed(store, n=1)
        async with store.writing() as connection:
            values = {"list_id": scene.list, "number": 1, "zone_set": 0, "first_position": 1}
            await connection.execute(insert(schema.list_range).values(**values, last_position=MESSAGES))
            await connection.execute(update(schema.calling_list).values(contacts=MESSAGES + 1))
        engine = await seed_engine(store)
        (lane,) = await store.hot.take_lanes(engine, NOW, 0)
        flushes = _Flushes(store, scene, engine, lane)
        bare = await _bare(url)
        for number in range(ROUNDS):
            run = await seed_run(store, scene)
            names = random.Random(number).sample(range(1 << 40), MESSAGES)  # as carriers hand them out
            ids = [f"{name:010x}" for name in names]
            pairs = (
                ("lease", lambda run=run: flushes.lease(run), lambda n=number: bare(_queue_rows(n))),
                (
                    "results",
                    lambda run=run, ids=ids: flushes.results(run, ids),
                    lambda r=run, i=ids: bare(_events(r, i)),
                ),
                ("receipts", lambda ids=ids: flushes.receipts(ids), lambda r=run: bare(_receipt_events(r))),
            )
            for name, ours, reference in pairs:
                rates[name][0].append(await _rate(ours))
                rates[name][1].append(await _rate(reference))
        await bare([])
    return [(name, statistics.median(ours), statistics.median(refs)) for name, (ours, refs) in rates.items()]


async def _rate(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return MESSAGES / (time.perf_counter() - started)


class _Flushes:
    """One engine that flushes a batch after the other."""

    def __init__(self, store: Store, scene: Scene, engine: int, lane: Lane) -> None:
        self._store = store
        self._scene = scene
        self._engine = engine
        self._lane = lane
        self._seq = 0

    async def lease(self, run: int) -> None:
        """One block a flush."""
        lane, taken = self._lane, 0
        while taken < MESSAGES:
            ask = CursorAsk(run, 1, taken + 1, POSITIONS)
            lease = Lease(lane.bucket, lane.transport_code_id, lane.epoch, [ask])
            (block,) = (await self._store.hot.flush(self._next(leases=[lease]))).blocks
            taken = block.last_position

    async def results(self, run: int, ids: Sequence[str]) -> None:
        first = base(self._scene.bucket, run)
        for at in range(0, MESSAGES, BATCH):
            messages = list(range(first + at, first + at + BATCH))
            fresh = Fresh(self._scene.bucket, run, self._scene.provider, NOW, messages, list(ids[at : at + BATCH]))
            await self._store.hot.flush(self._next(fresh=[fresh]))

    async def receipts(self, ids: Sequence[str]) -> None:
        for at in range(0, MESSAGES, BATCH):
            receipts = [
                Receipt(self._scene.provider, name, Kind.DELIVERED, NOW, "", "") for name in ids[at : at + BATCH]
            ]
            await self._store.hot.flush(self._next(receipts=receipts))

    def _next(self, **content: Any) -> Flush:
        self._seq += 1
        return Flush(self._engine, self._seq, NOW, **content)


def _queue_rows(number: int) -> list[Row]:
    return [(3, (number << 20) + i, 0, 0, 0, NOW, 1, None, None, "") for i in range(MESSAGES)]


def _events(run: int, ids: Sequence[str]) -> list[Row]:
    first = base(3, run) + (1 << 54)  # apart from the rows of the queue
    return [(3, first + i, 1, 0, 30, NOW, 1, 1, name, "") for i, name in enumerate(ids)]


def _receipt_events(run: int) -> list[Row]:
    first = base(3, run) + (1 << 54)
    return [(3, first + i, 1, 0, 60, NOW, 1, 1, None, "") for i in range(MESSAGES)]


_TABLE = """
    CREATE TABLE bare (bucket SMALLINT NOT NULL, message_id BIGINT NOT NULL, segment SMALLINT NOT NULL,
        attempt SMALLINT NOT NULL, kind SMALLINT NOT NULL, at BIGINT NOT NULL, segments SMALLINT NOT NULL,
        provider_id BIGINT, provider_message_id TEXT, reason TEXT NOT NULL,
        PRIMARY KEY (bucket, message_id, segment, attempt, kind))
"""


async def _bare(url: str) -> Callable[[list[Row]], Awaitable[None]]:
    """What loads rows in batches, a transaction each; it closes its connection when it is given none."""
    if url.startswith("sqlite"):
        db = sqlite3.connect(urlsplit(url).path[1:], isolation_level=None)
        db.execute("PRAGMA synchronous=FULL")
        db.execute(_TABLE + "WITHOUT ROWID")

        async def load(rows: list[Row]) -> None:
            for at in range(0, len(rows), BATCH):
                db.execute("BEGIN IMMEDIATE")
                db.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * 10)})", rows[at : at + BATCH])
                db.execute("COMMIT")
            if not rows:
                db.close()

        return load
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLE)

    async def copy(rows: list[Row]) -> None:
        for at in range(0, len(rows), BATCH):
            await connection.copy_records_to_table("bare", records=rows[at : at + BATCH])
        if not rows:
            await connection.close()

    return copy
