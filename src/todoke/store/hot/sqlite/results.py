"""Results into `event`, and the tallies with them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from sqlite3 import Connection, IntegrityError

import msgspec

from todoke.model.event import Event, Kind
from todoke.model.ids import BUCKET_SHIFT
from todoke.model.run import RunState
from todoke.store.hot.base import Fresh
from todoke.store.hot.doubts import NOTHING_KNOWN, Details, change
from todoke.store.hot.due import RunKey
from todoke.store.hot.matching import Quick, Surprise
from todoke.store.hot.sqlite import bulk, doubts
from todoke.store.hot.tallies import Tallies, TallyRow, add_events

_EVENT = """
    INSERT INTO event (bucket, message_id, segment, attempt, kind, at, segments, provider_id, provider_message_id,
                       reason)
"""

# New acceptances of messages of one segment: bucket, moment and provider are the same for all.
FRESH = "(?1, {}, 1, 0, 30, ?2, 1, ?3, {}, '')"

# Receipts of messages of one segment at their first attempt.
QUICK = "({}, {}, 1, 0, {}, {}, 1, {}, NULL, {})"

# The same, delivered, of one provider in one bucket.
DELIVERED = f"(?1, {{}}, 1, 0, {int(Kind.DELIVERED)}, {{}}, 1, ?2, NULL, '')"

ANY = "({}, {}, {}, {}, {}, {}, {}, {}, {}, {})"

# All events of some messages, as one JSON array in one step.
EVENTS_OF = f"""
    SELECT json_group_array(json_array(e.message_id, e.segment, e.attempt, e.kind, e.at, e.segments, e.provider_id,
                                       e.provider_message_id, e.reason))
    FROM json_each(?) AS k CROSS JOIN event e ON e.bucket = k.value >> {BUCKET_SHIFT} AND e.message_id = k.value
"""

STATE = "SELECT state FROM skill_run WHERE bucket = ? AND id = ?"

# Moves live counts.
COUNT = """
    INSERT INTO tally (bucket, run_id, outcome, reason, hour, messages, segments) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (bucket, run_id, outcome, reason, hour) DO UPDATE
    SET messages = messages + excluded.messages, segments = segments + excluded.segments
"""

_DELIVERED = int(Kind.DELIVERED)
_events = msgspec.json.Decoder(list[Event])


def run_states(db: Connection, runs: Iterable[RunKey]) -> dict[RunKey, RunState]:
    """The states of these runs; nobody changes them before this transaction ends."""
    found = {run: db.execute(STATE, run).fetchone() for run in runs}
    return {run: RunState(row[0]) for run, row in found.items() if row is not None}


def append_fresh(db: Connection, group: Fresh) -> None:
    """New acceptances, as fast as the database takes them; Surprise where one is stored already."""
    shared = (group.bucket, group.at, group.provider_id)
    with _surprised():
        bulk.insert(db, _EVENT, FRESH, shared, (group.message_ids, group.provider_message_ids))


def append_quick(db: Connection, quick: Sequence[Quick]) -> None:
    """Receipts of messages that have nothing but their acceptance; Surprise where that is not so."""
    delivered: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    others: list[tuple[int, int, int, int, int, str]] = []
    last_bucket = last_provider = -1
    ids, moments = list[int](), list[int]()
    for message_id, _, receipt in quick:
        bucket, provider_id = message_id >> BUCKET_SHIFT, receipt[0]
        if receipt.kind != _DELIVERED or receipt.reason:
            others.append((bucket, message_id, receipt.kind, receipt.at, provider_id, receipt.reason))
            continue
        if provider_id != last_provider or bucket != last_bucket:  # neighbours mostly share both
            last_bucket, last_provider = bucket, provider_id
            ids, moments = delivered.setdefault((bucket, provider_id), ([], []))
        ids.append(message_id)
        moments.append(receipt.at)
    with _surprised():
        for shared, columns in delivered.items():
            bulk.insert(db, _EVENT, DELIVERED, shared, columns)
        if others:
            bulk.insert(db, _EVENT, QUICK, (), list(zip(*others, strict=True)))


def events_of(db: Connection, message_ids: Iterable[int]) -> list[Event]:
    """Every event of these messages."""
    ids = msgspec.json.encode(sorted(message_ids)).decode()
    return _events.decode(db.execute(EVENTS_OF, (ids,)).fetchone()[0])


def append_exactly(
    db: Connection, offered: Sequence[Event], tallies: Tallies, known: Details = NOTHING_KNOWN
) -> list[Event]:
    """Write what is not stored yet and move `tallies` by the difference it makes; the rows of what is in doubt follow,
    with what is `known` of new doubts.

    Returns every event, old and new, of the messages concerned.
    """
    if not offered:
        return []
    stored = events_of(db, {event.message_id for event in offered})
    new = add_events(stored, offered, tallies)
    if new:
        rows = [(event.message_id >> BUCKET_SHIFT, *event) for event in new]
        with _surprised():
            bulk.insert(db, _EVENT, ANY, (), list(zip(*rows, strict=True)))
    touched = stored + new
    if any(moved := change(stored, new)) and (heard := doubts.follow(db, moved, known)):
        touched += append_exactly(db, heard, tallies)
    return touched


def count(db: Connection, rows: Sequence[TallyRow]) -> None:
    """Move the live counts."""
    db.executemany(COUNT, rows)


@contextmanager
def _surprised() -> Generator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Surprise from error
