"""Numbers that come onto DNC groups many at once, and those that are free again, between two flushes."""

from __future__ import annotations

from sqlalchemy import delete
from tests.factories import phone_of, seed_dnc, seed_dnc_group
from tests.pipeline.lanes.test_owner import Desk, Open, desk

from todoke.model.clock import SECOND
from todoke.model.event import State
from todoke.model.run import RunEvent, RunState
from todoke.pipeline.lanes.relooking import lift_freed
from todoke.pipeline.lanes.stops import StopSet
from todoke.store import schema

__all__ = ["desk"]


async def test_numbers_that_come_in_an_import_are_not_texted_although_they_have_their_slots(desk: Open) -> None:
    """What has its slots was withdrawn a moment ago for others, and is not withdrawn again so soon."""
    d = await desk(n=40, rate=4)  # slots up to two seconds ahead
    run = await d.run()
    engine = await d.engine()
    engine.owner.withdraw()

    def reserved() -> set[int]:
        lanes = engine.owner.lanes.values()
        return {m.destination for lane in lanes for r in lane.reserved for m, _, _ in r.submissions[r.next + 3 :]}

    await d.until(lambda: len(d.wire.written) >= 1)
    await d.until(lambda: len(reserved()) >= 3)
    numbers = reserved()
    await seed_dnc(d.store, d.scene.group, numbers)
    engine.owner.withdraw()
    await d.until(lambda: len(d.wire.written) >= 12)
    assert not numbers & {m.destination for m, _, _ in d.wire.written}
    await d.store.hot.control_run(d.scene.bucket, run, RunEvent.STOP, "test", d.clock.now())
    assert await d.ended(run) is RunState.STOPPED
    assert (await d.states(run))[State.SKIPPED] == len(numbers)


async def free(d: Desk, phone: int) -> None:
    async with d.store.writing() as connection:
        await connection.execute(delete(schema.dnc_entry).where(schema.dnc_entry.c.phone == phone))


async def test_a_number_that_another_process_has_freed_leaves_the_stop_set(desk: Open) -> None:
    d = await desk(n=5)
    group, other = d.scene.group, await seed_dnc_group(d.store, d.scene.unit, name="other")
    stops = StopSet()
    await lift_freed(d.store.hot, stops, d.clock)
    for phone in (phone_of(1), phone_of(2)):
        await seed_dnc(d.store, group, [phone])
        stops.add(group, phone, d.clock.now() - SECOND)
    await seed_dnc(d.store, other, [phone_of(2)])
    stops.add(other, phone_of(2), d.clock.now() - SECOND)
    await lift_freed(d.store.hot, stops, d.clock)
    assert sorted(stops.pairs()) == [(group, phone_of(1)), (group, phone_of(2)), (other, phone_of(2))]
    await free(d, phone_of(1))
    await lift_freed(d.store.hot, stops, d.clock)
    assert sorted(stops.pairs()) == [(group, phone_of(2)), (other, phone_of(2))]
    assert not stops.has((group,), phone_of(1))
    stops.add(group, phone_of(3), d.clock.now() + SECOND)  # it said so while we looked
    await lift_freed(d.store.hot, stops, d.clock)
    assert stops.has((group,), phone_of(3))
