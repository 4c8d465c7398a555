"""Which numbers are on a do-not-call list, and the moment that counts for entries that expire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

import msgspec

# The database's own clock, as microseconds since 1970; the same all through a statement.
MOMENT = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"

# Of an entry `d`: it has not expired.
HOLDS = f"(d.expires_at IS NULL OR d.expires_at > {MOMENT})"

# The numbers among these that are on a list.
SCRUB = f"""
    SELECT group_concat(d.phone)
    FROM json_each(?1) AS g CROSS JOIN json_each(?2) AS k
    CROSS JOIN dnc_entry d ON d.bucket = ?3 AND d.dnc_group_id = g.value AND d.phone = k.value
    WHERE {HOLDS}
"""


def on_lists(db: Connection, bucket: int, groups: Sequence[int], phones: Sequence[int]) -> set[int]:
    """Those of the numbers that are on one of the groups."""
    wanted = (json.dumps(groups), msgspec.json.encode(phones).decode(), bucket)
    listed = db.execute(SCRUB, wanted).fetchone()[0]
    return {int(phone) for phone in listed.split(",")} if listed else set()
