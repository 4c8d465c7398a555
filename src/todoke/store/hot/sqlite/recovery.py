"""What a dead engine left: found, and closed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.clock import Micros
from todoke.model.event import Event
from todoke.model.ids import BUCKET_SHIFT
from todoke.store.hot.base import BlockKey, Doubt, DueKey, DueRow, OpenBlock, OpenIntent
from todoke.store.hot.doubts import details
from todoke.store.hot.due import JOURNAL_LOST, left_over, place, without
from todoke.store.hot.sqlite import guards
from todoke.store.hot.sqlite.blocks import insert_due
from todoke.store.hot.sqlite.results import append_exactly, count, events_of, run_states
from todoke.store.hot.tallies import Tallies

BLOCKS = """
    SELECT b.bucket, b.run_id, b.first_position, b.last_position, b.reserved_to, b.transport_code_id, r.list_id
    FROM block b JOIN skill_run r ON r.bucket = b.bucket AND r.id = b.run_id
    WHERE b.engine_id = ? AND b.state <> 'closed'
    ORDER BY b.bucket, b.run_id, b.first_position
"""

INTENTS = """
    SELECT bucket, message_id, attempt, run_id, transport_code_id, reserved, segments, text_crc
    FROM intent WHERE engine_id = ? ORDER BY bucket, message_id, attempt
"""

EVENTS = """
    SELECT message_id, segment, attempt, kind, at, segments, provider_id, provider_message_id, reason
    FROM event WHERE bucket = ? AND message_id BETWEEN ? AND ?
    ORDER BY message_id, segment, attempt, kind
"""

# Closes a dead engine's block, if nobody did before.
CLOSE = """
    UPDATE block SET state = 'closed'
    WHERE bucket = ? AND run_id = ? AND first_position = ? AND engine_id = ? AND state <> 'closed'
"""

# Takes a dead engine's intent away, if nobody did before.
TAKE_INTENT = "DELETE FROM intent WHERE bucket = ? AND message_id = ? AND attempt = ? AND engine_id = ?"


# Which of these messages somebody has in hand, or will try once more: ids and attempts as [[id, attempt], ...].
UNDER_WAY = """
    SELECT i.message_id FROM json_each(?2) AS k
    CROSS JOIN intent i ON i.bucket = ?1 AND i.message_id = k.value ->> 0
    UNION
    SELECT d.message_id FROM json_each(?2) AS k
    CROSS JOIN due d ON d.bucket = ?1 AND d.message_id = k.value ->> 0 AND d.attempt > k.value ->> 1
"""


def open_blocks(db: Connection, engine_id: int) -> list[OpenBlock]:
    return [OpenBlock(BlockKey(*row[:3]), *row[3:]) for row in db.execute(BLOCKS, (engine_id,))]


def open_intents(db: Connection, engine_id: int) -> list[OpenIntent]:
    return [
        OpenIntent(DueKey(*row[:3]), row[3], row[4], bool(row[5]), row[6], row[7])
        for row in db.execute(INTENTS, (engine_id,))
    ]


def events_between(db: Connection, first: int, last: int) -> list[Event]:
    return [Event(*row) for row in db.execute(EVENTS, (first >> BUCKET_SHIFT, first, last))]


def recover_block(
    db: Connection,
    key: BlockKey,
    engine_id: int,
    due: Sequence[DueRow],
    events: Sequence[Event],
    doubts: Sequence[Doubt],
    now: Micros,
) -> list[Event] | None:
    """The events of the messages concerned; None where the block was closed before."""
    if db.execute(CLOSE, (*key, engine_id)).rowcount != 1:
        return None
    return _write(db, due, events, doubts, now)


def recover_intent(
    db: Connection,
    key: DueKey,
    engine_id: int,
    due: Sequence[DueRow],
    events: Sequence[Event],
    doubts: Sequence[Doubt],
    now: Micros,
) -> list[Event] | None:
    """The events of the messages concerned; None where the intent was settled before."""
    if db.execute(TAKE_INTENT, (*key, engine_id)).rowcount != 1:
        return None
    return _write(db, due, events, doubts, now)


def _write(
    db: Connection, due: Sequence[DueRow], events: Sequence[Event], doubts: Sequence[Doubt], now: Micros
) -> list[Event]:
    if due:
        told = events_of(db, {row.message_id for row in due})
        keys = json.dumps([[row.message_id, row.attempt] for row in due])
        due = left_over(due, told, {row[0] for row in db.execute(UNDER_WAY, (due[0].bucket, keys))})
    lost = [event for event in events if event.reason == JOURNAL_LOST]
    if lost:
        keys = json.dumps([(event.message_id, event.attempt - 1) for event in lost])
        rows = db.execute(UNDER_WAY, (lost[0].message_id >> BUCKET_SHIFT, keys))
        events = without(events, {row[0] for row in rows})
    placed, stopped = place(due, run_states(db, {(row.bucket, row.run_id) for row in due}), now)
    tallies = Tallies()
    touched = append_exactly(db, [*events, *stopped], tallies, details(doubts))
    count(db, tallies.rows())
    insert_due(db, placed)
    if due:
        guards.never_sent(db, due[0].bucket, due[0].run_id, [row.message_id for row in due])
    return touched
