"""Which numbers are on which DNC groups now."""

from __future__ import annotations

import json
from collections.abc import Collection
from sqlite3 import Connection

from todoke.store.hot.looking import by_bucket
from todoke.store.hot.sqlite.dnc import HOLDS

BUCKETS = """
    SELECT g.id, b.bucket FROM json_each(?) AS k
    JOIN dnc_group g ON g.id = k.value JOIN business_unit b ON b.id = g.business_unit_id
"""

# A probe of the key a pair.
LISTED = f"""
    SELECT d.dnc_group_id, d.phone FROM json_each(?1) AS k
    CROSS JOIN dnc_entry d ON d.bucket = ?2 AND d.dnc_group_id = json_extract(k.value, '$[0]')
      AND d.phone = json_extract(k.value, '$[1]')
    WHERE {HOLDS}
"""


def listed(db: Connection, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (group, number) pairs that hold."""
    buckets = dict(db.execute(BUCKETS, (json.dumps(sorted({group for group, _ in pairs})),)))
    found: set[tuple[int, int]] = set()
    for bucket, (groups, phones) in by_bucket(pairs, buckets).items():
        wanted = json.dumps(list(zip(groups, phones, strict=True)))
        found.update((group, phone) for group, phone in db.execute(LISTED, (wanted, bucket)))
    return found
