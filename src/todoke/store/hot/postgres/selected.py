"""Which contacts a run's selection has at which ordinals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.model.ids import base
from todoke.store.hot.positions import WIDTH, by_run, of_range
from todoke.store.postgres import Connection

# The rows that hold consecutive ordinals.
BETWEEN = """
    SELECT first_ordinal, positions FROM selection
    WHERE bucket = $1 AND run_id = $2 AND first_ordinal <= $4
      AND first_ordinal >= (SELECT max(first_ordinal) FROM selection
                            WHERE bucket = $1 AND run_id = $2 AND first_ordinal <= $3)
    ORDER BY first_ordinal
"""

# Just these ordinals, each with the bytes of its position.
AT = f"""
    SELECT k.ordinal, substr(s.positions, ((k.ordinal - s.first_ordinal) * {WIDTH} + 1)::integer, {WIDTH})
    FROM unnest($3::bigint[]) AS k (ordinal)
    CROSS JOIN LATERAL (
        SELECT * FROM selection s WHERE s.bucket = $1 AND s.run_id = $2 AND s.first_ordinal <= k.ordinal
        ORDER BY s.first_ordinal DESC LIMIT 1) s
    WHERE s.last_ordinal >= k.ordinal
"""


async def between(connection: Connection, bucket: int, run_id: int, first: int, last: int) -> dict[int, int]:
    rows = await connection.fetch(BETWEEN, bucket, run_id, first, last)
    return of_range([(row[0], row[1]) for row in rows], first, last)


async def of_messages(connection: Connection, message_ids: Iterable[int]) -> dict[int, int]:
    """The position of each of these messages' contacts, by message id."""
    found: dict[int, int] = {}
    for (bucket, run_id), ordinals in by_run(message_ids, found).items():
        start = base(bucket, run_id)
        places = await at(connection, bucket, run_id, ordinals)
        found.update((start + ordinal, position) for ordinal, position in places.items())
    return found


async def at(connection: Connection, bucket: int, run_id: int, ordinals: Sequence[int]) -> dict[int, int]:
    rows = await connection.fetch(AT, bucket, run_id, list(ordinals))
    return {row[0]: int.from_bytes(row[1], "big") for row in rows}
