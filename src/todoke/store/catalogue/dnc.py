"""DNC groups and their entries, to read; what adds or lifts one also writes what changed: `Hot.apply_opt_outs`, and
`store.dnc` for files of numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.dnc import HELD
from todoke.model.errors import NotFound
from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import dnc_entry, dnc_group, skill, skill_dnc

_MAKE = "Declare it under [[dnc_group]] and run todoke apply."


class Group(NamedTuple):
    id: int
    name: str
    default: bool


class OfSkill(NamedTuple):
    """Names of the groups that a skill names."""

    scrub: list[str]
    contribute: list[str]


class EntryRow(NamedTuple):
    """A number on a group. `source`: opt_out, upload, person, disposition or api; review: it is held while a person has
    to read what it said. `expires_at` None: for good.
    """

    phone: int
    group: str
    source: str
    created_at: Micros
    expires_at: Micros | None

    @property
    def ends_at(self) -> Micros | None:
        """When time ends it; None where it is for good, or until a person has read the reply (`todoke review`)."""
        return None if self.source == HELD else self.expires_at


async def groups(connection: AsyncConnection, unit: Unit) -> list[Group]:
    """The unit's groups by name."""
    g = dnc_group.c
    rows = await connection.execute(select(g.id, g.name).where(g.business_unit_id == unit.id).order_by(g.name))
    return [Group(id_, name, id_ == unit.dnc_group_id) for id_, name in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str | None) -> Group:
    """The unit's group of that name, its default one without a name; NotFound."""
    rows = await groups(connection, unit)
    if name is not None:
        return pick(name, rows, "DNC group", _MAKE)
    default = next((row for row in rows if row.default), None)
    if default is None:
        raise NotFound(f"{unit.name} has no default DNC group.", fix=_MAKE)
    return default


async def of_skill(connection: AsyncConnection, unit: Unit, skill_id: int) -> OfSkill:
    """The groups that the skill names, beside those that opt-outs to its code go to."""
    d, g = skill_dnc.c, dnc_group.c
    rows = (
        await connection.execute(
            select(g.name, d.scrubs, d.contributes)
            .select_from(skill_dnc.join(dnc_group, g.id == d.dnc_group_id))
            .join(skill, skill.c.id == d.skill_id)
            .where(skill.c.business_unit_id == unit.id, d.skill_id == skill_id)
            .order_by(g.name)
        )
    ).all()
    return OfSkill([row[0] for row in rows if row[1]], [row[0] for row in rows if row[2]])


async def entries(
    connection: AsyncConnection, unit: Unit, group: Group, now: Micros, after: int = 0, limit: int = 1000
) -> list[EntryRow]:
    """Numbers on the group above `after`, in order."""
    e = dnc_entry.c
    rows = await connection.execute(
        select(e.phone, dnc_group.c.name, e.source, e.created_at, e.expires_at)
        .join(dnc_group, dnc_group.c.id == e.dnc_group_id)
        .where(*_of(unit, group), e.phone > after, _holds(now))
        .order_by(e.phone)
        .limit(limit)
    )
    return [EntryRow(*row) for row in rows]


async def count(connection: AsyncConnection, unit: Unit, group: Group, now: Micros) -> int:
    """How many numbers are on the group."""
    joined = dnc_entry.join(dnc_group, dnc_group.c.id == dnc_entry.c.dnc_group_id)
    query = select(func.count()).select_from(joined).where(*_of(unit, group), _holds(now))
    return (await connection.execute(query)).scalar_one()


async def on(
    connection: AsyncConnection, unit: Unit, phone: int, now: Micros, *, groups: tuple[int, ...] | None = None
) -> list[EntryRow]:
    """The unit's groups that the number is on, only those of `groups` where these are given; what has expired holds no
    more.
    """
    e, g = dnc_entry.c, dnc_group.c
    query = (
        select(e.phone, g.name, e.source, e.created_at, e.expires_at)
        .join(dnc_group, g.id == e.dnc_group_id)
        .where(e.bucket == unit.bucket, g.business_unit_id == unit.id, e.phone == phone, _holds(now))
        .order_by(g.name)
    )
    rows = await connection.execute(query if groups is None else query.where(g.id.in_(groups)))
    return [EntryRow(*row) for row in rows]


def _of(unit: Unit, group: Group) -> tuple[ColumnElement[bool], ...]:
    """The entries of the group, if it is the unit's."""
    e = dnc_entry.c
    return e.bucket == unit.bucket, e.dnc_group_id == group.id, dnc_group.c.business_unit_id == unit.id


def _holds(now: Micros) -> ColumnElement[bool]:
    return or_(dnc_entry.c.expires_at.is_(None), dnc_entry.c.expires_at > now)
