"""Partitions of `event`: one for every 4,096 runs of a bucket, made before the first of them starts."""

from __future__ import annotations

from todoke.model.ids import BUCKET_SHIFT, BUCKETS, MAX_RUN, RUN_SHIFT
from todoke.store.postgres import Connection

RUNS = 4096
_LOCK = 7430502  # of the advisory lock, which ends with the transaction


async def ensure(connection: Connection, bucket: int, run_id: int) -> None:
    """The partition that this run's events go to. Attaching does not wait for writers of other partitions."""
    number = run_id // RUNS
    name = f"event_b{bucket}_r{number}"
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
        return
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
        return
    first, end = bounds(bucket, number)
    await connection.execute(f"CREATE TABLE {name} (LIKE event INCLUDING ALL)")
    await connection.execute(f"ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})")


def bounds(bucket: int, number: int) -> tuple[str, str]:
    """The first message id of the partition, and the first after it, as SQL writes them."""
    first = bucket << BUCKET_SHIFT | number * RUNS << RUN_SHIFT
    last_of_all = bucket == BUCKETS - 1 and (number + 1) * RUNS > MAX_RUN
    return str(first), "MAXVALUE" if last_of_all else str(first + (RUNS << RUN_SHIFT))
