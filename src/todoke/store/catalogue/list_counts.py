"""How far a list is, for all that was started over it: from counts that are kept, never from its contacts."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.units import Unit
from todoke.store.schema import due, skill, skill_run, tally

MOST_DUE = 200_000  # rows of `due` that are looked at for one run


class SkillCounts(NamedTuple):
    """Of the newest run of a skill over the list. Every contact is one of: fresh (its first attempt is still to come),
    retried (another attempt is to come), finalized (none is). `at_least`: `retried` is a lower bound, and `fresh` an
    upper one.
    """

    skill: str
    run: int
    fresh: int
    retried: int
    finalized: int
    at_least: bool = False


class ListCounts(NamedTuple):
    """`total` rows came, of which `valid` became contacts. `finalized`: contacts with which every skill that was
    started over the list is done, at the most; 0 where none was.
    """

    total: int
    valid: int
    invalid: int
    finalized: int
    skills: tuple[SkillCounts, ...]


async def count(connection: AsyncConnection, unit: Unit, row: ListRow) -> ListCounts:
    """The counts of a list: a few rows for each skill, whatever its size."""
    r, t = skill_run.c, tally.c
    newest = (
        select(func.max(r.id).label("id"))
        .where(r.bucket == unit.bucket, r.business_unit_id == unit.id, r.list_id == row.id)
        .group_by(r.skill_id)
        .subquery()
    )
    runs = await connection.execute(
        select(r.id, skill.c.name, r.contacts, func.coalesce(func.sum(t.messages), 0))
        .join(newest, newest.c.id == r.id)
        .join(skill, skill.c.id == r.skill_id)
        .outerjoin(tally, and_(t.bucket == r.bucket, t.run_id == r.id))
        .where(r.bucket == unit.bucket)
        .group_by(r.id, skill.c.name, r.contacts)
        .order_by(skill.c.name)
    )
    found: list[SkillCounts] = []
    for run_id, name, contacts, finalized in runs.all():
        retried, looked_at = await _retried(connection, unit.bucket, run_id)
        waiting = max(0, contacts - int(finalized))
        # What came to the list after the run started is fresh to the skill: its next run takes it.
        fresh = max(0, waiting - retried) + max(0, row.contacts - contacts)
        found.append(SkillCounts(name, run_id, fresh, retried, int(finalized), looked_at >= MOST_DUE))
    done = min((counts.finalized for counts in found), default=0)
    return ListCounts(row.contacts + row.rejected, row.contacts, row.rejected, done, tuple(found))


async def _retried(connection: AsyncConnection, bucket: int, run_id: int) -> tuple[int, int]:
    """Messages of the run that wait for a second or later attempt, and how many rows were looked at."""
    d = due.c
    some = select(d.attempt).where(d.bucket == bucket, d.run_id == run_id).limit(MOST_DUE).subquery()
    retried = func.count().filter(some.c.attempt > 0)
    row = (await connection.execute(select(retried, func.count()).select_from(some))).one()
    return row[0], row[1]
