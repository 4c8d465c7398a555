"""Leasing: positions from cursors, rows from `due`."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from todoke.store.hot.base import Block, CursorAsk, DueTaken, Flush, Lease

# Moves a cursor that stands where the engine believes it, of a run that may send; returns the last position taken.
MOVE_CURSOR = """
    UPDATE run_cursor SET next_position = min(next_position + :size, last_position + 1)
    WHERE bucket = :bucket AND run_id = :run AND number = :number
      AND next_position = :expected AND next_position <= last_position AND :size > 0
      AND EXISTS (SELECT 1 FROM skill_run r WHERE r.bucket = :bucket AND r.id = :run AND r.state = 'running'
                  AND r.expires_at > :now AND r.transport_code_id = :code)
    RETURNING next_position - 1
"""

INSERT_BLOCK = """
    INSERT INTO block (bucket, run_id, first_position, last_position, transport_code_id, epoch, engine_id,
                       reserved_to, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open')
"""

# Rows of a stream whose time has come, the longest waiting first, of runs that may send.
CHOOSE_DUE = """
    SELECT d.bucket, d.message_id, d.attempt, d.run_id, d.transport_code_id, d.segments, d.text_crc
    FROM due d INDEXED BY ix_due_next
    WHERE d.bucket = :bucket AND d.transport_code_id = :code AND d.state = 'ready' AND d.stream = :stream
      AND d.not_before <= :now
      AND EXISTS (SELECT 1 FROM skill_run r
                  WHERE r.bucket = d.bucket AND r.id = d.run_id AND r.state = 'running' AND r.expires_at > :now)
    ORDER BY d.not_before LIMIT :size
"""

DELETE_DUE = "DELETE FROM due WHERE bucket = ? AND message_id = ? AND attempt = ?"

INSERT_INTENT = """
    INSERT INTO intent (bucket, message_id, attempt, run_id, transport_code_id, segments, text_crc,
                        epoch, engine_id, reserved, flush_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
"""

# The block that an earlier try of the same flush made.
TAKEN_BLOCK = """
    SELECT last_position, transport_code_id FROM block
    WHERE bucket = ? AND run_id = ? AND first_position = ? AND engine_id = ? AND state = 'open'
"""

# The due rows that it took.
TAKEN_DUE = """
    SELECT bucket, message_id, attempt, run_id, transport_code_id, segments, text_crc
    FROM intent WHERE engine_id = ? AND flush_seq = ?
"""


def take_positions(db: Connection, flush: Flush, leases: Sequence[Lease]) -> list[Block]:
    """Blocks from the cursors asked for, as far as they stand as expected."""
    taken = [_move(db, flush, lease, ask) for lease in leases for ask in lease.cursors]
    return [block for block in taken if block is not None]


def take_due(db: Connection, flush: Flush, leases: Sequence[Lease]) -> list[DueTaken]:
    """Intents from `due`."""
    taken: list[DueTaken] = []
    for lease in leases:
        for stream, size in lease.due.items():
            wanted = {"bucket": lease.bucket, "code": lease.transport_code_id, "stream": stream, "now": flush.now}
            rows = db.execute(CHOOSE_DUE, {**wanted, "size": size}).fetchall()
            db.executemany(DELETE_DUE, (row[:3] for row in rows))
            db.executemany(INSERT_INTENT, ((*row, lease.epoch, flush.engine_id, flush.seq) for row in rows))
            taken += [DueTaken(*row) for row in rows]
    return taken


def taken_before(db: Connection, flush: Flush) -> tuple[list[Block], list[DueTaken]]:
    """What this flush took when it was applied the first time."""
    blocks: list[Block] = []
    for lease in flush.leases:
        for ask in lease.cursors:
            key = (lease.bucket, ask.run_id, ask.expected)
            row = db.execute(TAKEN_BLOCK, (*key, flush.engine_id)).fetchone()
            if row is not None:
                blocks.append(Block(*key, row[0], row[1], ask.number))
    return blocks, [DueTaken(*row) for row in db.execute(TAKEN_DUE, (flush.engine_id, flush.seq))]


def _move(db: Connection, flush: Flush, lease: Lease, ask: CursorAsk) -> Block | None:
    row = db.execute(
        MOVE_CURSOR,
        {
            "bucket": lease.bucket,
            "run": ask.run_id,
            "number": ask.number,
            "expected": ask.expected,
            "size": ask.limit,
            "now": flush.now,
            "code": lease.transport_code_id,
        },
    ).fetchall()
    if not row:
        return None
    block = Block(lease.bucket, ask.run_id, ask.expected, row[0][0], lease.transport_code_id, ask.number)
    db.execute(INSERT_BLOCK, (*block[:5], lease.epoch, flush.engine_id, ask.expected - 1))
    return block
