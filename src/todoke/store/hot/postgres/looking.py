"""Which numbers are on which DNC groups now."""

from __future__ import annotations

from collections.abc import Collection

from todoke.store.hot.looking import by_bucket
from todoke.store.hot.postgres.dnc import MOMENT
from todoke.store.postgres import Connection

BUCKETS = """
    SELECT g.id, b.bucket FROM dnc_group g JOIN business_unit b ON b.id = g.business_unit_id
    WHERE g.id = ANY ($1::bigint[])
"""

# A probe of the key a pair (OFFSET 0 keeps it so, see dnc.py).
LISTED = f"""
    SELECT k.id, k.phone FROM unnest($2::bigint[], $3::bigint[]) AS k (id, phone)
    WHERE EXISTS (SELECT FROM dnc_entry d
                  WHERE d.bucket = $1 AND d.dnc_group_id = k.id AND d.phone = k.phone
                    AND (d.expires_at IS NULL OR d.expires_at > {MOMENT}) OFFSET 0)
"""


async def listed(connection: Connection, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (group, number) pairs that hold."""
    rows = await connection.fetch(BUCKETS, sorted({group for group, _ in pairs}))
    found: set[tuple[int, int]] = set()
    for bucket, (groups, phones) in by_bucket(pairs, {row[0]: row[1] for row in rows}).items():
        found.update((row[0], row[1]) for row in await connection.fetch(LISTED, bucket, groups, phones))
    return found
