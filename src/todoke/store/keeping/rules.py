"""What the texts of a skill, or of a code without one, are held against, as it is declared now."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model import cap
from todoke.store.catalogue import registrations
from todoke.store.catalogue.skills import SkillRow
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import Check, Guard
from todoke.store.hot.checking import check_of
from todoke.store.privacy.reading import anyone_erased
from todoke.store.schema import calling_list, suppression

_NONE = 0  # no id of anything


class Rules(NamedTuple):
    """`groups`: do-not-call groups. `check` None: no consent is required, and nobody was erased."""

    bucket: int
    groups: tuple[int, ...]
    guard: Guard
    check: Check | None


async def of_skill(connection: AsyncConnection, unit: Unit, skill: SkillRow, list_id: int | None = None) -> Rules:
    """What a run of the unit's skill would look at, over that list; None: over one that is not there yet."""
    guard = await _guard(connection, unit, skill.id, skill.transport_code_id, list_id)
    return Rules(
        unit.bucket,
        await registrations.scrub_groups(connection, unit, skill.transport_code_id, skill.id),
        guard._replace(skill_cap=cap.optional(skill.cap)),
        check_of(
            unit.id,
            skill.consent,
            skill.consent_purpose,
            skill.consent_programme,
            await anyone_erased(connection, unit),
        ),
    )


async def of_code(connection: AsyncConnection, unit: Unit, transport_code_id: int | None) -> Rules:
    """What a text by itself would be held against; without a code, by all that holds for the whole unit."""
    code = _NONE if transport_code_id is None else transport_code_id
    return Rules(
        unit.bucket,
        await registrations.scrub_groups(connection, unit, code),
        await _guard(connection, unit, _NONE, code, None),
        check_of(unit.id, None, None, None, await anyone_erased(connection, unit)),
    )


async def _guard(
    connection: AsyncConnection, unit: Unit, skill_id: int, transport_code_id: int, list_id: int | None
) -> Guard:
    """With the caps of unit and list."""
    s, c = suppression.c, calling_list.c
    mine = (s.bucket == unit.bucket, s.business_unit_id == unit.id, s.ended_at.is_(None))  # or expired: looked at
    by_phone = await connection.scalar(select(exists().where(*mine, s.phone > 0)))
    by_external_id = await connection.scalar(select(exists().where(*mine, s.external_id > "")))
    of_list = await connection.scalar(select(c.cap).where(c.business_unit_id == unit.id, c.id == list_id))
    return Guard(
        unit.bucket,
        unit.id,
        skill_id,
        _NONE if list_id is None else list_id,
        transport_code_id,
        bool(by_phone),
        bool(by_external_id),
        cap.optional(unit.cap),
        None,
        cap.optional(of_list),
    )
