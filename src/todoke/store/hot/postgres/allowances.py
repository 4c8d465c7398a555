"""What is used of limits that lanes share: read and moved under their locks by the flush that reserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from todoke.model.allowance import Allowance
from todoke.model.limit import LimitKey
from todoke.store.hot import allotting
from todoke.store.postgres import Connection

# A row for every limit that has none.
MAKE = """
    INSERT INTO allowance (bucket, kind, subject_id, first_cell, counts, day, used)
    SELECT k.bucket, k.kind, k.subject, 0, '', 0, 0
    FROM unnest($1::smallint[], $2::text[], $3::bigint[]) AS k (bucket, kind, subject)
    WHERE NOT EXISTS (
        SELECT FROM allowance a WHERE a.bucket = k.bucket AND a.kind = k.kind AND a.subject_id = k.subject)
    ON CONFLICT DO NOTHING
"""

# Holds them until the transaction ends, everybody in one order.
HOLD = """
    SELECT a.bucket, a.kind, a.subject_id, a.first_cell, a.counts, a.day, a.used
    FROM unnest($1::smallint[], $2::text[], $3::bigint[]) AS k (bucket, kind, subject)
    JOIN allowance a ON a.bucket = k.bucket AND a.kind = k.kind AND a.subject_id = k.subject
    ORDER BY a.bucket, a.kind, a.subject_id
    FOR NO KEY UPDATE OF a
"""

MOVE = """
    UPDATE allowance a SET first_cell = k.first_cell, counts = k.counts, day = k.day, used = k.used
    FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::bigint[])
           AS k (bucket, kind, subject, first_cell, counts, day, used)
    WHERE a.bucket = k.bucket AND a.kind = k.kind AND a.subject_id = k.subject
"""


async def make(connection: Connection, keys: Sequence[LimitKey]) -> None:
    """Rows for these limits, where there are none yet."""
    if keys:
        await connection.execute(MAKE, *map(list, zip(*keys, strict=True)))


async def hold(connection: Connection, keys: Sequence[LimitKey]) -> dict[LimitKey, Allowance]:
    """The allowances, locked; `keys` in order."""
    if not keys:
        return {}
    rows = await connection.fetch(HOLD, *map(list, zip(*keys, strict=True)))
    return allotting.read((row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows)


async def move(connection: Connection, allowances: Mapping[LimitKey, Allowance]) -> None:
    """Store what has become of them."""
    if allowances:
        await connection.execute(MOVE, *map(list, zip(*allotting.write(allowances), strict=True)))
