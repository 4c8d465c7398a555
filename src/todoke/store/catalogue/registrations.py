"""SMS registrations: whose a transport code is, where an opt-out to it goes, and what is sent back."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.codes import Code
from todoke.store.catalogue.units import Unit
from todoke.store.hot.replies import Target
from todoke.store.schema import business_unit, provider, skill, skill_dnc, sms_registration, transport_code


class Registered(NamedTuple):
    """A code with its registration. `dnc_group_id`: the registration's group, else the business unit's default.
    `answers`, `language` and `texts` are None where the registration says nothing.
    """

    unit: Unit
    code: Code
    dnc_group_id: int | None
    scrub_groups: tuple[int, ...]
    keywords: dict[str, Any]
    answers: str | None
    language: str | None
    texts: dict[str, dict[str, str]] | None
    scope: str

    @property
    def target(self) -> Target | None:
        """Where an opt-out to the code goes by itself."""
        if self.dnc_group_id is None:
            return None
        return Target(self.unit.bucket, self.unit.id, self.dnc_group_id)


async def of_code(connection: AsyncConnection, provider_id: int, code: str) -> Registered | None:
    """Whose `code` is at this provider (a leading + does not matter); None where it is no transport code of ours."""
    t = transport_code.c
    query = _query().where(t.provider_id == provider_id, func.ltrim(t.code, "+") == code.lstrip("+"))
    return _row((await connection.execute(query)).first())


async def of_id(connection: AsyncConnection, unit: Unit, transport_code_id: int) -> Registered | None:
    """The registration of the unit's code."""
    t = transport_code.c
    query = _query().where(t.id == transport_code_id, t.business_unit_id == unit.id)
    return _row((await connection.execute(query)).first())


async def every_default(connection: AsyncConnection) -> tuple[Target, ...]:
    """The default DNC group of every business unit: where an opt-out of the whole installation goes."""
    b = business_unit.c
    query = select(b.bucket, b.id, b.dnc_group_id).where(b.dnc_group_id.is_not(None)).order_by(b.id)
    return tuple(Target(*row) for row in await connection.execute(query))


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
    return _groups(unit.dnc_group_id, own.scalar(), *named.scalars())


def _groups(*groups: int | None) -> tuple[int, ...]:
    return tuple(sorted({group for group in groups if group is not None}))


def _query() -> Select[Any]:
    t, r, b, p = transport_code.c, sms_registration.c, business_unit.c, provider.c
    return (
        select(
            *(b[name] for name in Unit._fields),
            *(t.id, t.code, t.type, t.rate, t.provider_id, p.name),
            *(r.dnc_group_id, r.keywords, r.answers, r.language, r.texts),
            func.coalesce(r.opt_out_scope, b.opt_out_scope),
        )
        .select_from(transport_code)
        .join(business_unit, t.business_unit_id == b.id)
        .join(provider, t.provider_id == p.id)
        .outerjoin(sms_registration, r.transport_code_id == t.id)
    )


def _row(row: Any) -> Registered | None:
    if row is None:
        return None
    count = len(Unit._fields)
    unit, code = Unit(*row[:count]), Code(*row[count : count + 6])
    own, keywords, answers, language, texts, scope = row[count + 6 :]
    groups = _groups(unit.dnc_group_id, own)
    return Registered(unit, code, own or unit.dnc_group_id, groups, keywords or {}, answers, language, texts, scope)
