"""Bringing forward what waits longer than it must."""

from __future__ import annotations

import json
from sqlite3 import Connection

from todoke.model.clock import Micros
from todoke.store.hot.forwarding import AT_ONCE, LONGEST_RETRY, Span

# Some rows that are held until a moment in the span.
FORWARD = """
    UPDATE due SET not_before = :to WHERE rowid IN (
        SELECT rowid FROM due INDEXED BY ix_due_next
        WHERE bucket = :bucket AND transport_code_id = :code AND state IN ('ready', 'parked') AND stream = :stream
          AND not_before > :to AND not_before <= :until
          AND run_id IN (SELECT value FROM json_each(:runs)) AND (attempt = 0 OR not_before > :retried)
        LIMIT :size)
"""


def forward(db: Connection, span: Span, now: Micros) -> int:
    """At most AT_ONCE rows; how many."""
    wanted = {
        "bucket": span.bucket,
        "code": span.transport_code_id,
        "stream": span.stream,
        "to": span.to,
        "until": span.until,
        "runs": json.dumps(span.run_ids),
        "retried": now + LONGEST_RETRY,
        "size": AT_ONCE,
    }
    return db.execute(FORWARD, wanted).rowcount
