"""Receipts: finding their submissions, and keeping those that came too early."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.store.hot.base import Receipt
from todoke.store.hot.doubts import orphan_row
from todoke.store.hot.matching import Accepted
from todoke.store.hot.orphans import LIMIT, Key, Orphans
from todoke.store.postgres import Connection

# Where the events of a bucket are.
PARTITIONS = """
    SELECT format('%I', c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event'::regclass AND starts_with(c.relname, $1)
"""

# The submissions in one partition that a provider gave these ids to. Only the index of the ids fits the condition:
# a planner that knows nothing of a new partition yet would go through all of it by any other.
ACCEPTED = """
    SELECT at, provider_message_id, message_id, segment, attempt, segments FROM {}
    WHERE provider_message_id = ANY ($1::text[]) AND provider_id + 0 = $2 AND kind + 0 = 30
"""

PROVIDERS = "SELECT id, bucket FROM provider"

# A receipt that matches nothing yet waits here for its submission.
KEEP = """
    INSERT INTO orphan (provider_id, provider_message_id, kind, at, reason, raw, number, code, reference)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
                         $8::text[], $9::integer[])
    ON CONFLICT DO NOTHING
"""

# Orphans whose submission came: they are receipts again.
TAKE = """
    DELETE FROM orphan o USING unnest($1::bigint[], $2::text[]) AS k (provider_id, provider_message_id)
    WHERE o.provider_id = k.provider_id AND o.provider_message_id = k.provider_message_id
    RETURNING o.provider_id, o.provider_message_id, o.kind, o.at, o.reason, o.raw, coalesce(o.number::text, ''),
              coalesce(o.code, ''), o.reference
"""

KEYS = f"SELECT DISTINCT provider_id, provider_message_id FROM orphan LIMIT {LIMIT + 1}"


class Providers:
    """The buckets of providers, which never change: read once."""

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}

    async def bucket(self, connection: Connection, provider_id: int) -> int | None:
        """None where there is no such provider."""
        if provider_id not in self._buckets:
            self._buckets = {row[0]: row[1] for row in await connection.fetch(PROVIDERS)}
        return self._buckets.get(provider_id)


async def find_accepted(connection: Connection, providers: Providers, keys: Iterable[Key]) -> dict[Key, Accepted]:
    """The submissions with these keys, as far as they are stored."""
    by_provider: dict[int, set[str]] = {}
    for provider_id, provider_message_id in keys:
        by_provider.setdefault(provider_id, set()).add(provider_message_id)
    found: dict[Key, Accepted] = {}
    for provider_id, ids in by_provider.items():
        bucket = await providers.bucket(connection, provider_id)
        if bucket is None:
            continue
        partitions = await connection.fetch(PARTITIONS, f"event_b{bucket}_r")
        if not partitions:
            continue
        statement = " UNION ALL ".join(ACCEPTED.format(row[0]) for row in partitions)
        rows = [tuple(row) for row in await connection.fetch(statement, list(ids), provider_id)]
        for _, provider_message_id, *submission in sorted(rows):  # where it gave one twice, the latest counts
            found[(provider_id, provider_message_id)] = Accepted(*submission)
    return found


async def keep_orphans(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Store receipts that match nothing yet; a repeat changes nothing."""
    await connection.execute(KEEP, *map(list, zip(*map(orphan_row, receipts), strict=True)))


async def take_orphans(connection: Connection, keys: Sequence[Key]) -> list[Receipt]:
    """Remove the orphans with these keys and give them back as receipts."""
    rows = await connection.fetch(TAKE, [key[0] for key in keys], [key[1] for key in keys])
    return [Receipt(*row) for row in rows]


async def refresh(connection: Connection, orphans: Orphans, now: int) -> None:
    """Read which orphans there are, if that is due."""
    if orphans.stale(now):
        orphans.replace([(row[0], row[1]) for row in await connection.fetch(KEYS)], now)
