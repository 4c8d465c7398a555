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

LIST = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""

LIFT = "DELETE FROM dnc_entry WHERE bucket = ? AND dnc_group_id = ? AND phone = ?"


def apply(db: Connection, opt_outs: Sequence[OptOut]) -> None:
    """Record each; where it is news, the number is listed or lifted as it said last."""
    for o in opt_outs:
        if db.execute(RECORD, o._asdict()).rowcount != 1:
            continue
        if db.execute(LAST, (o.bucket, o.phone, o.dnc_group_id)).fetchone()[0] == "out":
            db.execute(LIST, (o.bucket, o.dnc_group_id, o.phone, o.entry_source, o.at))
        else:
            db.execute(LIFT, (o.bucket, o.dnc_group_id, o.phone))
