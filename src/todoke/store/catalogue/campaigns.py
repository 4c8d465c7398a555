"""Campaigns: groupings of skills for reports."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import campaign


class CampaignRow(NamedTuple):
    id: int
    name: str


async def every(connection: AsyncConnection, unit: Unit) -> list[CampaignRow]:
    """The unit's campaigns by name."""
    c = campaign.c
    rows = await connection.execute(select(c.id, c.name).where(c.business_unit_id == unit.id).order_by(c.name))
    return [CampaignRow(*row) for row in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str) -> CampaignRow:
    """The unit's campaign of that name; NotFound."""
    rows = await every(connection, unit)
    return pick(name, rows, "campaign", "Declare it under [[campaign]] and run todoke apply.")
