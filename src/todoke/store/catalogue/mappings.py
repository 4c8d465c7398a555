"""Saved mappings: how a business unit's list files of a header are to be read."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import Conflict, Invalid
from todoke.model.list_mapping import Reading, SavedMapping
from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import list_mapping

MAX_NAME = 100  # characters
_MAKE = "Save one with todoke import FILE --list NAME --save-mapping NAME."


async def every(connection: AsyncConnection, unit: Unit) -> list[SavedMapping]:
    """The unit's mappings by name."""
    m = list_mapping.c
    query = select(m.name, m.header, m.reading).where(m.business_unit_id == unit.id).order_by(m.name)
    rows = await connection.execute(query)
    return [SavedMapping(name, tuple(header), msgspec.convert(reading, Reading)) for name, header, reading in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str) -> SavedMapping:
    """The unit's mapping of that name; NotFound."""
    return pick(name, await every(connection, unit), "saved mapping", _MAKE)


async def save(
    connection: AsyncConnection, unit: Unit, mapping: SavedMapping, now: Micros, *, replace: bool = False
) -> None:
    """Keep the mapping; `Conflict` where the unit has another of that name and it is not to be replaced."""
    name = checked_name(mapping.name)
    m = list_mapping.c
    values = {"header": list(mapping.header), "reading": msgspec.to_builtins(mapping.reading), "created_at": now}
    mine = (m.business_unit_id == unit.id, m.name == name)
    found = (await connection.execute(select(m.header, m.reading).where(*mine))).first()
    if found is None:
        await connection.execute(insert(list_mapping).values(business_unit_id=unit.id, name=name, **values))
        return
    if (tuple(found.header), msgspec.convert(found.reading, Reading)) == (mapping.header, mapping.reading):
        return
    if not replace:
        raise Conflict(
            f"There is another saved mapping {name!r} already.",
            fix=f"Choose another name; or start from it, with --mapping {name!r}, to replace it.",
        )
    await connection.execute(update(list_mapping).where(*mine).values(**values))


async def remove(connection: AsyncConnection, unit: Unit, name: str) -> None:
    """Forget the unit's mapping of that name; NotFound. Lists that were imported with it stay as they are."""
    await find(connection, unit, name)
    m = list_mapping.c
    await connection.execute(delete(list_mapping).where(m.business_unit_id == unit.id, m.name == name))


def checked_name(name: str) -> str:
    """The name of a mapping; Invalid where it is none."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > MAX_NAME or not tidy.isprintable():
        fix = f"Give 1 to {MAX_NAME} characters that can be printed."
        raise Invalid(f"{name!r} is no name for a saved mapping.", fix=fix)
    return tidy
