"""Readings of what became of messages."""

from __future__ import annotations

from itertools import groupby
from sqlite3 import Connection

from todoke.model.event import Event, Folded, fold
from todoke.model.ids import MAX_ORDINAL, base

# The events of the next messages of a run that have any.
STATES = """
    SELECT message_id, segment, attempt, kind, at, segments, provider_id, provider_message_id, reason
    FROM event
    WHERE bucket = :bucket AND message_id BETWEEN :first AND (
        SELECT max(message_id) FROM (
            SELECT DISTINCT message_id FROM event WHERE bucket = :bucket AND message_id BETWEEN :first AND :last
            ORDER BY message_id LIMIT :size))
    ORDER BY message_id
"""


def message_states(
    db: Connection, bucket: int, run_id: int, first_ordinal: int, limit: int
) -> list[tuple[int, Folded]]:
    """Messages with events from `first_ordinal` on, in order, with their states."""
    start = base(bucket, run_id)
    wanted = {"bucket": bucket, "first": start + first_ordinal, "last": start + MAX_ORDINAL, "size": limit}
    events = [Event(*row) for row in db.execute(STATES, wanted)]
    return [(message_id, fold(group)) for message_id, group in groupby(events, lambda e: e.message_id)]
