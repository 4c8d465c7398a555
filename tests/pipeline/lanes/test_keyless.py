"""The first person is erased on another machine: an engine without the key holds what it must, and goes on."""

from __future__ import annotations

from sqlalchemy import insert
from tests.factories import phone_of, seed_code, seed_dnc_group, seed_list, seed_run, seed_skill, seed_unit
from tests.pipeline.lanes.doubles import lane_run, open_run
from tests.pipeline.lanes.test_guarded import waiting
from tests.pipeline.lanes.test_owner import Desk, Open, desk

from todoke.model.clock import SECOND
from todoke.model.event import State
from todoke.model.run import RunState
from todoke.store import schema
from todoke.store.hot.base import Check
from todoke.store.hot.checking import KEYLESS

__all__ = ["desk"]


def hashed(phone: int) -> int:
    return phone * 7


async def erase(d: Desk, position: int) -> None:
    scene = d.scene
    row = {"bucket": scene.bucket, "business_unit_id": scene.unit, "dnc_group_id": scene.group}
    digest = hashed(phone_of(position))
    async with d.store.writing() as connection:
        await connection.execute(insert(schema.erased_number).values(digest=digest, until=None, created_at=1, **row))


async def test_what_is_composed_when_somebody_is_erased_elsewhere_waits_for_the_key(desk: Open) -> None:
    d = await desk(n=30)
    d.wire.up, d.wire.free = False, 0
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(len(lane.composed) == 30 for lane in engine.owner.lanes.values()))
    await erase(d, 7)
    await d.until(lambda: all(r.data.check is not None for x in engine.owner.lanes.values() for r in x.runs.values()))
    d.wire.up, d.wire.free = True, 1_000_000

    async def all_wait() -> bool:
        return len(await waiting(d, run)) == 30

    await d.until(all_wait)
    assert not d.wire.written
    now = d.clock.now()
    assert all(now < at <= now + KEYLESS for at in (await waiting(d, run)).values())


async def test_what_is_taken_without_the_key_waits_and_other_units_go_on(desk: Open) -> None:
    d = await desk(n=30)
    await erase(d, 7)
    run = await d.run()
    unit = await seed_unit(d.store, name="other")
    code = await seed_code(d.store, unit, d.scene.provider, code="15551230002")
    group = await seed_dnc_group(d.store, unit)
    skill = await seed_skill(d.store, unit, code)
    list_id = await seed_list(d.store, unit, n=20)
    other = d.scene._replace(unit=unit, code=code, group=group, skill=skill, list=list_id)
    of_other = await seed_run(d.store, other, started_at=d.clock.now())
    await d.engine()
    assert await d.ended(of_other) is RunState.FINISHED
    assert await d.states(of_other) == {State.SENT: 20}

    async def all_wait() -> bool:
        return len(await waiting(d, run)) == 30

    await d.until(all_wait)
    d.store.hot.use_key(hashed)
    async with d.store.writing() as connection:
        await connection.execute(schema.due.update().values(not_before=d.clock.now() - SECOND))
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 29, State.SKIPPED: 1}


def test_nothing_is_taken_from_the_cursors_of_a_run_without_the_key() -> None:
    run = lane_run(check=Check(1, None, True))
    now = run.data.expires_at - 1
    assert run.open_cursors(now)
    run.keyless = True
    assert not run.open_cursors(now)
    run.refresh(open_run())
    run.keyless = False
    assert run.open_cursors(now)
