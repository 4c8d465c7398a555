"""Engines and their leases, and who has which lanes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from todoke.model.clock import Micros
from todoke.store.hot.base import BindGroup, EngineLost, EngineRow, Lane, Sharing
from todoke.store.postgres import Connection

NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

REGISTER = """
    INSERT INTO engine (host, boot_id, pid, journal, state, lease_until, flush_seq, started_at)
    VALUES ($1, $2, $3, $4, 'alive', $6, 0, $5) RETURNING id
"""

# A dead engine does not come back.
RENEW = "UPDATE engine SET lease_until = $2 WHERE id = $1 AND state = 'alive'"

LIST = """
    SELECT id, host, boot_id, pid, journal, state, lease_until, flush_seq FROM engine WHERE state = $1 ORDER BY id
"""

MARK = "UPDATE engine SET state = $3 WHERE id = $1 AND state = $2"

FREE = "UPDATE lane SET engine_id = NULL WHERE engine_id = $1 AND provider_id = coalesce($2, provider_id)"

# A lane for every transport code that has none.
MISSING = """
    INSERT INTO lane (bucket, transport_code_id, provider_id, epoch, engine_id, next_slot_at)
    SELECT p.bucket, c.id, c.provider_id, 0, NULL, 0
    FROM transport_code c JOIN provider p ON p.id = c.provider_id
    WHERE NOT EXISTS (SELECT FROM lane l WHERE l.bucket = p.bucket AND l.transport_code_id = c.id)
    ON CONFLICT DO NOTHING
"""

# The bind groups with the engine that has each, if it lives.
GROUPS = """
    SELECT l.provider_id, max(e.id), sum(c.rate)
    FROM lane l
    JOIN transport_code c ON c.id = l.transport_code_id
    LEFT JOIN engine e ON e.id = l.engine_id AND e.state = 'alive' AND e.lease_until >= $1
    GROUP BY l.provider_id ORDER BY l.provider_id
"""

LIVING = "SELECT id FROM engine WHERE state = 'alive' AND lease_until >= $1 ORDER BY id"

# One engine at a time takes lanes of an account: they stay together, whatever codes are added meanwhile.
TURN = "SELECT id FROM provider WHERE $1::bigint[] IS NULL OR id = ANY ($1) ORDER BY id FOR NO KEY UPDATE"

# Lanes to take: of these provider accounts, those none of whose lanes another living engine has.
TAKEABLE = """
    SELECT l.bucket, l.transport_code_id, l.epoch
    FROM lane l
    WHERE l.engine_id IS DISTINCT FROM $1 AND ($3::bigint[] IS NULL OR l.provider_id = ANY ($3))
      AND NOT EXISTS (
        SELECT FROM lane o JOIN engine e ON e.id = o.engine_id
        WHERE o.provider_id = l.provider_id AND o.engine_id <> $1 AND e.state = 'alive' AND e.lease_until >= $2)
    ORDER BY l.bucket, l.transport_code_id
"""

# Takes one lane, if nobody was faster. What the last owner still reserved ends before the next slot; from one that
# only let its lease lapse, and may still write what it holds, we keep a margin.
TAKE = """
    UPDATE lane SET engine_id = $1, epoch = epoch + 1,
                    next_slot_at = greatest(next_slot_at, $2) + CASE WHEN engine_id IS NULL THEN 0 ELSE $3 END
    WHERE bucket = $4 AND transport_code_id = $5 AND epoch = $6 AND engine_id IS DISTINCT FROM $1
"""

MINE = """
    SELECT l.bucket, l.transport_code_id, l.provider_id, c.code, c.type, c.rate, l.epoch, l.next_slot_at
    FROM lane l JOIN transport_code c ON c.id = l.transport_code_id
    WHERE l.engine_id = $1 ORDER BY l.bucket, l.transport_code_id
"""

ALIVE = "SELECT id FROM engine WHERE id = $1 AND state = 'alive' FOR SHARE"


async def now(connection: Connection) -> Micros:
    """The server's own clock."""
    return await connection.fetchval(NOW)


async def register(connection: Connection, *values: Any) -> int:
    """A new engine: host, boot id, pid, journal, now, lease until."""
    return await connection.fetchval(REGISTER, *values)


async def renew(connection: Connection, engine_id: int, lease_until: Micros) -> bool:
    return await connection.execute(RENEW, engine_id, lease_until) == "UPDATE 1"


async def list_engines(connection: Connection, state: str) -> list[EngineRow]:
    return [EngineRow(*row) for row in await connection.fetch(LIST, state)]


async def mark(connection: Connection, engine_id: int, old: str, new: str) -> bool:
    """Compare-and-set its state; an engine that is gone has no lanes."""
    if await connection.execute(MARK, engine_id, old, new) != "UPDATE 1":
        return False
    await connection.execute(FREE, engine_id, None)
    return True


async def release(connection: Connection, engine_id: int, provider_id: int | None) -> None:
    await connection.execute(FREE, engine_id, provider_id)


async def sharing(connection: Connection, now: Micros) -> Sharing:
    """Who has what; lanes of new codes are made first."""
    await connection.execute(MISSING)
    groups = [BindGroup(*row) for row in await connection.fetch(GROUPS, now)]
    return Sharing(groups, [row[0] for row in await connection.fetch(LIVING, now)])


async def take(
    connection: Connection, engine_id: int, now: Micros, margin: Micros, providers: Collection[int] | None
) -> list[Lane]:
    """Take what is free or whose owner is dead; all lanes that are now this engine's. EngineLost."""
    if await connection.fetchval(ALIVE, engine_id) is None:
        raise EngineLost(f"Engine {engine_id} was declared dead.", fix="It must stop; a new one takes over.")
    of = None if providers is None else sorted(providers)
    await connection.fetch(TURN, of)
    await connection.execute(MISSING)
    for bucket, code, epoch in await connection.fetch(TAKEABLE, engine_id, now, of):
        await connection.execute(TAKE, engine_id, now, margin, bucket, code, epoch)
    return [Lane(*row) for row in await connection.fetch(MINE, engine_id)]
