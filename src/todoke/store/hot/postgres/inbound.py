"""What phones say: stored before it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.hot.base import InboundPart, StoredInbound
from todoke.store.hot.inbox import PARTS_WITHIN, Row, answer, find_repeats, row_of
from todoke.store.postgres import Connection

# One at a time for each phone: of two parts that come on two links one must see the other.
TURN = """
    SELECT pg_advisory_xact_lock(7430503, hashtext(phone)) FROM unnest($1::text[]) AS phone
"""

# What these phones sent lately.
LATELY = """
    SELECT i.id, i.provider_id, i.source, i.destination, i.text, i.reference, i.total, i.number, i.session,
           i.received_at
    FROM unnest($2::text[]) AS k (source)
    CROSS JOIN LATERAL (
        SELECT * FROM inbound i WHERE i.bucket = $1 AND i.source = k.source AND i.received_at >= $3 OFFSET 0) i
    ORDER BY i.id
"""

INSERT = """
    INSERT INTO inbound (bucket, business_unit_id, provider_id, transport_code_id, source, destination, text,
                         reference, total, number, session, received_at, meaning)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id
"""

MEANING = """
    UPDATE inbound i SET meaning = k.meaning
    FROM unnest($1::bigint[], $2::text[]) AS k (id, meaning) WHERE i.id = k.id
"""


async def store(connection: Connection, parts: Sequence[InboundPart]) -> list[StoredInbound]:
    """Store these parts in their order; what is whole now, what was stored before."""
    if not parts:
        return []
    await connection.execute(TURN, sorted({part.source for part in parts}))
    rows = await _lately(connection, parts)
    found = find_repeats(parts, rows)
    ids: list[int] = []
    for part, repeated in zip(parts, found, strict=True):
        if repeated is None:
            ids.append(await connection.fetchval(INSERT, *part, "reply" if part.total == 1 else "part"))
            rows.append(row_of(part, ids[-1]))
        else:
            ids.append(repeated if repeated > 0 else ids[-repeated - 1])
    answers = answer(parts, ids, [repeated is not None for repeated in found], rows)
    await set_meanings(connection, [(a.id, "reply") for a in answers if a.text is not None and not a.repeated])
    return answers


async def set_meanings(connection: Connection, meanings: Sequence[tuple[int, str]]) -> None:
    """What stored messages turned out to mean."""
    if meanings:
        await connection.execute(MEANING, *map(list, zip(*meanings, strict=True)))


async def _lately(connection: Connection, parts: Sequence[InboundPart]) -> list[Row]:
    since = min(part.received_at for part in parts) - PARTS_WITHIN
    rows: list[Row] = []
    for bucket in sorted({part.bucket for part in parts}):
        sources = list({part.source for part in parts if part.bucket == bucket})
        rows += [Row(*row) for row in await connection.fetch(LATELY, bucket, sources, since)]
    return rows
