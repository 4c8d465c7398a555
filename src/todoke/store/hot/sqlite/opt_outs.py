"""Opt-outs and opt-ins, with the DNC entries that they make and lift."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from todoke.store.hot.base import OptOut

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

# A number that was held while a person had to read what it said is on the list for good now.
LIST = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET source = excluded.source, created_at = excluded.created_at
        WHERE dnc_entry.source = 'review' AND excluded.source <> 'review'
"""

LIFT = "DELETE FROM dnc_entry WHERE bucket = ? AND dnc_group_id = ? AND phone = ?"


def apply(db: Connection, opt_outs: Sequence[OptOut]) -> None:
    """Record each; where it is news, the number is listed or lifted as it said last."""
    for o in opt_outs:
        apply_one(db, o)


def apply_one(db: Connection, o: OptOut) -> tuple[str, bool]:
    """What the number said last, "out" or "in", and whether its entry came, went or is not a mere hold any more."""
    news = db.execute(RECORD, o._asdict()).rowcount == 1
    last: str = db.execute(LAST, (o.bucket, o.phone, o.dnc_group_id)).fetchone()[0]
    if not news:
        return last, False
    if last == "out":
        moved = db.execute(LIST, (o.bucket, o.dnc_group_id, o.phone, o.entry_source, o.at)).rowcount
    else:
        moved = db.execute(LIFT, (o.bucket, o.dnc_group_id, o.phone)).rowcount
    return last, moved == 1
