"""The middle of a flush: blocks close, intents are settled, rows go to `due`."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from todoke.store.hot.base import BlockKey, DueKey
from todoke.store.hot.due import Placed

# A block whose every position has its outcome.
CLOSE = """
    UPDATE block SET state = 'closed'
    WHERE bucket = ? AND run_id = ? AND first_position = ? AND engine_id = ? AND state = 'open'
"""

# An intent that has its outcome.
SETTLE = "DELETE FROM intent WHERE bucket = ? AND message_id = ? AND attempt = ? AND engine_id = ?"

# What has a time of its own, in the stream of its run; a repeat changes nothing.
INSERT_DUE = """
    INSERT INTO due (bucket, message_id, attempt, run_id, transport_code_id, not_before, segments, text_crc, state,
                     stream)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT r.stream FROM skill_run r WHERE r.bucket = ? AND r.id = ?))
    ON CONFLICT DO NOTHING
"""


def close_blocks(db: Connection, engine_id: int, keys: Sequence[BlockKey]) -> None:
    """Close this engine's open blocks with these keys."""
    db.executemany(CLOSE, ((*key, engine_id) for key in keys))


def settle_intents(db: Connection, engine_id: int, keys: Sequence[DueKey]) -> None:
    """Remove this engine's intents with these keys."""
    db.executemany(SETTLE, ((*key, engine_id) for key in keys))


def insert_due(db: Connection, placed: Sequence[Placed]) -> None:
    """Store due rows in the state that their run asks for."""
    db.executemany(INSERT_DUE, ((*row, state, row.bucket, row.run_id) for row, state in placed))
