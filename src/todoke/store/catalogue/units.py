"""Business units: the tenants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.declared_hours import BY_PLACE, DeclaredHours, phone_hours
from todoke.model.errors import Invalid, NotFound
from todoke.store.catalogue.naming import pick
from todoke.store.schema import business_unit

_MAKE = "Declare it under [[business_unit]] and run todoke apply."


class Unit(NamedTuple):
    """`bucket` is the shard of all its hot rows. `dnc_group_id`: where STOP puts a number by default.
    `rate`: segments a second of all its codes together, `cap`: texts to one number of all its skills; None where it is
    not limited. `hours`: its own calling window, a schedule. `holidays`: days, rules, calendars. `rule_pack`: auto,
    none or a jurisdiction. `phone_hours`: a schedule by phone type. `list_expiry_days`: when a list of it expires, if
    nobody says otherwise.
    """

    id: int
    name: str
    bucket: int
    default_region: str
    dnc_group_id: int | None
    rate: float | None = None
    opt_out_scope: str = "business_unit"
    cap: str | None = None
    hours: str | None = None
    holidays: list[str] | None = None
    rule_pack: str = BY_PLACE
    list_expiry_days: int = 30
    phone_hours: dict[str, str] | None = None

    def declared_hours(
        self,
        skill: str | None = None,
        skill_rules: str | None = None,
        skill_phones: Mapping[str, str] | None = None,
    ) -> DeclaredHours:
        """With those of one of its skills."""
        return DeclaredHours(
            self.hours,
            tuple(self.holidays or ()),
            self.rule_pack,
            skill,
            skill_rules,
            phone_hours(self.phone_hours),
            phone_hours(skill_phones),
        )


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
