"""Reading contacts to compose for, each with whether its number is on a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.store.hot.base import Contact

_ON_DNC = """
    EXISTS (SELECT 1 FROM json_each(:groups) AS g CROSS JOIN dnc_entry d
            ON d.bucket = :bucket AND d.dnc_group_id = g.value AND d.phone = c.destination)
"""

# Consecutive positions of a list.
BETWEEN = f"""
    SELECT c.position, c.destination, c.zone_set, c.fields, {_ON_DNC} FROM contact c
    WHERE c.bucket = :bucket AND c.list_id = :list AND c.position BETWEEN :first AND :last ORDER BY c.position
"""

# Just these positions of a list.
AT = f"""
    SELECT c.position, c.destination, c.zone_set, c.fields, {_ON_DNC}
    FROM json_each(:positions) AS k
    CROSS JOIN contact c ON c.bucket = :bucket AND c.list_id = :list AND c.position = k.value
    ORDER BY c.position
"""


def between(db: Connection, bucket: int, list_id: int, first: int, last: int, groups: Sequence[int]) -> list[Contact]:
    wanted = {"bucket": bucket, "list": list_id, "first": first, "last": last, "groups": json.dumps(groups)}
    return [Contact(row[0], row[1], row[2], row[3], bool(row[4])) for row in db.execute(BETWEEN, wanted)]


def at(db: Connection, bucket: int, list_id: int, positions: Sequence[int], groups: Sequence[int]) -> list[Contact]:
    chosen = json.dumps(sorted(set(positions)))
    wanted = {"bucket": bucket, "list": list_id, "positions": chosen, "groups": json.dumps(groups)}
    return [Contact(row[0], row[1], row[2], row[3], bool(row[4])) for row in db.execute(AT, wanted)]
