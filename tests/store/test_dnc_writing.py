"""Files of numbers on SQLite: the writer is never kept for long, and left to an engine in between."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy import insert
from tests.factories import seed_dnc_group, seed_engine, seed_unit

from todoke.model.clock import HOUR, SystemClock
from todoke.store import schema
from todoke.store.dnc import sqlite, uploads
from todoke.store.dnc.base import Upload, Written
from todoke.store.dnc.numbers import FOR_GOOD, Numbers
from todoke.store.store import Store

FIRST = 12_025_550_000
MANY = 3_000


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many numbers each transaction took, where every look at the clock is worth half of the time it has."""
    looks = count()
    clock = SimpleNamespace(perf_counter=lambda: next(looks) * sqlite.TARGET / 2)
    taken: list[int] = []
    write = sqlite._write

    def counted(db: object, upload: Upload, numbers: Numbers, start: int) -> tuple[Written, int, bool]:
        answer = write(db, upload, numbers, start)  # type: ignore[arg-type]
        taken.append(answer[1] - start)
        return answer

    monkeypatch.setattr(sqlite, "time", clock)
    monkeypatch.setattr(sqlite, "_write", counted)
    yield taken


async def _upload(store: Store) -> tuple[Upload, int]:
    if store.dialect != "sqlite":
        pytest.skip("PostgreSQL has no one writer")
    unit_id = await seed_unit(store)
    group_id = await seed_dnc_group(store, unit_id)
    now = SystemClock().now()
    return Upload(1, 3, unit_id, group_id, "ann", "", now), now


def _numbers(until: int) -> Numbers:
    return Numbers.of(array("q", range(FIRST, FIRST + MANY)), array("q", [until]) * MANY)


async def test_a_transaction_ends_when_its_time_is_over(store: Store, sizes: list[int]) -> None:
    upload, now = await _upload(store)
    dear = 1000  # numbers in the middle hold longer from now on: ten times as dear as new ones
    rows = [
        {"bucket": 3, "dnc_group_id": upload.dnc_group_id, "phone": FIRST + 1000 + n, "source": "upload"}
        for n in range(dear)
    ]
    async with store.writing() as connection:
        more = {"created_at": now - HOUR, "expires_at": now + HOUR}
        await connection.execute(insert(schema.dnc_entry), [row | more for row in rows])
    written = await uploads.dnc_store(store).write(upload, _numbers(FOR_GOOD))
    assert written == Written(MANY - dear, dear, 0)
    assert sum(sizes) == MANY
    assert max(sizes) <= 2 * sqlite._PIECE


async def test_it_rests_where_an_engine_sends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, now = await _upload(store)
    rests: list[float] = []

    async def resting(begun: float) -> None:
        rests.append(begun)

    monkeypatch.setattr(sqlite, "rest", resting)
    await uploads.dnc_store(store).write(upload, _numbers(now + HOUR))
    assert rests == []
    await seed_engine(store, now=now)
    await uploads.dnc_store(store).write(upload, _numbers(FOR_GOOD))
    assert rests
