"""Reading contacts to compose for, each with whether its number is on a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

import msgspec

from todoke.store.hot.addressee import Addressee
from todoke.store.hot.base import Contact
from todoke.store.hot.sqlite.dnc import HOLDS

# The groups are taken apart once a statement, not once a contact.
_ON_DNC = f"""
    EXISTS (SELECT 1 FROM dnc_entry d
            WHERE d.bucket = :bucket AND d.dnc_group_id IN (SELECT value FROM json_each(:groups))
              AND d.phone = c.destination AND {HOLDS})
"""

# All rows as one JSON array, in one step: a row a step waits for the event loop at every row.
_AS_ONE = (
    f"SELECT json_group_array(json_array(c.position, c.destination, c.zone_set, c.fields, {_ON_DNC}, c.expires_at))"
)

# Consecutive positions of a list.
BETWEEN = f"""{_AS_ONE}
    FROM contact c WHERE c.bucket = :bucket AND c.list_id = :list AND c.position BETWEEN :first AND :last
"""

# Whom consecutive positions are for, without what is merged into their texts.
ADDRESSEES = """
    SELECT json_group_array(json_array(
        position, destination, zone_set, expires_at, CASE WHEN :external_ids THEN external_id ELSE '' END))
    FROM contact WHERE bucket = :bucket AND list_id = :list AND position BETWEEN :first AND :last
"""

# Just these positions of a list.
AT = f"""{_AS_ONE}
    FROM json_each(:positions) AS k
    CROSS JOIN contact c ON c.bucket = :bucket AND c.list_id = :list AND c.position = k.value
"""

# A named tuple is an array in JSON. (Not strict: SQLite's truth is a number.)
_decoder = msgspec.json.Decoder(list[Contact], strict=False)
_addressees = msgspec.json.Decoder(list[Addressee])


def between(db: Connection, bucket: int, list_id: int, first: int, last: int, groups: Sequence[int]) -> list[Contact]:
    wanted = {"bucket": bucket, "list": list_id, "first": first, "last": last, "groups": json.dumps(groups)}
    return _contacts(db.execute(BETWEEN, wanted).fetchone()[0])


def at(db: Connection, bucket: int, list_id: int, positions: Sequence[int], groups: Sequence[int]) -> list[Contact]:
    chosen = json.dumps(sorted(set(positions)))
    wanted = {"bucket": bucket, "list": list_id, "positions": chosen, "groups": json.dumps(groups)}
    return _contacts(db.execute(AT, wanted).fetchone()[0])


def addressees(
    db: Connection, bucket: int, list_id: int, first: int, last: int, *, external_ids: bool
) -> list[Addressee]:
    """In order of position; their external ids are empty where they are not asked for."""
    wanted = {"bucket": bucket, "list": list_id, "first": first, "last": last, "external_ids": external_ids}
    found = _addressees.decode(db.execute(ADDRESSEES, wanted).fetchone()[0])
    found.sort()
    return found


def _contacts(rows: str) -> list[Contact]:
    found = _decoder.decode(rows)
    found.sort()  # an aggregate promises no order; as good as sorted, it costs nothing
    return found
