"""Which numbers are on a do-not-call list."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.postgres import Connection

# The database's own clock, as microseconds since 1970; the same all through a statement.
MOMENT = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"

# One probe of the key a number and group, whatever the size of the lists: OFFSET 0 keeps the planner from turning
# it into a join that reads a whole list (230 times slower for 4,000 numbers against 10,000 entries).
SCRUB = f"""
    SELECT k.phone
    FROM unnest($3::bigint[]) AS k (phone), unnest($2::bigint[]) AS g (id)
    WHERE EXISTS (SELECT FROM dnc_entry d
                  WHERE d.bucket = $1 AND d.dnc_group_id = g.id AND d.phone = k.phone
                    AND (d.expires_at IS NULL OR d.expires_at > {MOMENT}) OFFSET 0)
"""


async def on_lists(connection: Connection, bucket: int, groups: Sequence[int], phones: Sequence[int]) -> set[int]:
    """Those of the numbers that are on one of the groups."""
    if not groups or not phones:
        return set()
    return {row[0] for row in await connection.fetch(SCRUB, bucket, groups, phones)}
