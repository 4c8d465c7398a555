"""Templates, each with its newest version."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import template, template_version


class TemplateRow(NamedTuple):
    """`version_id` is the row of `version`, whose text never changes."""

    id: int
    name: str
    version_id: int
    version: int
    body: str
    direction: str


async def every(connection: AsyncConnection, unit: Unit) -> list[TemplateRow]:
    """The unit's templates by name."""
    t, v = template.c, template_version.c
    newest = select(func.max(v.version)).where(v.template_id == t.id).correlate(template).scalar_subquery()
    rows = await connection.execute(
        select(t.id, t.name, v.id, v.version, v.body, v.direction)
        .join(template_version, (v.template_id == t.id) & (v.version == newest))
        .where(t.business_unit_id == unit.id)
        .order_by(t.name)
    )
    return [TemplateRow(*row) for row in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str) -> TemplateRow:
    """The unit's template of that name; NotFound."""
    rows = await every(connection, unit)
    return pick(name, rows, "template", "Declare it under [[template]] and run todoke apply.")
