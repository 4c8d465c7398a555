"""Engines and their leases, and who has which lanes."""

from __future__ import annotations

import json
from collections.abc import Collection
from sqlite3 import Connection
from typing import Any

from todoke.model.clock import Micros
from todoke.store.hot.base import BindGroup, EngineLost, EngineRow, Lane, Sharing

REGISTER = """
    INSERT INTO engine (host, boot_id, pid, journal, state, started_at, lease_until, flush_seq)
    VALUES (?, ?, ?, ?, 'alive', ?, ?, 0) RETURNING id
"""

# A dead engine does not come back.
RENEW = "UPDATE engine SET lease_until = ? WHERE id = ? AND state = 'alive'"

LIST = """
    SELECT id, host, boot_id, pid, journal, state, lease_until, flush_seq FROM engine WHERE state = ? ORDER BY id
"""

MARK = "UPDATE engine SET state = ? WHERE id = ? AND state = ?"

FREE = "UPDATE lane SET engine_id = NULL WHERE engine_id = ?1 AND provider_id = coalesce(?2, provider_id)"

# A lane for every transport code that has none.
MISSING = """
    INSERT INTO lane (bucket, transport_code_id, provider_id, epoch, engine_id, next_slot_at)
    SELECT p.bucket, c.id, c.provider_id, 0, NULL, 0
    FROM transport_code c JOIN provider p ON p.id = c.provider_id
    WHERE NOT EXISTS (SELECT 1 FROM lane l WHERE l.bucket = p.bucket AND l.transport_code_id = c.id)
"""

# The bind groups with the engine that has each, if it lives.
GROUPS = """
    SELECT l.provider_id, max(e.id), sum(c.rate)
    FROM lane l
    JOIN transport_code c ON c.id = l.transport_code_id
    LEFT JOIN engine e ON e.id = l.engine_id AND e.state = 'alive' AND e.lease_until >= ?
    GROUP BY l.provider_id ORDER BY l.provider_id
"""

LIVING = "SELECT id FROM engine WHERE state = 'alive' AND lease_until >= ? ORDER BY id"

# Takes the lanes of these provider accounts, those none of whose lanes another living engine has. What the last owner
# still reserved ends before the next slot; from one that only let its lease lapse we keep a margin.
TAKE = """
    UPDATE lane SET engine_id = :engine, epoch = epoch + 1,
                    next_slot_at = max(next_slot_at, :now) + CASE WHEN engine_id IS NULL THEN 0 ELSE :margin END
    WHERE engine_id IS NOT :engine
      AND (:providers IS NULL OR provider_id IN (SELECT value FROM json_each(:providers)))
      AND NOT EXISTS (
        SELECT 1 FROM lane o JOIN engine e ON e.id = o.engine_id
        WHERE o.provider_id = lane.provider_id AND o.engine_id <> :engine
          AND e.state = 'alive' AND e.lease_until >= :now)
"""

MINE = """
    SELECT l.bucket, l.transport_code_id, l.provider_id, c.code, c.type, c.rate, l.epoch, l.next_slot_at
    FROM lane l JOIN transport_code c ON c.id = l.transport_code_id
    WHERE l.engine_id = ? ORDER BY l.bucket, l.transport_code_id
"""

ALIVE = "SELECT id FROM engine WHERE id = ? AND state = 'alive'"


def register(db: Connection, *values: Any) -> int:
    """A new engine: host, boot id, pid, journal, now, lease until."""
    return db.execute(REGISTER, values).fetchone()[0]


def renew(db: Connection, engine_id: int, lease_until: Micros) -> bool:
    return db.execute(RENEW, (lease_until, engine_id)).rowcount == 1


def list_engines(db: Connection, state: str) -> list[EngineRow]:
    return [EngineRow(*row) for row in db.execute(LIST, (state,))]


def mark(db: Connection, engine_id: int, old: str, new: str) -> bool:
    """Compare-and-set its state; an engine that is gone has no lanes."""
    if db.execute(MARK, (new, engine_id, old)).rowcount != 1:
        return False
    db.execute(FREE, (engine_id, None))
    return True


def release(db: Connection, engine_id: int, provider_id: int | None) -> None:
    db.execute(FREE, (engine_id, provider_id))


def sharing(db: Connection, now: Micros) -> Sharing:
    """Who has what; lanes of new codes are made first."""
    db.execute(MISSING)
    groups = [BindGroup(*row) for row in db.execute(GROUPS, (now,))]
    return Sharing(groups, [row[0] for row in db.execute(LIVING, (now,))])


def take(db: Connection, engine_id: int, now: Micros, margin: Micros, providers: Collection[int] | None) -> list[Lane]:
    """Take what is free or whose owner is dead; all lanes that are now this engine's. EngineLost."""
    if db.execute(ALIVE, (engine_id,)).fetchone() is None:
        raise EngineLost(f"Engine {engine_id} was declared dead.", fix="It must stop; a new one takes over.")
    db.execute(MISSING)
    of = None if providers is None else json.dumps(sorted(providers))
    db.execute(TAKE, {"engine": engine_id, "now": now, "margin": margin, "providers": of})
    return [Lane(*row) for row in db.execute(MINE, (engine_id,))]
