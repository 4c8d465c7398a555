"""The first statement of every flush: it counts the flush, and tells whether it took place before."""

from __future__ import annotations

from todoke.store.hot.base import EngineLost, Flush, FlushOverlap
from todoke.store.postgres import Connection

# Moves this engine's flush number by exactly one; a dead engine writes nothing.
COUNT = """
    UPDATE engine SET flush_seq = $2 WHERE id = $1 AND flush_seq = $2 - 1 AND state = 'alive'
"""

READ = """
    SELECT flush_seq, state FROM engine WHERE id = $1
"""


async def pass_fence(connection: Connection, flush: Flush) -> bool:
    """True where the flush is to be applied, False where it took place before; FlushOverlap, EngineLost."""
    if await connection.execute(COUNT, flush.engine_id, flush.seq) == "UPDATE 1":
        return True
    row = await connection.fetchrow(READ, flush.engine_id)
    if row is None or row["state"] != "alive":
        raise EngineLost(f"Engine {flush.engine_id} was declared dead.", fix="It must stop; a new one takes over.")
    if row["flush_seq"] == flush.seq:
        return False
    raise FlushOverlap(
        f"Engine {flush.engine_id} is at flush {row['flush_seq']}, not at {flush.seq - 1}.",
        fix="Stop the other process that writes under its id.",
    )
