"""Calling lists, to read; what writes them is the import."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import Conflict
from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import calling_list, list_rejection


class ListRow(NamedTuple):
    """`state`: importing, ready or deleted. `fields`: the merge fields that a template may name. `appended`: how many
    of its contacts came after its import. `phone_names`: by phone field, what else files called it; None where it is
    not known of which phone type the numbers are that are texted.
    """

    id: int
    name: str
    state: str
    fields: list[str]
    source: str
    contacts: int
    rejected: int
    created_at: Micros
    imported_at: Micros | None
    active: bool
    expires_at: Micros | None
    deleted_at: Micros | None
    appended: int
    phone_names: dict[str, list[str]] | None = None


_COLUMNS = tuple(calling_list.c[name] for name in ListRow._fields)


async def every(connection: AsyncConnection, unit: Unit, *, deleted: bool = False) -> list[ListRow]:
    """The unit's lists, the newest first; or those that were `deleted` and can be restored, last deleted first."""
    c = calling_list.c
    states, order = (
        (("deleted",), (c.deleted_at.desc(), c.id.desc())) if deleted else (("importing", "ready"), (c.id.desc(),))
    )
    rows = await connection.execute(
        select(*_COLUMNS)
        .where(c.business_unit_id == unit.id, c.state.in_(states), c.into_list_id.is_(None))
        .order_by(*order)
    )
    return [ListRow(*row) for row in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str) -> ListRow:
    """The unit's list of that name that is ready; NotFound, Conflict while it is imported."""
    rows = await every(connection, unit)
    ready = [row for row in rows if row.state == "ready"]
    if any(row.name == name for row in rows) and not any(row.name == name for row in ready):
        raise Conflict(f"The list {name!r} is still being imported.", fix="Wait for the import to end, or repeat it.")
    return pick(name, ready, "list", f"Import one with todoke import FILE --list {name!r}.")


async def rejections(connection: AsyncConnection, unit: Unit, list_id: int) -> dict[str, int]:
    """How many rows of the list's file were refused, by reason."""
    r = list_rejection.c
    rows = await connection.execute(
        select(r.reason, r["count"])
        .join(calling_list, calling_list.c.id == r.list_id)
        .where(calling_list.c.business_unit_id == unit.id, r.list_id == list_id)
        .order_by(r["count"].desc(), r.reason)
    )
    return {row[0]: row[1] for row in rows}


async def zone_sets(connection: AsyncConnection, unit: Unit, list_id: int) -> list[list[str]]:
    """The candidate zones of the list's contacts, by the number of their set."""
    c = calling_list.c
    found = await connection.scalar(select(c.zone_sets).where(c.business_unit_id == unit.id, c.id == list_id))
    return list(found or ())
