"""Where a person is on calling lists: by number or external id, through the keys of lists.

A list without keys, or with further numbers (which have none), is read in pieces.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists import keys
from todoke.store.lists.key_hash import external_key
from todoke.store.schema import calling_list, contact, list_key
from todoke.store.store import Store

_PIECE = 20_000  # positions


class Place(NamedTuple):
    """A contact, with the list that it is on."""

    list_id: int
    list_name: str
    list_state: str
    names: list[str]  # of the fields
    position: int
    destination: int
    external_id: str
    fields: str
    phones: str | None


class _List(NamedTuple):
    id: int
    name: str
    state: str
    fields: list[str]
    contacts: int
    phone_types: object


async def contacts(store: Store, unit: Unit, phone: int, external_id: str | None = None) -> list[Place]:
    """The person's contacts on all lists of the unit, deleted ones too, in order of list and position."""
    async with store.reading() as connection:
        lists = await _lists(connection, unit)
    found: list[Place] = []
    for of_unit in lists:
        found += await _on(store, unit, of_unit, phone, external_id)
    return found


async def _lists(connection: AsyncConnection, unit: Unit) -> list[_List]:
    c = calling_list.c
    rows = await connection.execute(
        select(c.id, c.name, c.state, c.fields, c.contacts, c.phone_types)
        .where(c.business_unit_id == unit.id, c.state != "importing")
        .order_by(c.id)
    )
    return [_List(*row) for row in rows]


async def _on(store: Store, unit: Unit, of_unit: _List, phone: int, external_id: str | None) -> list[Place]:
    async with store.reading() as connection:
        kinds = await connection.execute(
            select(list_key.c.kind).where(list_key.c.bucket == unit.bucket, list_key.c.list_id == of_unit.id).distinct()
        )
        keyed = set(kinds.scalars())
    whole = of_unit.phone_types or keys.Kind.PHONE not in keyed
    if whole or (external_id is not None and keys.Kind.EXTERNAL not in keyed):
        return await _scanned(store, unit, of_unit, phone, external_id)
    positions: set[int] = set()
    found = await keys.find(store, unit.bucket, of_unit.id, keys.Kind.PHONE, [phone])
    positions.update(found.get(phone, ()))
    if external_id is not None:
        key = external_key(external_id)
        found = await keys.find(store, unit.bucket, of_unit.id, keys.Kind.EXTERNAL, [key])
        positions.update(found.get(key, ()))
    if not positions:
        return []
    async with store.reading() as connection:
        places = await _read(connection, unit, of_unit, contact.c.position.in_(sorted(positions)))
    return [place for place in places if _is(place, phone, external_id)]


async def _scanned(store: Store, unit: Unit, of_unit: _List, phone: int, external_id: str | None) -> list[Place]:
    c = contact.c
    wanted = [c.destination == phone, c.phones.contains(str(phone))]
    if external_id is not None:
        wanted.append(c.external_id == external_id)
    found: list[Place] = []
    first = 0
    while True:
        piece = c.position.between(first, first + _PIECE - 1)
        async with store.reading() as connection:
            places = await _read(connection, unit, of_unit, piece & or_(*wanted))
            last = select(c.position).where(
                c.bucket == unit.bucket, c.list_id == of_unit.id, c.position >= first + _PIECE
            )
            more = await connection.scalar(last.limit(1))
        found += [place for place in places if _is(place, phone, external_id)]
        if more is None:
            return found
        first += _PIECE


async def _read(connection: AsyncConnection, unit: Unit, of_unit: _List, where: ColumnElement[bool]) -> list[Place]:
    c = contact.c
    rows = await connection.execute(
        select(c.position, c.destination, c.external_id, c.fields, c.phones)
        .where(c.bucket == unit.bucket, c.list_id == of_unit.id, where)
        .order_by(c.position)
    )
    return [Place(of_unit.id, of_unit.name, of_unit.state, of_unit.fields, *row) for row in rows]


def _is(place: Place, phone: int, external_id: str | None) -> bool:
    """Two external ids may have one key, and a number may be part of another."""
    further = place.phones.split(SEPARATOR) if place.phones else []
    same_id = external_id is not None and place.external_id == external_id
    return place.destination == phone or str(phone) in further or same_id
