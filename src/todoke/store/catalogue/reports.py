"""What a report on a run is made of, read in one go."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue import lists, runs
from todoke.store.catalogue.runs import Progress, RunRow
from todoke.store.catalogue.units import Unit
from todoke.store.schema import calling_list


class RunFacts(NamedTuple):
    """A run, how far it is, and how its list was imported: rows that became contacts, rows refused by reason."""

    unit: str
    run: RunRow
    progress: Progress
    source: str
    accepted: int
    rejected: int
    rejections: dict[str, int]


async def run_facts(connection: AsyncConnection, unit: Unit, run_id: int) -> RunFacts:
    """The facts on the unit's run; NotFound. The list may have been deleted since."""
    run = await runs.find(connection, unit, run_id)
    c = calling_list.c
    query = select(c.source, c.contacts, c.rejected).where(c.business_unit_id == unit.id, c.id == run.list_id)
    source, accepted, rejected = (await connection.execute(query)).one()
    progress = await runs.progress(connection, unit, run_id)
    rejections = await lists.rejections(connection, unit, run.list_id)
    return RunFacts(unit.name, run, progress, source, accepted, rejected, rejections)
