"""Business units: the tenants."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.errors import Invalid, NotFound
from todoke.store.catalogue.naming import pick
from todoke.store.schema import business_unit

_MAKE = "Declare it under [[business_unit]] and run todoke apply."


class Unit(NamedTuple):
    """`bucket` is the shard of all its hot rows. `dnc_group_id`: where STOP puts a number by default.
    `rate`: segments a second of all its codes together, `cap`: texts to one number of all its skills; None where it is
    not limited.
    """

    id: int
    name: str
    bucket: int
    default_region: str
    dnc_group_id: int | None
    rate: float | None = None
    opt_out_scope: str = "business_unit"
    cap: str | None = None


_COLUMNS = tuple(business_unit.c[name] for name in Unit._fields)


async def every(connection: AsyncConnection) -> list[Unit]:
    """All business units by name."""
    rows = await connection.execute(select(*_COLUMNS).order_by(business_unit.c.name))
    return [Unit(*row) for row in rows]


async def find(connection: AsyncConnection, name: str) -> Unit:
    """The unit of that name; NotFound."""
    return pick(name, await every(connection), "business unit", _MAKE)


async def only(connection: AsyncConnection, name: str | None) -> Unit:
    """The unit of that name; without a name the only one there is: Invalid where there are several, NotFound."""
    units = await every(connection)
    if name is not None:
        return pick(name, units, "business unit", _MAKE)
    if not units:
        raise NotFound("There is no business unit yet.", fix=_MAKE)
    if len(units) > 1:
        names = ", ".join(repr(unit.name) for unit in units[:12])
        raise Invalid("There are several business units.", fix=f"Say which one with --business-unit: {names}.")
    return units[0]
