"""What phones say: stored before it is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.store.hot.base import InboundPart, StoredInbound
from todoke.store.hot.inbox import PARTS_WITHIN, Row, answer, find_repeats, row_of

# What these phones sent lately.
LATELY = """
    SELECT i.id, i.provider_id, i.source, i.destination, i.text, i.reference, i.total, i.number, i.session,
           i.received_at
    FROM json_each(?) AS k CROSS JOIN inbound i ON i.bucket = ? AND i.source = k.value AND i.received_at >= ?
    ORDER BY i.id
"""

INSERT = """
    INSERT INTO inbound (bucket, business_unit_id, provider_id, transport_code_id, source, destination, text,
                         reference, total, number, session, received_at, meaning)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""

MEANING = "UPDATE inbound SET meaning = ? WHERE id = ?"


def store(db: Connection, parts: Sequence[InboundPart]) -> list[StoredInbound]:
    """Store these parts in their order; what is whole now, what was stored before."""
    if not parts:
        return []
    rows = _lately(db, parts)
    found = find_repeats(parts, rows)
    ids: list[int] = []
    for part, repeated in zip(parts, found, strict=True):
        if repeated is None:
            ids.append(db.execute(INSERT, (*part, "reply" if part.total == 1 else "part")).fetchall()[0][0])
            rows.append(row_of(part, ids[-1]))
        else:
            ids.append(repeated if repeated > 0 else ids[-repeated - 1])
    answers = answer(parts, ids, [repeated is not None for repeated in found], rows)
    set_meanings(db, [(a.id, "reply") for a in answers if a.text is not None and not a.repeated])
    return answers


def set_meanings(db: Connection, meanings: Sequence[tuple[int, str]]) -> None:
    """What stored messages turned out to mean."""
    db.executemany(MEANING, ((meaning, id) for id, meaning in meanings))


def _lately(db: Connection, parts: Sequence[InboundPart]) -> list[Row]:
    since = min(part.received_at for part in parts) - PARTS_WITHIN
    rows: list[Row] = []
    for bucket in sorted({part.bucket for part in parts}):
        sources = json.dumps(sorted({part.source for part in parts if part.bucket == bucket}))
        rows += [Row(*row) for row in db.execute(LATELY, (sources, bucket, since))]
    return rows
