"""SMS brands: verified sender identities, whose codes share a daily cap."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.closest import suggestion
from todoke.model.declaration import Brand, Declared
from todoke.model.errors import NotFound
from todoke.store.catalogue.provision.work import Work
from todoke.store.catalogue.units import Unit
from todoke.store.schema import sms_brand


async def provision(work: Work, declared: Declared[Brand]) -> None:
    """Make the brand what the entry says."""
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    b = sms_brand.c
    query = select(b.id, b.daily_cap, b.cap_zone).where(b.business_unit_id == unit.id, b.name == entry.name)
    found = (await work.connection.execute(query)).first()
    values = {"daily_cap": entry.daily_cap, "cap_zone": entry.cap_zone}
    if found is None:
        own = {"business_unit_id": unit.id, "name": entry.name, "created_at": work.now}
        await work.connection.execute(insert(sms_brand).values(**own, **values))
        work.created("SMS brand", entry.name, unit)
    elif work.differs("SMS brand", entry.name, unit, {"daily_cap": found[1], "cap_zone": found[2]}, values):
        await work.connection.execute(update(sms_brand).where(b.id == found[0]).values(**values))


async def find(connection: AsyncConnection, unit: Unit, name: str) -> int:
    """The id of the unit's brand; NotFound."""
    b = sms_brand.c
    known = {
        row.name: int(row.id)
        for row in await connection.execute(select(b.id, b.name).where(b.business_unit_id == unit.id).order_by(b.name))
    }
    if name not in known:
        fix = suggestion(name, known, "Declare it under [[brand]].")
        raise NotFound(f"{unit.name} has no SMS brand {name!r}.", fix=fix)
    return known[name]


async def name_of(connection: AsyncConnection, unit: Unit, brand_id: int | None) -> str | None:
    """The name of the unit's brand."""
    b = sms_brand.c
    return await connection.scalar(select(b.name).where(b.business_unit_id == unit.id, b.id == brand_id))
