"""Opt-outs and opt-ins, with the DNC entries that they make and lift, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.clock import Micros
from todoke.model.dnc import Entry
from todoke.store.hot.base import OptOut
from todoke.store.hot.listing import CHANGE_COLUMNS, Applied, listed, spread

# Nothing where it is stored already.
RECORD = """
    INSERT INTO opt_out (bucket, business_unit_id, dnc_group_id, phone, kind, source, evidence, inbound_id, at)
    SELECT :bucket, :business_unit_id, :dnc_group_id, :phone, :kind, :source, :evidence, :inbound_id, :at
    WHERE NOT EXISTS (
        SELECT 1 FROM opt_out
        WHERE bucket = :bucket AND phone = :phone AND dnc_group_id = :dnc_group_id AND kind = :kind
          AND source = :source AND inbound_id IS :inbound_id AND (:inbound_id IS NOT NULL OR at = :at))
"""

# What the number said last.
LAST = """
    SELECT kind FROM opt_out WHERE bucket = ? AND phone = ? AND dnc_group_id = ? ORDER BY at DESC, id DESC LIMIT 1
"""

ENTRY = """
    SELECT source, created_at, expires_at, upload_id FROM dnc_entry
    WHERE bucket = ? AND dnc_group_id = ? AND phone = ?
"""

# The entry from now on.
LIST = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (bucket, dnc_group_id, phone) DO UPDATE
    SET source = excluded.source, created_at = excluded.created_at, expires_at = excluded.expires_at, upload_id = NULL
"""

LIFT = "DELETE FROM dnc_entry WHERE bucket = ? AND dnc_group_id = ? AND phone = ?"

CHANGED = f"""
    INSERT INTO dnc_change ({", ".join(CHANGE_COLUMNS)}) VALUES ({", ".join("?" * len(CHANGE_COLUMNS))})
"""

# The groups that the skill contributes to whose text the number got last from this code; where that is not known,
# those of all skills of the code.
CONTRIBUTES = """
    WITH last AS (
        SELECT skill_id FROM cap_use
        WHERE bucket = ?1 AND business_unit_id = ?2 AND phone = ?3 AND transport_code_id = ?4
        ORDER BY at DESC LIMIT 1)
    SELECT DISTINCT d.dnc_group_id
    FROM skill s JOIN skill_dnc d ON d.skill_id = s.id
    WHERE s.business_unit_id = ?2 AND s.transport_code_id = ?4 AND d.contributes
      AND (s.id = (SELECT skill_id FROM last) OR NOT EXISTS (SELECT 1 FROM last))
    ORDER BY d.dnc_group_id
"""

# Whether an opt-out may go for these groups alone: each skill of the code (but for what answers keywords) contributes
# to a group that it is scrubbed against. Else nobody could tell whose text came last, or that skill would go on.
ALONE = """
    SELECT NOT EXISTS (
        SELECT 1 FROM skill s
        WHERE s.business_unit_id = ?1 AND s.transport_code_id = ?2
          AND NOT (s.kind = 'standing' AND s.stream = 'answer')
          AND NOT EXISTS (SELECT 1 FROM skill_dnc d WHERE d.skill_id = s.id AND d.contributes AND d.scrubs))
"""


def apply(db: Connection, opt_outs: Sequence[OptOut], now: Micros) -> list[OptOut]:
    """Record each; where it is news, the number is listed or lifted as it said last. Returns them with those for the
    groups that skills contribute to.
    """
    return [one.said for o in opt_outs for one in apply_one(db, o, now)]


def apply_one(db: Connection, o: OptOut, now: Micros, *, narrow: bool = False) -> list[Applied]:
    """The same for one: first the group that it names, then those that skills contribute to. `narrow`: an opt-out only
    counts for the latter, where there are any, and where that keeps each skill of the code from going on.
    """
    groups: list[int] = []
    if o.transport_code_id is not None:
        of_code = (o.bucket, o.business_unit_id, o.phone, o.transport_code_id)
        groups = [row[0] for row in db.execute(CONTRIBUTES, of_code)]
        narrow = narrow and bool(db.execute(ALONE, (o.business_unit_id, o.transport_code_id)).fetchone()[0])
    return [_apply(db, said, now, contributed=said is not o) for said in spread(o, groups, narrow=narrow)]


def _apply(db: Connection, o: OptOut, now: Micros, *, contributed: bool) -> Applied:
    news = db.execute(RECORD, o._asdict()).rowcount == 1
    last: str = db.execute(LAST, (o.bucket, o.phone, o.dnc_group_id)).fetchone()[0]
    if not news:
        return Applied(o, last, False)
    key = (o.bucket, o.dnc_group_id, o.phone)
    row = db.execute(ENTRY, key).fetchone()
    entry, lifted, changes = listed(o, last, Entry(*row) if row else None, now, contributed=contributed)
    if lifted:
        db.execute(LIFT, key)
    if entry is not None:
        db.execute(LIST, (*key, *entry[:3]))
    db.executemany(CHANGED, changes)
    return Applied(o, last, bool(changes))
