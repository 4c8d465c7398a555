"""What the tables have of one number, beside contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.store.catalogue.units import Unit
from todoke.store.schema import dnc_entry, dnc_group, erased_number, erasure, inbound, skill, skill_run


class Run(NamedTuple):
    id: int
    skill: str
    state: str
    body: str
    started_at: Micros


class Said(NamedTuple):
    id: int
    text: str
    code: str
    meaning: str
    received_at: Micros


class Listed(NamedTuple):
    group: str
    source: str
    created_at: Micros
    expires_at: Micros | None = None


class Erasure(NamedTuple):
    id: int
    requested_by: str
    counts: dict[str, Any]
    begun_at: Micros
    finished_at: Micros | None


async def runs_of(connection: AsyncConnection, unit: Unit, list_id: int) -> list[Run]:
    """Every run over the list, the oldest first."""
    r = skill_run.c
    rows = await connection.execute(
        select(r.id, skill.c.name, r.state, r.body, r.started_at)
        .join(skill, skill.c.id == r.skill_id)
        .where(r.bucket == unit.bucket, r.list_id == list_id, r.business_unit_id == unit.id)
        .order_by(r.id)
    )
    return [Run(*row) for row in rows]


async def replies(connection: AsyncConnection, unit: Unit, phone: int) -> list[Said]:
    """What came from the number to codes of the unit, or to codes that nobody knows; in order."""
    i = inbound.c
    rows = await connection.execute(
        select(i.id, i.text, i.destination, i.meaning, i.received_at)
        .where(
            i.bucket.in_({unit.bucket, 0}),
            i.source == str(phone),
            or_(i.business_unit_id == unit.id, i.business_unit_id.is_(None)),
        )
        .order_by(i.received_at, i.id)
    )
    return [Said(*row) for row in rows]


async def listed(connection: AsyncConnection, unit: Unit, phone: int) -> list[Listed]:
    """The unit's DNC groups that the number is on."""
    e = dnc_entry.c
    rows = await connection.execute(
        select(dnc_group.c.name, e.source, e.created_at)
        .join(dnc_group, dnc_group.c.id == e.dnc_group_id)
        .where(e.bucket == unit.bucket, e.phone == phone, dnc_group.c.business_unit_id == unit.id)
        .order_by(dnc_group.c.name)
    )
    return [Listed(*row) for row in rows]


async def listed_erased(connection: AsyncConnection, unit: Unit, digest: int, now: Micros) -> list[Listed]:
    """The groups that a number of somebody who was erased is on."""
    e = erased_number.c
    rows = await connection.execute(
        select(dnc_group.c.name, e.created_at, e.until)
        .join(dnc_group, dnc_group.c.id == e.dnc_group_id)
        .where(e.bucket == unit.bucket, e.business_unit_id == unit.id, e.digest == digest)
        .where(or_(e.until.is_(None), e.until > now))
        .order_by(dnc_group.c.name)
    )
    return [Listed(row[0], "erased", row[1], row[2]) for row in rows]


async def listed_as_hash(
    connection: AsyncConnection, unit: Unit, hashed: Callable[[int], int], phone: int, now: Micros
) -> list[Listed]:
    """The same by number; `hashed` is asked only where anybody was erased."""
    if await key_check(connection) is None:
        return []
    return await listed_erased(connection, unit, hashed(phone), now)


async def anyone_erased(connection: AsyncConnection, unit: Unit) -> bool:
    """Whether numbers of people who were erased are kept, as hashes."""
    n = erased_number.c
    mine = select(n.digest).where(n.bucket == unit.bucket, n.business_unit_id == unit.id).limit(1)
    return await connection.scalar(mine) is not None


async def erasures(connection: AsyncConnection, unit: Unit, digest: int) -> list[Erasure]:
    """When the number was erased."""
    e = erasure.c
    rows = await connection.execute(
        select(e.id, e.requested_by, e.counts, e.begun_at, e.finished_at)
        .where(e.bucket == unit.bucket, e.digest == digest, e.business_unit_id == unit.id)
        .order_by(e.id)
    )
    return [Erasure(*row) for row in rows]


async def key_check(connection: AsyncConnection) -> int | None:
    """What the key must answer to by which people were erased here; None where nobody was."""
    return await connection.scalar(select(erasure.c.key_check).limit(1))
