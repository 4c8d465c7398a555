"""What is in doubt, for people: which segments, since when, why, and what awaits them."""

from __future__ import annotations

from typing import NamedTuple, TypeVarTuple

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.store.catalogue.units import Unit
from todoke.store.schema import doubt, skill, skill_run

_Ts = TypeVarTuple("_Ts")


class DoubtRow(NamedTuple):
    """A segment in doubt. `retry_at`: when its skill's policy sends it again; None: it stays until a receipt or a
    person ends it.
    """

    message_id: int
    segment: int
    segments: int
    attempt: int
    run_id: int
    skill: str
    code: str
    destination: int | None
    reason: str
    at: Micros
    retry_at: Micros | None


async def every(
    connection: AsyncConnection, unit: Unit, *, run_id: int | None = None, limit: int = 100
) -> list[DoubtRow]:
    """The unit's doubts, the newest first; with `run_id` those of one run."""
    d = doubt.c
    query = _of(
        unit,
        run_id,
        select(
            d.message_id,
            d.segment,
            d.segments,
            d.attempt,
            d.run_id,
            skill.c.name,
            d.code,
            d.destination,
            d.reason,
            d.at,
            d.retry_at,
        ),
    )
    rows = await connection.execute(query.order_by(d.at.desc(), d.message_id, d.segment, d.attempt).limit(limit))
    return [DoubtRow(*row) for row in rows]


async def count(connection: AsyncConnection, unit: Unit, *, run_id: int | None = None) -> int:
    """How many segments are in doubt."""
    return await connection.scalar(_of(unit, run_id, select(func.count()))) or 0


async def messages(connection: AsyncConnection, unit: Unit, run_id: int) -> list[int]:
    """The messages of the unit's run that have a doubt, in order."""
    d = doubt.c
    query = _of(unit, run_id, select(d.message_id)).distinct().order_by(d.message_id)
    return list(await connection.scalars(query))


def _of(unit: Unit, run_id: int | None, query: Select[*_Ts]) -> Select[*_Ts]:
    d, r = doubt.c, skill_run.c
    query = (
        query.select_from(doubt)
        .join(skill_run, (r.bucket == d.bucket) & (r.id == d.run_id))
        .join(skill, skill.c.id == r.skill_id)
        .where(d.bucket == unit.bucket, r.business_unit_id == unit.id)
    )
    return query if run_id is None else query.where(d.run_id == run_id)
