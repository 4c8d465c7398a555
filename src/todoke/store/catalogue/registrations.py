"""SMS registrations: whose a transport code is, and where an opt-out to it goes."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.units import Unit
from todoke.store.schema import business_unit, skill, skill_dnc, sms_registration, transport_code


class Registered(NamedTuple):
    """A code with its registration. `dnc_group_id`: the registration's group, else the business unit's default."""

    bucket: int
    business_unit_id: int
    transport_code_id: int
    dnc_group_id: int | None
    keywords: dict[str, list[str]]


async def of_code(connection: AsyncConnection, provider_id: int, code: str) -> Registered | None:
    """Whose `code` is at this provider (a leading + does not matter); None where it is no transport code of ours."""
    t, r, b = transport_code.c, sms_registration.c, business_unit.c
    row = (
        await connection.execute(
            select(b.bucket, b.id, t.id, func.coalesce(r.dnc_group_id, b.dnc_group_id), r.keywords)
            .select_from(transport_code.join(business_unit, t.business_unit_id == b.id))
            .outerjoin(sms_registration, r.transport_code_id == t.id)
            .where(t.provider_id == provider_id, func.ltrim(t.code, "+") == code.lstrip("+"))
        )
    ).first()
    return Registered(row[0], row[1], row[2], row[3], row[4] or {}) if row else None


async def scrub_groups(
    connection: AsyncConnection, unit: Unit, transport_code_id: int, skill_id: int | None = None
) -> tuple[int, ...]:
    """The DNC groups that a text from this code is scrubbed against: the unit's default and the registration's own,
    and those that the skill names.
    """
    r = sms_registration.c
    own = await connection.execute(
        select(r.dnc_group_id).where(r.business_unit_id == unit.id, r.transport_code_id == transport_code_id)
    )
    named = await connection.execute(
        select(skill_dnc.c.dnc_group_id)
        .join(skill, skill.c.id == skill_dnc.c.skill_id)
        .where(skill.c.business_unit_id == unit.id, skill.c.id == skill_id, skill_dnc.c.scrubs)
    )
    groups = {unit.dnc_group_id, own.scalar(), *named.scalars()} - {None}
    return tuple(sorted(group for group in groups if group is not None))
