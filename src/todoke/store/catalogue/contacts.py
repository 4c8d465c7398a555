"""Contacts of a list, to read one by one."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.sms.phone_type import PhoneType, phone_type_of, places_of
from todoke.sms.places import Places
from todoke.store.catalogue.units import Unit
from todoke.store.lists import keys
from todoke.store.schema import calling_list, contact


class ContactRow(NamedTuple):
    """A contact of a list with its candidate places, and the phone type of the number that is texted. `expires_at`: of
    its own, where it has one.
    """

    position: int
    external_id: str
    places: Places
    phone_type: PhoneType
    expires_at: Micros | None


async def of_phone(connection: AsyncConnection, unit: Unit, list_id: int, phone: int) -> ContactRow | None:
    """The contact of the unit's list to whom a text to this number goes; None where there is none. A list without keys
    (of before they were kept) is read from its beginning.
    """
    c = contact.c
    wanted = (
        select(c.position, c.external_id, c.zone_set, calling_list.c.zone_sets, c.expires_at)
        .join(calling_list, calling_list.c.id == c.list_id)
        .where(
            calling_list.c.business_unit_id == unit.id,
            c.bucket == unit.bucket,
            c.list_id == list_id,
            c.destination == phone,
        )
        .limit(1)
    )
    if await connection.scalar(select(calling_list.c.keyed).where(calling_list.c.id == list_id)):
        found = await keys.find_in(connection, unit.bucket, list_id, keys.Kind.PHONE, [phone])
        wanted = wanted.where(c.position.in_(found.get(phone, [])))
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    position, external_id, zone_set, zone_sets, expires_at = row
    texts: list[str] = zone_sets[zone_set]
    return ContactRow(position, external_id, places_of(texts), phone_type_of(texts), expires_at)
