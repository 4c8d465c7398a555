"""Leasing: positions from cursors, rows from `due`."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.hot.base import Block, DueTaken, Flush, Lease
from todoke.store.postgres import Connection

# Moves cursors that stand where the engine believes them, and makes a block of what each moved over.
TAKE_POSITIONS = """
    WITH moved AS (
        UPDATE run_cursor c SET next_position = least(c.next_position + a.size, c.last_position + 1)
        FROM unnest($3::smallint[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
               AS a (bucket, run_id, number, expected, size, code, epoch)
        WHERE c.bucket = a.bucket AND c.run_id = a.run_id AND c.number = a.number
          AND c.next_position = a.expected AND c.next_position <= c.last_position AND a.size > 0
          AND (SELECT r.state = 'running' AND r.expires_at > $2 AND r.transport_code_id = a.code
               FROM skill_run r WHERE r.bucket = a.bucket AND r.id = a.run_id)
        RETURNING c.bucket, c.run_id, a.expected AS first_position, c.next_position - 1 AS last_position,
                  a.code, a.epoch
    )
    INSERT INTO block (bucket, run_id, first_position, last_position, transport_code_id, epoch, engine_id,
                       reserved_to, state)
    SELECT bucket, run_id, first_position, last_position, code, epoch, $1, first_position - 1, 'open' FROM moved
    RETURNING bucket, run_id, first_position, last_position, transport_code_id
"""

# Takes rows whose time has come, the longest waiting of each stream first, of runs that may send; each becomes an
# intent.
TAKE_DUE = """
    WITH chosen AS (
        SELECT d.bucket, d.message_id, d.attempt, a.epoch
        FROM unnest($4::smallint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])
               AS a (bucket, code, epoch, stream, size)
        CROSS JOIN LATERAL (
            SELECT d.bucket, d.message_id, d.attempt
            FROM due d
            WHERE d.bucket = a.bucket AND d.transport_code_id = a.code AND d.state = 'ready' AND d.stream = a.stream
              AND d.not_before <= $3
              AND (SELECT r.state = 'running' AND r.expires_at > $3
                   FROM skill_run r WHERE r.bucket = d.bucket AND r.id = d.run_id)
            ORDER BY d.not_before
            LIMIT a.size
            FOR UPDATE OF d SKIP LOCKED
        ) d
    ), taken AS (
        DELETE FROM due d USING chosen c
        WHERE d.bucket = c.bucket AND d.message_id = c.message_id AND d.attempt = c.attempt
        RETURNING d.*, c.epoch
    )
    INSERT INTO intent (bucket, message_id, attempt, run_id, transport_code_id, epoch, engine_id, reserved, flush_seq,
                        segments, text_crc)
    SELECT bucket, message_id, attempt, run_id, transport_code_id, epoch, $1, false, $2, segments, text_crc FROM taken
    RETURNING bucket, message_id, attempt, run_id, transport_code_id, segments, text_crc
"""

# The blocks that an earlier try of the same flush made.
TAKEN_BLOCKS = """
    SELECT b.bucket, b.run_id, b.first_position, b.last_position, b.transport_code_id
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS a (bucket, run_id, expected)
    JOIN block b ON b.bucket = a.bucket AND b.run_id = a.run_id AND b.first_position = a.expected
    WHERE b.engine_id + 0 = $1 AND b.state = 'open'
"""

# The due rows that it took.
TAKEN_DUE = """
    SELECT bucket, message_id, attempt, run_id, transport_code_id, segments, text_crc
    FROM intent WHERE engine_id = $1 AND flush_seq = $2
"""


async def take_positions(connection: Connection, flush: Flush, leases: Sequence[Lease]) -> list[Block]:
    """Blocks from the cursors asked for, as far as they stand as expected; the lanes are held."""
    asks = [
        (lease.bucket, ask.run_id, ask.number, ask.expected, ask.limit, lease.transport_code_id, lease.epoch)
        for lease in leases
        for ask in lease.cursors
    ]
    if not asks:
        return []
    rows = await connection.fetch(TAKE_POSITIONS, flush.engine_id, flush.now, *map(list, zip(*asks, strict=True)))
    numbers = {ask[:2] + ask[3:4]: ask[2] for ask in asks}
    return [Block(*row, cursor=numbers[(row[0], row[1], row[2])]) for row in rows]


async def take_due(connection: Connection, flush: Flush, leases: Sequence[Lease]) -> list[DueTaken]:
    """Intents from `due`; the lanes are held."""
    asks = [
        (x.bucket, x.transport_code_id, x.epoch, stream, size)
        for x in leases
        for stream, size in x.due.items()
        if size > 0
    ]
    if not asks:
        return []
    columns = map(list, zip(*asks, strict=True))
    return [DueTaken(*row) for row in await connection.fetch(TAKE_DUE, flush.engine_id, flush.seq, flush.now, *columns)]


async def taken_before(connection: Connection, flush: Flush) -> tuple[list[Block], list[DueTaken]]:
    """What this flush took when it was applied the first time."""
    asks = {(lease.bucket, ask.run_id, ask.expected): ask.number for lease in flush.leases for ask in lease.cursors}
    blocks: list[Block] = []
    if asks:
        rows = await connection.fetch(TAKEN_BLOCKS, flush.engine_id, *map(list, zip(*asks, strict=True)))
        blocks = [Block(*row, cursor=asks[(row[0], row[1], row[2])]) for row in rows]
    due = [DueTaken(*row) for row in await connection.fetch(TAKEN_DUE, flush.engine_id, flush.seq)]
    return blocks, due
