"""Bringing forward what waits longer than it must."""

from __future__ import annotations

from todoke.model.clock import Micros
from todoke.store.hot.forwarding import AT_ONCE, LONGEST_RETRY, Span
from todoke.store.postgres import Connection

# Some rows that are held until a moment in the span, by their moments (`run_id + 0`: by the run's key each piece would
# pass all that were moved before it). What a pause or a stop has in hand is looked at again later.
FORWARD = """
    WITH chosen AS (
        SELECT bucket, message_id, attempt FROM due
        WHERE bucket = $1 AND transport_code_id = $2 AND state = ANY ('{ready,parked}') AND stream = $3
          AND not_before > $4 AND not_before <= $5
          AND run_id + 0 = ANY ($6::bigint[]) AND (attempt = 0 OR not_before > $7)
        LIMIT $8 FOR UPDATE SKIP LOCKED
    )
    UPDATE due d SET not_before = $4 FROM chosen k
    WHERE d.bucket = k.bucket AND d.message_id = k.message_id AND d.attempt = k.attempt
    RETURNING 1
"""


async def forward(connection: Connection, span: Span, now: Micros) -> int:
    """At most AT_ONCE rows; how many."""
    key = (span.bucket, span.transport_code_id, span.stream, span.to, span.until, list(span.run_ids))
    return len(await connection.fetch(FORWARD, *key, now + LONGEST_RETRY, AT_ONCE))
