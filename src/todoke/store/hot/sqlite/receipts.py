"""Receipts: finding their submissions, and keeping those that came too early."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection

import msgspec

from todoke.store.hot.base import Receipt
from todoke.store.hot.doubts import orphan_row
from todoke.store.hot.matching import Accepted
from todoke.store.hot.orphans import LIMIT, Key, Orphans

# The submissions that a provider gave these ids to, as one JSON array in one step.
ACCEPTED = """
    SELECT json_group_array(
        json_array(e.at, e.provider_message_id, json_array(e.message_id, e.segment, e.attempt, e.segments)))
    FROM json_each(?) AS k
    CROSS JOIN event e INDEXED BY ix_event_provider_message ON e.provider_message_id = k.value
    WHERE e.kind = 30 AND e.provider_id = ? AND e.bucket = (SELECT bucket FROM provider WHERE id = e.provider_id)
"""

# A receipt that matches nothing yet waits here for its submission.
KEEP = """
    INSERT INTO orphan (provider_id, provider_message_id, kind, at, reason, raw, number, code, reference)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""

# Orphans whose submission came: they are receipts again.
TAKE = """
    DELETE FROM orphan WHERE provider_id = ? AND provider_message_id = ?
    RETURNING provider_id, provider_message_id, kind, at, reason, raw, coalesce(cast(number AS text), ''),
              coalesce(code, ''), reference
"""

KEYS = f"SELECT DISTINCT provider_id, provider_message_id FROM orphan LIMIT {LIMIT + 1}"

_submissions = msgspec.json.Decoder(list[tuple[int, str, Accepted]])


def find_accepted(db: Connection, keys: Iterable[Key]) -> dict[Key, Accepted]:
    """The submissions with these keys, as far as they are stored."""
    by_provider: dict[int, set[str]] = {}
    for provider_id, provider_message_id in keys:
        by_provider.setdefault(provider_id, set()).add(provider_message_id)
    found: dict[Key, Accepted] = {}
    for provider_id, ids in by_provider.items():
        rows = _submissions.decode(db.execute(ACCEPTED, (json.dumps(list(ids)), provider_id)).fetchone()[0])
        for _, provider_message_id, submission in sorted(rows):  # where it gave one twice, the latest counts
            found[(provider_id, provider_message_id)] = submission
    return found


def keep_orphans(db: Connection, receipts: Sequence[Receipt]) -> None:
    """Store receipts that match nothing yet; a repeat changes nothing."""
    db.executemany(KEEP, map(orphan_row, receipts))


def take_orphans(db: Connection, keys: Iterable[Key]) -> list[Receipt]:
    """Remove the orphans with these keys and give them back as receipts."""
    found: list[Receipt] = []
    for key in keys:
        found.extend(Receipt(*row) for row in db.execute(TAKE, key).fetchall())
    return found


def refresh(db: Connection, orphans: Orphans, now: int) -> None:
    """Read which orphans there are, if that is due."""
    if orphans.stale(now):
        orphans.replace([(row[0], row[1]) for row in db.execute(KEYS)], now)
