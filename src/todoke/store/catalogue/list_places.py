"""Where the contacts of a list may be, by ranges of positions: the same work whatever the size of the list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.units import Unit
from todoke.store.schema import calling_list, list_range

_MIXED = -1


class Spread(NamedTuple):
    """`groups`: candidate places and how many contacts have them. `mixed` contacts have others, each its own."""

    groups: list[tuple[tuple[str, ...], int]]
    mixed: int


async def spread_of(connection: AsyncConnection, unit: Unit, list_id: int, positions: Sequence[int]) -> Spread:
    """Of some contacts of the unit's list, by their positions, in order."""
    c, r = calling_list.c, list_range.c
    rows = await connection.execute(
        select(c.zone_sets, r.zone_set, r.first_position, r.last_position)
        .join(list_range, r.list_id == c.id)
        .where(c.business_unit_id == unit.id, c.id == list_id)
    )
    groups: Counter[tuple[str, ...]] = Counter()
    mixed = 0
    for zone_sets, number, first, last in rows:
        contacts = bisect_right(positions, last) - bisect_left(positions, first)
        if number == _MIXED:
            mixed += contacts
        else:
            groups[tuple(zone_sets[number])] += contacts
    return Spread(list((+groups).items()), mixed)


async def spread(connection: AsyncConnection, unit: Unit, list_id: int) -> Spread:
    """Of the unit's list."""
    c, r = calling_list.c, list_range.c
    count = func.sum(r.last_position - r.first_position + 1)
    rows = await connection.execute(
        select(c.zone_sets, r.zone_set, count)
        .join(list_range, r.list_id == c.id)
        .where(c.business_unit_id == unit.id, c.id == list_id)
        .group_by(c.id, r.zone_set)
        .order_by(r.zone_set)
    )
    groups: list[tuple[tuple[str, ...], int]] = []
    mixed = 0
    for zone_sets, number, contacts in rows:
        if number == _MIXED:
            mixed += int(contacts)
        else:
            groups.append((tuple(zone_sets[number]), int(contacts)))
    return Spread(groups, mixed)
