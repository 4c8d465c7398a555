"""Reading contacts to compose for, each with whether its number is on a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todoke.model.maker import maker
from todoke.store.hot.addressee import Addressee
from todoke.store.hot.base import Contact
from todoke.store.hot.postgres.dnc import on_lists
from todoke.store.postgres import Connection

_make = maker(Contact)
_addressee = maker(Addressee)

# Consecutive positions of a list.
BETWEEN = """
    SELECT position, destination, zone_set, fields, false, expires_at
    FROM contact WHERE bucket = $1 AND list_id = $2 AND position BETWEEN $3 AND $4 ORDER BY position
"""

# Whom consecutive positions are for, without what is merged into their texts.
ADDRESSEES = """
    SELECT position, destination, zone_set, expires_at, CASE WHEN $5::boolean THEN external_id ELSE '' END
    FROM contact WHERE bucket = $1 AND list_id = $2 AND position BETWEEN $3 AND $4 ORDER BY position
"""

# Just these positions of a list.
AT = """
    SELECT c.position, c.destination, c.zone_set, c.fields, false, c.expires_at
    FROM unnest($3::bigint[]) AS k (position)
    CROSS JOIN LATERAL (
        SELECT * FROM contact c WHERE c.bucket = $1 AND c.list_id = $2 AND c.position = k.position OFFSET 0) c
    ORDER BY c.position
"""


async def between(
    connection: Connection, bucket: int, list_id: int, first: int, last: int, groups: Sequence[int]
) -> list[Contact]:
    return await _looked_up(connection, bucket, groups, await connection.fetch(BETWEEN, bucket, list_id, first, last))


async def at(
    connection: Connection, bucket: int, list_id: int, positions: Sequence[int], groups: Sequence[int]
) -> list[Contact]:
    rows = await connection.fetch(AT, bucket, list_id, list(set(positions)))
    return await _looked_up(connection, bucket, groups, rows)


async def addressees(
    connection: Connection, bucket: int, list_id: int, first: int, last: int, *, external_ids: bool
) -> list[Addressee]:
    """In order of position; their external ids are empty where they are not asked for."""
    rows = await connection.fetch(ADDRESSEES, bucket, list_id, first, last, external_ids)
    return [_addressee(row) for row in rows]


async def _looked_up(connection: Connection, bucket: int, groups: Sequence[int], rows: Sequence[Any]) -> list[Contact]:
    listed = await on_lists(connection, bucket, groups, [row[1] for row in rows])
    if not listed:  # nearly always
        return [_make(row) for row in rows]
    return [_make(row)._replace(on_dnc=row[1] in listed) for row in rows]
