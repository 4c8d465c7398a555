"""Lanes inside a flush: held for as long as the transaction lasts, and only by who still has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.store.hot.base import Reserve
from todoke.store.hot.lanes import Held
from todoke.store.postgres import Connection

# Holds the lanes that are still this engine's under the epoch it knows, in one order.
HOLD = """
    SELECT l.transport_code_id, l.epoch
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS k (bucket, code, epoch)
    JOIN lane l ON l.bucket = k.bucket AND l.transport_code_id = k.code
    WHERE l.epoch = k.epoch AND l.engine_id = $1
    ORDER BY l.bucket, l.transport_code_id
    FOR NO KEY UPDATE OF l
"""

# Where the next segment of each lane may go.
MOVE = """
    UPDATE lane l SET next_slot_at = k.next_slot_at
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS k (bucket, code, next_slot_at)
    WHERE l.bucket = k.bucket AND l.transport_code_id = k.code AND l.engine_id = $1
"""


async def hold_lanes(connection: Connection, engine_id: int, keys: Iterable[tuple[int, int, int]]) -> Held:
    """The (transport code, epoch) of those that are this engine's, held until the transaction ends."""
    ordered = sorted(keys)
    if not ordered:
        return set()
    rows = await connection.fetch(HOLD, engine_id, *map(list, zip(*ordered, strict=True)))
    return {(code, epoch) for code, epoch in rows}


async def move_slots(connection: Connection, engine_id: int, reserves: Sequence[Reserve]) -> None:
    """Store where the next segment of each granted lane may go; the lanes are held."""
    keys = [(r.bucket, r.transport_code_id, r.next_slot_at) for r in reserves if r.next_slot_at]
    if keys:
        await connection.execute(MOVE, engine_id, *map(list, zip(*keys, strict=True)))
