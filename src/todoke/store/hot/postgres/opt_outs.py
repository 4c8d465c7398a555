"""Opt-outs and opt-ins, with the DNC entries that they make and lift, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.dnc import Entry
from todoke.store.hot.base import OptOut
from todoke.store.hot.listing import CHANGE_COLUMNS, Applied, listed, spread
from todoke.store.hot.postgres.dnc import MOMENT
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

# Its entry, held until the transaction ends, and the moment.
ENTRY = f"""
    SELECT source, created_at, expires_at, upload_id, {MOMENT} FROM dnc_entry
    WHERE bucket = $1 AND dnc_group_id = $2 AND phone = $3 FOR UPDATE
"""

# The entry from now on. (An import may have put it there meanwhile: the stricter one holds.)
LIST = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (bucket, dnc_group_id, phone) DO UPDATE
    SET source = excluded.source, created_at = excluded.created_at, expires_at = excluded.expires_at, upload_id = NULL
    WHERE dnc_entry.source = 'review' OR dnc_entry.expires_at IS NOT NULL
      AND (excluded.expires_at IS NULL OR excluded.expires_at > dnc_entry.expires_at)
"""

LIFT = "DELETE FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = $2 AND phone = $3 RETURNING phone"

CHANGED = f"""
    INSERT INTO dnc_change ({", ".join(CHANGE_COLUMNS)})
    VALUES ({", ".join(f"${number}" for number in range(1, len(CHANGE_COLUMNS) + 1))})
"""

# The groups that the skill contributes to whose text the number got last from this code; where that is not known,
# those of all skills of the code.
CONTRIBUTES = """
    WITH last AS (
        SELECT skill_id FROM cap_use
        WHERE bucket = $1 AND business_unit_id = $2 AND phone = $3 AND transport_code_id = $4
        ORDER BY at DESC LIMIT 1)
    SELECT DISTINCT d.dnc_group_id
    FROM skill s JOIN skill_dnc d ON d.skill_id = s.id
    WHERE s.business_unit_id = $2 AND s.transport_code_id = $4 AND d.contributes
      AND (s.id = (SELECT skill_id FROM last) OR NOT EXISTS (SELECT FROM last))
    ORDER BY d.dnc_group_id
"""

# Whether an opt-out may go for these groups alone: each skill of the code (but for what answers keywords) contributes
# to a group that it is scrubbed against. Else nobody could tell whose text came last, or that skill would go on.
ALONE = """
    SELECT NOT EXISTS (
        SELECT FROM skill s
        WHERE s.business_unit_id = $1 AND s.transport_code_id = $2
          AND NOT (s.kind = 'standing' AND s.stream = 'answer')
          AND NOT EXISTS (SELECT FROM skill_dnc d WHERE d.skill_id = s.id AND d.contributes AND d.scrubs))
"""


async def apply(connection: Connection, opt_outs: Sequence[OptOut]) -> list[OptOut]:
    """Record each; where it is news, the number is listed or lifted as it said last. Returns them with those for the
    groups that skills contribute to.
    """
    await connection.execute(TURN, sorted({o.phone for o in opt_outs}))
    return [one.said for o in opt_outs for one in await apply_one(connection, o)]


async def apply_one(connection: Connection, o: OptOut, *, narrow: bool = False) -> list[Applied]:
    """The same for one, whose number has its turn: first the group that it names, then those that skills contribute
    to. `narrow`: an opt-out only counts for the latter, where there are any,
    and where that keeps each skill of the code from going on.
    """
    groups: list[int] = []
    if o.transport_code_id is not None:
        unit = (o.bucket, o.business_unit_id)
        groups = [row[0] for row in await connection.fetch(CONTRIBUTES, *unit, o.phone, o.transport_code_id)]
        narrow = narrow and await connection.fetchval(ALONE, o.business_unit_id, o.transport_code_id)
    words = spread(o, groups, narrow=narrow)
    return [await _apply(connection, said, contributed=said is not o) for said in words]


async def _apply(connection: Connection, o: OptOut, *, contributed: bool) -> Applied:
    news = await connection.fetchval(RECORD, *o[:9]) is not None
    last: str = await connection.fetchval(LAST, o.bucket, o.phone, o.dnc_group_id)
    if not news:
        return Applied(o, last, False)
    row = await connection.fetchrow(ENTRY, o.bucket, o.dnc_group_id, o.phone)
    old, now = (Entry(row[0], row[1], row[2], row[3]), row[4]) if row is not None else (None, o.at)
    entry, lifted, changes = listed(o, last, old, now, contributed=contributed)
    key = (o.bucket, o.dnc_group_id, o.phone)
    if lifted or (entry is not None and old is not None and not old.holds(now)):
        await connection.execute(LIFT, *key)
    if entry is not None:
        await connection.execute(LIST, *key, *entry[:3])
    for change in changes:
        await connection.execute(CHANGED, *change)
    return Applied(o, last, bool(changes))
