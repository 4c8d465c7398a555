"""The rows of what is in doubt: they follow the events, in the transaction that appends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection

import msgspec

from todoke.model.event import Event
from todoke.model.ids import BUCKET_SHIFT
from todoke.store.hot.base import Receipt
from todoke.store.hot.doubts import Change, Details, Pair, number_of, placed, receipt_events, row_of, strangers, unique
from todoke.store.hot.matching import Accepted
from todoke.store.hot.sqlite import selected
from todoke.store.hot.sqlite.receipts import take_orphans

END = "DELETE FROM doubt WHERE bucket = ? AND message_id = ? AND segment = ? AND attempt = ?"

# What was to be sent again of messages that have come to an end now.
DROP_DUE = "DELETE FROM due WHERE bucket = ? AND message_id = ?"

# New doubts, with what their run, its skill and its code say of them: an array of `doubts.row_of`.
BEGIN = """
    INSERT INTO doubt (bucket, message_id, segment, attempt, run_id, transport_code_id, provider_id, code, destination,
                       reference, segments, text_crc, reason, at, earliest_at, retry_at)
    SELECT k.value ->> 0, k.value ->> 1, k.value ->> 2, k.value ->> 3, r.id, c.id,
           coalesce(k.value ->> 6, c.provider_id), ltrim(c.code, '+'), coalesce(k.value ->> 7, t.destination),
           k.value ->> 8, k.value ->> 9, k.value ->> 10, k.value ->> 11, k.value ->> 12,
           coalesce(k.value ->> 13, max(r.started_at, (k.value ->> 12) - 3600000000)),
           CASE WHEN s.in_doubt_policy = 'at_least_once' AND r.state IN ('running', 'paused')
                THEN (k.value ->> 12) + s.in_doubt_minutes * 60000000 END
    FROM json_each(?) AS k
    CROSS JOIN skill_run r ON r.bucket = k.value ->> 0 AND r.id = k.value ->> 4
    CROSS JOIN skill s ON s.id = r.skill_id
    CROSS JOIN transport_code c ON c.id = r.transport_code_id
    LEFT JOIN contact t ON t.bucket = r.bucket AND t.list_id = r.list_id AND t.position = k.value ->> 5
    WHERE true
    ON CONFLICT DO NOTHING
    RETURNING provider_id, destination
"""

# Doubts and orphans of one provider and number.
PAIRS = """
    SELECT d.message_id, d.segment, d.attempt, d.segments, d.reference, d.code, d.at, d.earliest_at,
           o.provider_message_id, o.reference, o.code, o.at
    FROM doubt d INDEXED BY ix_doubt_number
    CROSS JOIN orphan o INDEXED BY ix_orphan_number ON o.provider_id = d.provider_id AND o.number = d.destination
    WHERE d.bucket = (SELECT bucket FROM provider WHERE id = ?1) AND d.provider_id = ?1 AND d.destination = ?2
"""

# The same for all recent doubts of a provider; the number comes first.
RECENT = """
    SELECT d.destination, d.message_id, d.segment, d.attempt, d.segments, d.reference, d.code, d.at, d.earliest_at,
           o.provider_message_id, o.reference, o.code, o.at
    FROM doubt d INDEXED BY ix_doubt_recent
    CROSS JOIN orphan o INDEXED BY ix_orphan_number ON o.provider_id = d.provider_id AND o.number = d.destination
    WHERE d.bucket = (SELECT bucket FROM provider WHERE id = ?1) AND d.provider_id = ?1 AND d.at > ?2
"""

# Whether any orphan of a provider says which number it is about.
NUMBERED = "SELECT EXISTS (SELECT 1 FROM orphan WHERE provider_id = ? AND number > 0)"

# The doubts that a receipt may be about that echoes a reference.
ECHOED = """
    SELECT message_id, segment, attempt, segments FROM doubt INDEXED BY ix_doubt_number
    WHERE bucket = (SELECT bucket FROM provider WHERE id = ?1) AND provider_id = ?1 AND destination = ?2
      AND reference = ?3
"""


def follow(db: Connection, change: Change, known: Details) -> list[Event]:
    """Let rows go and come; what orphans say of the new ones, as events to be appended."""
    db.executemany(END, [(key[0] >> BUCKET_SHIFT, *key) for key in change.ended])
    db.executemany(DROP_DUE, [(message_id >> BUCKET_SHIFT, message_id) for message_id in change.over])
    if not change.begun:
        return []
    told = [row_of(event, known) for event in change.begun]
    positions = selected.of_messages(db, strangers(told))
    rows = msgspec.json.encode(placed(told, positions)).decode()
    numbers: dict[int, set[int]] = {}
    for provider_id, number in db.execute(BEGIN, (rows,)).fetchall():
        if number is not None:
            numbers.setdefault(provider_id, set()).add(number)
    events: list[Event] = []
    for provider_id, of_provider in sorted(numbers.items()):
        if db.execute(NUMBERED, (provider_id,)).fetchone()[0]:
            for number in sorted(of_provider):
                events.extend(taken(db, provider_id, unique(pairs(db, provider_id, number), -1)))
    return events


def pairs(db: Connection, provider_id: int, number: int) -> list[Pair]:
    return [Pair(*row) for row in db.execute(PAIRS, (provider_id, number))]


def recent(db: Connection, provider_id: int, after: int) -> dict[int, list[Pair]]:
    """By number."""
    found: dict[int, list[Pair]] = {}
    for number, *pair in db.execute(RECENT, (provider_id, after)):
        found.setdefault(number, []).append(Pair(*pair))
    return found


def taken(db: Connection, provider_id: int, matched: Iterable[Pair]) -> list[Event]:
    """Take the orphans of these pairs; what they say as events."""
    return [
        event
        for pair in matched
        for receipt in take_orphans(db, [(provider_id, pair.provider_message_id)])
        for event in receipt_events(receipt, pair.key, pair.segments)
    ]


def echoed(db: Connection, receipts: Sequence[Receipt]) -> list[tuple[Receipt, Accepted]]:
    """Those of these receipts that echo the reference of exactly one doubt about their number."""
    found: list[tuple[Receipt, Accepted]] = []
    for receipt in receipts:
        number = number_of(receipt.phone)
        if receipt.reference is not None and number is not None:
            rows = db.execute(ECHOED, (receipt.provider_id, number, receipt.reference)).fetchall()
            if len(rows) == 1:
                found.append((receipt, Accepted(*rows[0])))
    return found
