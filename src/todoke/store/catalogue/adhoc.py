"""A text that is sent without a skill of its own still belongs to one, so that windows, reports and limits hold for
it.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import Table

from todoke.model.calling_window import Window
from todoke.model.clock import Micros
from todoke.store.catalogue.codes import Code
from todoke.store.catalogue.units import Unit
from todoke.store.schema import campaign, skill, template, template_version

CAMPAIGN = "Ad hoc"


class AdHoc(NamedTuple):
    skill_id: int
    template_version_id: int
    expiry_hours: int


async def prepare(connection: AsyncConnection, unit: Unit, code: Code, body: str, window: Window, now: Micros) -> AdHoc:
    """The skill `text-CODE HOURS` of the unit with `body` as its template's newest version; both are made when missing.

    One a window: a skill's window is live, so another one would change that of runs that are still on their way.
    """
    name = f"text-{code.code.lstrip('+')} {window}".replace(":", "")
    campaign_id = await named(connection, campaign, unit, CAMPAIGN, now)
    template_id = await named(connection, template, unit, name, now)
    version = template_version.c
    last = await connection.scalar(select(func.max(version.version)).where(version.template_id == template_id))
    made = await connection.execute(
        insert(template_version)
        .values(template_id=template_id, version=(last or 0) + 1, body=body, direction="ltr", created_at=now)
        .returning(version.id)
    )
    found = await connection.execute(
        select(skill.c.id, skill.c.expiry_hours).where(skill.c.business_unit_id == unit.id, skill.c.name == name)
    )
    row = found.first()
    if row is None:
        inserted = await connection.execute(
            insert(skill)
            .values(
                business_unit_id=unit.id,
                name=name,
                campaign_id=campaign_id,
                kind="agentless",
                transport_code_id=code.id,
                template_id=template_id,
                window_start=window.start,
                window_end=window.end,
                in_doubt_policy="at_most_once",
                in_doubt_minutes=15,
                max_attempts=3,
                smart_encoding=False,
                stream="bulk",
                weight=1,
                expiry_hours=720,
                created_at=now,
            )
            .returning(skill.c.id, skill.c.expiry_hours)
        )
        row = inserted.one()
    return AdHoc(row[0], made.scalar_one(), row[1])


async def named(connection: AsyncConnection, table: Table, unit: Unit, name: str, now: Micros) -> int:
    """The id of the unit's row of that name, made where it is not there."""
    found = await connection.scalar(select(table.c.id).where(table.c.business_unit_id == unit.id, table.c.name == name))
    if found is not None:
        return found
    made = await connection.execute(
        insert(table).values(business_unit_id=unit.id, name=name, created_at=now).returning(table.c.id)
    )
    return made.scalar_one()
