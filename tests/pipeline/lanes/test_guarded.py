"""Suppressions, caps and DNC groups that come while a run is on its way, over a real database."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, insert, select
from tests.factories import phone_of, seed_dnc, seed_dnc_group, update_skill
from tests.pipeline.lanes.test_owner import Desk, Open, desk

from todoke.model.clock import HOUR
from todoke.model.event import State
from todoke.model.ids import MAX_ORDINAL
from todoke.model.run import RunState
from todoke.providers.base import Decision
from todoke.store import schema
from todoke.store.catalogue import suppressions, units
from todoke.store.catalogue.suppressions import Whom

__all__ = ["desk"]


async def reasons(d: Desk) -> Counter[str]:
    t = schema.tally.c
    async with d.store.reading() as connection:
        rows = await connection.execute(select(t.reason, func.sum(t.messages)).group_by(t.reason))
        return Counter({reason: int(count) for reason, count in rows if reason and count})


async def waiting(d: Desk, run: int) -> dict[int, int]:
    """When each position that waits may go."""
    q = schema.due.c
    async with d.store.reading() as connection:
        rows = await connection.execute(select(q.message_id, q.not_before).where(q.run_id == run))
        return {row[0] & MAX_ORDINAL: row[1] for row in rows}


async def uses(d: Desk) -> int:
    async with d.store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.cap_use))).scalar_one()


async def suppress(d: Desk, *whom: Whom, hours: float = 24) -> int:
    async with d.store.writing() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == d.scene.unit)
        now = d.clock.now()
        return await suppressions.add(connection, unit, whom, reason="test", who="ann", now=now, hours=hours)


async def test_a_cap_that_frees_after_the_run_skips_and_one_that_frees_before_holds(desk: Open) -> None:
    d = await desk(n=50)
    await update_skill(d.store, d.scene, cap="1 in 48 hours")
    first = await d.run()
    await d.engine()
    assert await d.ended(first) is RunState.FINISHED
    assert await uses(d) == 50
    second = await d.run()
    assert await d.ended(second) is RunState.FINISHED
    assert (await d.states(second), await reasons(d)) == ({State.SKIPPED: 50}, {"cap": 50})
    await update_skill(d.store, d.scene, cap="1 in 2 hours")
    third = await d.run()

    async def all_wait() -> bool:
        return len(await waiting(d, third)) == 50

    await d.until(all_wait)
    assert all(1 * HOUR < at - d.clock.now() < 3 * HOUR for at in (await waiting(d, third)).values())
    assert d.written() == Counter((position, 1) for position in range(50))


async def test_what_the_carrier_refuses_is_no_use(desk: Open) -> None:
    d = await desk(n=40)
    await update_skill(d.store, d.scene, cap="1 in 48 hours")
    answers = [None, Decision.PERMANENT, Decision.MAYBE_SENT, Decision.PERMANENT]
    d.wire.verdict = lambda submission: answers[(submission[0].id & MAX_ORDINAL) % 4]
    run = await d.run()
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert await uses(d) == 20


async def test_a_suppression_that_comes_while_a_run_is_on_its_way_holds_what_is_composed(desk: Open) -> None:
    d = await desk(n=100)
    d.wire.up, d.wire.free = False, 0
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(len(lane.composed) == 100 for lane in engine.owner.lanes.values()))
    until = await suppress(d, Whom(phone=phone_of(7)), Whom(external_id="c9"), hours=1)
    await suppress(d, Whom(phone=phone_of(8)), hours=1000)
    await d.until(lambda: all(r.data.guard is not None for x in engine.owner.lanes.values() for r in x.runs.values()))
    d.wire.up, d.wire.free = True, 1_000_000

    async def told() -> bool:
        return await waiting(d, run) == {7: until, 9: until} and len(d.wire.written) == 97

    await d.until(told)
    assert d.written() == Counter((position, 1) for position in range(100) if position not in (7, 8, 9))
    assert await reasons(d) == {"suppressed": 1}


async def test_suppressed_contacts_are_seen_before_they_are_composed(desk: Open) -> None:
    d = await desk(n=30)
    until = await suppress(d, Whom(phone=phone_of(3)), Whom(external_id="c4"), hours=1)
    await seed_dnc(d.store, d.scene.group, [phone_of(5)])
    run = await d.run()
    await d.engine()

    async def told() -> bool:
        return await waiting(d, run) == {3: until, 4: until} and len(d.wire.written) == 27

    await d.until(told)
    assert await reasons(d) == {"dnc": 1}


async def test_a_group_that_is_added_to_a_skill_counts_for_runs_on_their_way(desk: Open) -> None:
    d = await desk(n=100)
    d.wire.up, d.wire.free = False, 0
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(len(lane.composed) == 100 for lane in engine.owner.lanes.values()))
    group = await seed_dnc_group(d.store, d.scene.unit, name="more", phones=[phone_of(2), phone_of(90)])
    async with d.store.writing() as connection:
        row = {"skill_id": d.scene.skill, "dnc_group_id": group, "contributes": False, "scrubs": True}
        await connection.execute(insert(schema.skill_dnc), [row])
    await d.until(lambda: all(group in r.groups for x in engine.owner.lanes.values() for r in x.runs.values()))
    d.wire.up, d.wire.free = True, 1_000_000
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 98, State.SKIPPED: 2}


async def end_suppression(d: Desk, whom: Whom) -> int:
    async with d.store.writing() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == d.scene.unit)
        return await suppressions.end(connection, unit, whom, who="bob", now=d.clock.now())


async def test_a_suppression_that_is_ended_early_holds_no_longer_and_the_others_do(desk: Open) -> None:
    d = await desk(n=30)
    until = await suppress(d, Whom(phone=phone_of(3)), Whom(external_id="c4"), Whom(phone=phone_of(5)), hours=2)
    longer = await suppress(d, Whom(phone=phone_of(6)), hours=3)
    await suppress(d, Whom(phone=phone_of(6)), hours=1)
    run = await d.run()
    await d.engine()

    async def held() -> bool:
        return await waiting(d, run) == {3: until, 4: until, 5: until, 6: longer} and len(d.wire.written) == 26

    await d.until(held)
    for whom in (Whom(phone=phone_of(3)), Whom(external_id="c4")):
        assert await end_suppression(d, whom) == 1
    await d.until(lambda: len(d.wire.written) == 28)
    assert d.written() == Counter((position, 1) for position in range(30) if position not in (5, 6))
    assert await waiting(d, run) == {5: until, 6: longer}


async def test_what_two_suppressions_hold_waits_for_the_other_when_one_ends(desk: Open) -> None:
    d = await desk(n=10)
    async with d.store.writing() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == d.scene.unit)
        now = d.clock.now()
        own = {"reason": "test", "who": "ann", "now": now}
        longer = await suppressions.add(connection, unit, [Whom(phone=phone_of(3))], hours=5, **own)  # type: ignore[arg-type]
        shorter = await suppressions.add(connection, unit, [Whom(external_id="c3")], hours=2, **own)  # type: ignore[arg-type]
    run = await d.run()
    await d.engine()

    async def until_longer() -> bool:
        return await waiting(d, run) == {3: longer}

    async def until_shorter() -> bool:
        return await waiting(d, run) == {3: shorter}

    await d.until(until_longer)
    assert await end_suppression(d, Whom(phone=phone_of(3))) == 1
    await d.until(until_shorter)
    assert await end_suppression(d, Whom(external_id="c3")) == 1
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(10))
