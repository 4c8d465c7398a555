"""The middle of a flush: blocks close, intents are settled, rows go to `due`."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.hot.base import BlockKey, DueKey
from todoke.store.hot.due import Placed
from todoke.store.postgres import Connection

# Blocks whose every position has its outcome. (`+ 0` keeps the planner from going through all of the engine's.)
CLOSE = """
    UPDATE block b SET state = 'closed'
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS k (bucket, run_id, first_position)
    WHERE b.bucket = k.bucket AND b.run_id = k.run_id AND b.first_position = k.first_position
      AND b.engine_id + 0 = $1 AND b.state = 'open'
"""

# Intents that have their outcome.
SETTLE = """
    DELETE FROM intent i
    USING unnest($2::smallint[], $3::bigint[], $4::smallint[]) AS k (bucket, message_id, attempt)
    WHERE i.bucket = k.bucket AND i.message_id = k.message_id AND i.attempt = k.attempt AND i.engine_id + 0 = $1
"""

# What has a time of its own, in the stream of its run; a repeat changes nothing.
INSERT_DUE = """
    INSERT INTO due (bucket, message_id, attempt, run_id, transport_code_id, not_before, segments, text_crc, state,
                     stream)
    SELECT k.*, (SELECT r.stream FROM skill_run r WHERE r.bucket = k.bucket AND r.id = k.run_id)
    FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::text[], $8::bigint[], $9::text[])
           AS k (bucket, message_id, attempt, run_id, code, not_before, segments, text_crc, state)
    ON CONFLICT DO NOTHING
"""


async def close_blocks(connection: Connection, engine_id: int, keys: Sequence[BlockKey]) -> None:
    """Close this engine's open blocks with these keys."""
    if keys:
        await connection.execute(CLOSE, engine_id, *map(list, zip(*keys, strict=True)))


async def settle_intents(connection: Connection, engine_id: int, keys: Sequence[DueKey]) -> None:
    """Remove this engine's intents with these keys."""
    if keys:
        await connection.execute(SETTLE, engine_id, *map(list, zip(*keys, strict=True)))


async def insert_due(connection: Connection, placed: Sequence[Placed]) -> None:
    """Store due rows in the state that their run asks for."""
    if placed:
        columns = zip(*((*row, state) for row, state in placed), strict=True)
        await connection.execute(INSERT_DUE, *map(list, columns))
