"""The first statement of every flush: it counts the flush, and tells whether it took place before."""

from __future__ import annotations

from sqlite3 import Connection

from todoke.store.hot.base import Flush
from todoke.store.hot.passing import Passed, explain

# Moves this engine's flush number by exactly one; a dead engine writes nothing.
COUNT = """
    UPDATE engine SET flush_seq = :seq WHERE id = :id AND flush_seq = :seq - 1 AND state = 'alive'
"""

READ = "SELECT flush_seq, state FROM engine WHERE id = ?"

# Whether another engine writes to this file, or a later one did.
OTHERS = "SELECT EXISTS (SELECT 1 FROM engine WHERE id <> :id AND (id > :id OR state = 'alive'))"


def pass_fence(db: Connection, flush: Flush) -> Passed:
    """What the flush may do; FlushOverlap, EngineLost."""
    if db.execute(COUNT, {"id": flush.engine_id, "seq": flush.seq}).rowcount == 1:
        others = db.execute(OTHERS, {"id": flush.engine_id}).fetchone()[0]
        return Passed.AMONG_OTHERS if others else Passed.ALONE
    flush_seq, state = db.execute(READ, (flush.engine_id,)).fetchone() or (None, None)
    return explain(flush, flush_seq, state)
