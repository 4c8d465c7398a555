"""Facts for `todoke doctor`: what waits, what is in doubt, who has which lane. Of the whole installation."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.store.schema import engine, lane, orphan, provider, skill_run, tally, transport_code

MANY = 10_000  # more orphans than this are not counted


class Books(NamedTuple):
    """`orphans` counts up to MANY + 1."""

    open_runs: int
    in_doubt: int
    orphans: int


async def books(connection: AsyncConnection) -> Books:
    """How much there is of what a person may have to look at."""
    open_runs = select(func.count()).where(
        skill_run.c.state.in_([state.value for state in OPEN]), ~skill_run.c.standing
    )
    in_doubt = select(func.coalesce(func.sum(tally.c.messages), 0)).where(tally.c.outcome == State.IN_DOUBT.value)
    some = select(orphan.c.provider_id).limit(MANY + 1).subquery()
    orphans = select(func.count()).select_from(some)
    counts = [int((await connection.execute(query)).scalar_one()) for query in (open_runs, in_doubt, orphans)]
    return Books(*counts)


async def idle_codes(connection: AsyncConnection, now: Micros) -> list[str]:
    """The transport codes that no living engine has, as `provider/code`."""
    has = and_(engine.c.id == lane.c.engine_id, engine.c.state == "alive", engine.c.lease_until >= now)
    query = (
        select(provider.c.name, transport_code.c.code)
        .select_from(transport_code)
        .join(provider, provider.c.id == transport_code.c.provider_id)
        .join(lane, lane.c.transport_code_id == transport_code.c.id, isouter=True)
        .join(engine, has, isouter=True)
        .where(engine.c.id.is_(None))
        .order_by(provider.c.name, transport_code.c.code)
    )
    return [f"{name}/{code}" for name, code in await connection.execute(query)]
