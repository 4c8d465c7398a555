"""The first statement of every flush: it counts the flush, and tells whether it took place before."""

from __future__ import annotations

from todoke.store.hot.base import Flush
from todoke.store.hot.passing import Passed, explain
from todoke.store.postgres import Connection

# Whether another engine lives, or a later one did.
OTHERS = """
    SELECT EXISTS (SELECT FROM engine WHERE id <> $1 AND (id > $1 OR state = 'alive'))
"""

# Moves this engine's flush number by exactly one; a dead engine writes nothing.
COUNT = f"""
    UPDATE engine SET flush_seq = $2 WHERE id = $1 AND flush_seq = $2 - 1 AND state = 'alive' RETURNING ({OTHERS})
"""

READ = """
    SELECT flush_seq, state FROM engine WHERE id = $1
"""

# Changes nothing and is written to the log: its commit waits for the standby, and with it all that came before.
CONFIRM = """
    UPDATE engine SET flush_seq = flush_seq WHERE id = $1
"""


async def pass_fence(connection: Connection, flush: Flush) -> Passed:
    """What the flush may do; FlushOverlap, EngineLost."""
    others = await connection.fetchval(COUNT, flush.engine_id, flush.seq)
    if others is not None:
        return Passed.AMONG_OTHERS if others else Passed.ALONE
    row = await connection.fetchrow(READ, flush.engine_id)
    passed = explain(flush, None, None) if row is None else explain(flush, row[0], row[1])
    # It is on this server; on the standby it is when this transaction is.
    await connection.execute(CONFIRM, flush.engine_id)
    return passed


async def alone(connection: Connection, engine_id: int) -> bool:
    """Whether nobody else can have written events since this engine passed the fence."""
    return not await connection.fetchval(OTHERS, engine_id)
