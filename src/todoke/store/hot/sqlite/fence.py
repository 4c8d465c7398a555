"""The first statement of every flush: it counts the flush, and tells whether it took place before."""

from __future__ import annotations

from enum import Enum, auto
from sqlite3 import Connection

from todoke.store.hot.base import EngineLost, Flush, FlushOverlap

# Moves this engine's flush number by exactly one; a dead engine writes nothing.
COUNT = """
    UPDATE engine SET flush_seq = :seq WHERE id = :id AND flush_seq = :seq - 1 AND state = 'alive'
"""

READ = "SELECT flush_seq, state FROM engine WHERE id = ?"

# Whether another engine writes to this file, or a later one did.
OTHERS = "SELECT EXISTS (SELECT 1 FROM engine WHERE id <> :id AND (id > :id OR state = 'alive'))"


class Passed(Enum):
    """ALONE: nobody else writes events, so that what is known by heart is true. BEFORE: it was applied already."""

    ALONE = auto()
    AMONG_OTHERS = auto()
    BEFORE = auto()


def pass_fence(db: Connection, flush: Flush) -> Passed:
    """What the flush may do; FlushOverlap, EngineLost."""
    if db.execute(COUNT, {"id": flush.engine_id, "seq": flush.seq}).rowcount == 1:
        others = db.execute(OTHERS, {"id": flush.engine_id}).fetchone()[0]
        return Passed.AMONG_OTHERS if others else Passed.ALONE
    row = db.execute(READ, (flush.engine_id,)).fetchone()
    if row is None or row[1] != "alive":
        raise EngineLost(f"Engine {flush.engine_id} was declared dead.", fix="It must stop; a new one takes over.")
    if row[0] == flush.seq:
        return Passed.BEFORE
    raise FlushOverlap(
        f"Engine {flush.engine_id} is at flush {row[0]}, not at {flush.seq - 1}.",
        fix="Stop the other process that writes under its id.",
    )
