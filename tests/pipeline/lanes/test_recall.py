"""A new filter for a run that is being sent: what is on the wire stays sent, what is not must pass it, nobody twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tests.factories import phone_of, seed
from tests.pipeline.lanes.test_owner import Desk

from todoke.model.event import State
from todoke.model.run import RunState
from todoke.pipeline.planner.selecting import Selector
from todoke.store import schema
from todoke.store.hot.base import Selecting
from todoke.store.hot.selecting import Apply
from todoke.store.store import Store

EVEN = Selecting('FirstName in ("even")', (), "2026-11-27")


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Desk]:
    """120 contacts, every other one even; a code that is so slow that most of them wait."""
    async with AsyncExitStack() as stack:
        made = Desk(store, tmp_path, stack, await seed(store, n=120, rate=60))
        c = schema.contact
        async with store.writing() as connection:
            names = {0: "even", 1: "odd"}
            for half, name in names.items():
                await connection.execute(update(c).where(c.c.position % 2 == half).values(fields=name))
        yield made


async def finished(desk: Desk, run: int) -> Counter[int]:
    """Wait for the end of the run; how often each position was texted."""
    selector = Selector(desk.store, desk.clock)
    await selector.look()
    await selector.idle()
    assert await desk.ended(run) is RunState.FINISHED
    return Counter(message.destination - phone_of(0) for message, _, _ in desk.wire.written)


async def outcomes(desk: Desk, run: int) -> tuple[int, Counter[tuple[str, str]]]:
    """The contacts of the run, and what became of them."""
    t, r = schema.tally.c, schema.skill_run.c
    async with desk.store.reading() as connection:
        contacts = await connection.scalar(select(r.contacts).where(r.id == run))
        rows = await connection.execute(
            select(t.outcome, t.reason, func.sum(t.messages)).where(t.run_id == run).group_by(t.outcome, t.reason)
        )
        return contacts or 0, +Counter({(row[0], row[1]): int(row[2]) for row in rows})


@pytest.mark.parametrize("apply", [Apply.HOLD, Apply.STOP, Apply.FLUSH])
async def test_a_new_filter_holds_for_what_is_not_sent(desk: Desk, apply: Apply) -> None:
    run = await desk.run()
    await desk.engine()
    await desk.until(lambda: len(desk.wire.written) >= 10)
    assert await desk.store.hot.select_anew(desk.scene.bucket, run, EVEN, apply, desk.clock.now())
    before = {message.destination - phone_of(0) for message, _, _ in desk.wire.written}
    times = await finished(desk, run)
    assert set(times.values()) == {1}
    assert {position for position in range(120) if position % 2 == 0} <= times.keys()
    odd = {position for position in times if position % 2}
    contacts, became = await outcomes(desk, run)
    assert became[State.SENT, ""] == len(times)
    assert became.total() == contacts
    if apply is Apply.FLUSH:
        assert len(odd - before) <= 10  # what had its slot, 0.3 s ahead, until the engine heard of it
        assert became[State.SKIPPED, "filtered"] > 0
    else:
        assert odd - before  # what was taken goes on
        assert became[State.SKIPPED, "filtered"] == 0
