"""Opt-outs and opt-ins, with the DNC entries that they make and lift."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.hot.base import OptOut
from todoke.store.postgres import Connection

# One at a time for each number.
TURN = """
    SELECT pg_advisory_xact_lock(7430504, hashint8(phone)) FROM unnest($1::bigint[]) AS phone
"""

# Nothing where it is stored already.
RECORD = """
    INSERT INTO opt_out (bucket, business_unit_id, dnc_group_id, phone, kind, source, evidence, inbound_id, at)
    SELECT $1::smallint, $2::bigint, $3::bigint, $4::bigint, $5::text, $6::text, $7::text, $8::bigint, $9::bigint
    WHERE NOT EXISTS (
        SELECT FROM opt_out
        WHERE bucket = $1 AND phone = $4 AND dnc_group_id = $3 AND kind = $5 AND source = $6
          AND CASE WHEN $8::bigint IS NULL THEN inbound_id IS NULL AND at = $9 ELSE inbound_id = $8 END)
    RETURNING id
"""

# What the number said last.
LAST = """
    SELECT kind FROM opt_out WHERE bucket = $1 AND phone = $2 AND dnc_group_id = $3 ORDER BY at DESC, id DESC LIMIT 1
"""

# A number that was held while a person had to read what it said is on the list for good now.
LIST = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, dnc_group_id, phone)
        DO UPDATE SET source = excluded.source, created_at = excluded.created_at
        WHERE dnc_entry.source = 'review' AND excluded.source <> 'review'
    RETURNING phone
"""

LIFT = "DELETE FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = $2 AND phone = $3 RETURNING phone"


async def apply(connection: Connection, opt_outs: Sequence[OptOut]) -> None:
    """Record each; where it is news, the number is listed or lifted as it said last."""
    await connection.execute(TURN, sorted({o.phone for o in opt_outs}))
    for o in opt_outs:
        await apply_one(connection, o)


async def apply_one(connection: Connection, o: OptOut) -> tuple[str, bool]:
    """What the number said last, "out" or "in", and whether its entry came, went or is not a mere hold any more; the
    number has its turn.
    """
    news = await connection.fetchval(RECORD, *o) is not None
    last: str = await connection.fetchval(LAST, o.bucket, o.phone, o.dnc_group_id)
    if not news:
        return last, False
    if last == "out":
        moved = await connection.fetchval(LIST, o.bucket, o.dnc_group_id, o.phone, o.entry_source, o.at)
    else:
        moved = await connection.fetchval(LIFT, o.bucket, o.dnc_group_id, o.phone)
    return last, moved is not None
