"""Readings of what became of messages."""

from __future__ import annotations

from itertools import groupby

from todoke.model.event import Event, Folded, fold
from todoke.model.ids import MAX_ORDINAL, base
from todoke.store.postgres import Connection

# The events of the next messages of a run that have any.
STATES = """
    SELECT message_id, segment, attempt, kind, at, segments, provider_id, provider_message_id, reason
    FROM event
    WHERE bucket = $1 AND message_id BETWEEN $2 AND (
        SELECT max(message_id) FROM (
            SELECT DISTINCT message_id FROM event WHERE bucket = $1 AND message_id BETWEEN $2 AND $3
            ORDER BY message_id LIMIT $4
        ) AS page)
    ORDER BY message_id
"""


async def message_states(
    connection: Connection, bucket: int, run_id: int, first_ordinal: int, limit: int
) -> list[tuple[int, Folded]]:
    """Messages with events from `first_ordinal` on, in order, with their states."""
    start = base(bucket, run_id)
    rows = await connection.fetch(STATES, bucket, start + first_ordinal, start + MAX_ORDINAL, limit)
    events = [Event(*row) for row in rows]
    return [(message_id, fold(group)) for message_id, group in groupby(events, lambda e: e.message_id)]
