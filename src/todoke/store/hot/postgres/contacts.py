"""Reading contacts to compose for, each with whether its number is on a list."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.store.hot.base import Contact
from todoke.store.postgres import Connection

_COLUMNS = """
    SELECT c.position, c.destination, c.zone_set, c.fields,
           EXISTS (SELECT FROM dnc_entry d
                   WHERE d.bucket = $1 AND d.dnc_group_id = ANY ($3::bigint[]) AND d.phone = c.destination)
    FROM contact c
"""

# Consecutive positions of a list.
BETWEEN = f"{_COLUMNS} WHERE c.bucket = $1 AND c.list_id = $2 AND c.position BETWEEN $4 AND $5 ORDER BY c.position"

# Just these positions of a list.
AT = f"{_COLUMNS} WHERE c.bucket = $1 AND c.list_id = $2 AND c.position = ANY ($4::bigint[]) ORDER BY c.position"


async def between(
    connection: Connection, bucket: int, list_id: int, first: int, last: int, groups: Sequence[int]
) -> list[Contact]:
    return [Contact(*row) for row in await connection.fetch(BETWEEN, bucket, list_id, list(groups), first, last)]


async def at(
    connection: Connection, bucket: int, list_id: int, positions: Sequence[int], groups: Sequence[int]
) -> list[Contact]:
    return [Contact(*row) for row in await connection.fetch(AT, bucket, list_id, list(groups), list(positions))]
