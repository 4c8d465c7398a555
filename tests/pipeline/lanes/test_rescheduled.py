"""Hours that change while a run is on its way, over a real database: wider ones let go what waits, narrower ones hold
what has its slot already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import update
from tests.factories import phone_of, update_skill
from tests.pipeline.lanes.test_guarded import suppress, waiting
from tests.pipeline.lanes.test_owner import Desk, Engine, Open, desk

from todoke.model.clock import HOUR, to_datetime
from todoke.model.consent import Kind as ConsentKind
from todoke.model.event import State
from todoke.model.run import RunState
from todoke.pipeline.lanes.runs import MIXED
from todoke.store import schema
from todoke.store.catalogue.suppressions import Whom

__all__ = ["desk"]

WHOLE_DAY = {"window_start": 0, "window_end": 24 * 60}
AFTERNOON = {"window_start": 13 * 60, "window_end": 20 * 60}
EVENING = {"window_start": 17 * 60, "window_end": 20 * 60}


def zone_at(d: Desk, hour: int) -> str:
    """Where it is past this hour now, whatever hour it is here."""
    west = (to_datetime(d.clock.now()).hour - hour + 12) % 24 - 12
    return f"Etc/GMT{west:+d}" if west else "Etc/GMT"


async def live_in(d: Desk, zones: Sequence[str]) -> None:
    """All of them, on a list whose contacts are looked at one by one."""
    async with d.store.writing() as connection:
        await connection.execute(update(schema.calling_list).values(zone_sets=[list(zones)]))
        await connection.execute(update(schema.list_range).values(zone_set=MIXED))


def knows(engine: Engine, window: dict[str, int]) -> bool:
    """Whether the engine has seen that the window is this one."""
    wanted = (window["window_start"], window["window_end"])
    return all(run.data.window == wanted for lane in engine.owner.lanes.values() for run in lane.runs.values())


async def test_wider_hours_let_go_what_waits_for_the_old_ones(desk: Open) -> None:
    d = await desk(n=40)
    await live_in(d, [zone_at(d, 10)])
    await update_skill(d.store, d.scene, **EVENING)
    until = await suppress(d, Whom(phone=phone_of(7)), hours=20)
    run = await d.run()
    engine = await d.engine()

    async def held() -> bool:
        return len(await waiting(d, run)) == 40

    await d.until(held)
    moments = await waiting(d, run)
    assert moments[7] == until
    (evening,) = {at for position, at in moments.items() if position != 7}
    await update_skill(d.store, d.scene, **AFTERNOON)

    async def earlier() -> bool:
        return {at for position, at in (await waiting(d, run)).items() if position != 7} == {evening - 4 * HOUR}

    await d.until(earlier)
    assert not d.wire.written
    await update_skill(d.store, d.scene, **WHOLE_DAY)

    async def let_go() -> bool:
        return len(d.wire.written) == 39 and await waiting(d, run) == {7: until}

    await d.until(let_go)
    assert d.written() == Counter((position, 1) for position in range(40) if position != 7)
    assert knows(engine, WHOLE_DAY)


@pytest.mark.parametrize("declared", ["unit", "phone_type"])
async def test_wider_hours_of_the_unit_and_of_a_phone_type_let_go_what_waits_too(desk: Open, declared: str) -> None:
    d = await desk(n=20)
    await live_in(d, [zone_at(d, 10), "@PhoneNumber"])
    narrow = {"hours": "17:00-20:00"} if declared == "unit" else {"phone_hours": {"PhoneNumber": "17:00-20:00"}}
    wide = dict.fromkeys(narrow)
    async with d.store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(narrow))
    run = await d.run()
    await d.engine()

    async def held() -> bool:
        return len(await waiting(d, run)) == 20

    await d.until(held)
    async with d.store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(wide))
    assert await d.ended(run) is RunState.FINISHED
    assert len(d.wire.written) == 20


async def test_what_could_never_go_by_the_old_hours_goes_by_the_new_ones(desk: Open) -> None:
    d = await desk(n=20)
    await live_in(d, [zone_at(d, 10), zone_at(d, 22)])  # candidate places that are never open together
    await update_skill(d.store, d.scene, **AFTERNOON)
    run = await d.run()
    await d.engine()

    async def held() -> bool:
        return len(await waiting(d, run)) == 20

    await d.until(held)
    await update_skill(d.store, d.scene, **WHOLE_DAY)
    assert await d.ended(run) is RunState.FINISHED
    assert len(d.wire.written) == 20


@pytest.mark.parametrize("cap", [None, "2 in 48 hours", "1 in 1 hours"])
async def test_a_cap_that_lets_go_earlier_lets_go_what_waits_for_it(desk: Open, cap: str | None) -> None:
    d = await desk(n=30)
    await update_skill(d.store, d.scene, cap="1 in 20 hours")
    first = await d.run()
    await d.engine()
    assert await d.ended(first) is RunState.FINISHED
    until = await suppress(d, Whom(phone=phone_of(7)), hours=21)
    run = await d.run()

    async def held() -> bool:
        return len(await waiting(d, run)) == 30

    await d.until(held)
    if cap == "1 in 1 hours":
        async with d.store.writing() as connection:  # the first run was two hours ago
            await connection.execute(update(schema.cap_use).values(at=schema.cap_use.c.at - 2 * HOUR))
    await update_skill(d.store, d.scene, cap=cap)

    async def let_go() -> bool:
        return len(d.wire.written) == 59 and await waiting(d, run) == {7: until}

    await d.until(let_go)


async def test_consent_that_comes_to_be_required_counts_for_what_has_its_slot_already(desk: Open) -> None:
    d = await desk(n=60, rate=4)
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(lane.reserved for lane in engine.owner.lanes.values()) and len(d.wire.written) >= 1)
    await update_skill(d.store, d.scene, consent=int(ConsentKind.EXPRESS), consent_purpose="marketing")
    written: list[int] = []

    def seen() -> bool:
        written[:] = [len(d.wire.written)]
        return all(r.data.check is not None for lane in engine.owner.lanes.values() for r in lane.runs.values())

    await d.until(seen)
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: written[0], State.SKIPPED: 60 - written[0]}


async def test_consent_that_comes_to_be_required_while_a_flush_reserves_counts_for_that_flush(desk: Open) -> None:
    """It has committed and looked nothing up, and its answer comes when the engine knows better."""
    d = await desk(n=20, rate=4)  # slots up to two seconds ahead
    engine = await d.engine()
    engine.held = []
    run = await d.run()
    await d.until(lambda: bool(engine.held))
    await update_skill(d.store, d.scene, consent=int(ConsentKind.EXPRESS), consent_purpose="marketing")
    await d.until(lambda: all(r.data.check is not None for x in engine.owner.lanes.values() for r in x.runs.values()))
    engine.held = None
    engine.release.set()
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SKIPPED: 20}
    assert not d.wire.written


async def test_narrower_hours_hold_what_has_its_slot_already(desk: Open) -> None:
    d = await desk(n=60, rate=4)
    await live_in(d, [zone_at(d, 10)])
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(lane.reserved for lane in engine.owner.lanes.values()) and len(d.wire.written) >= 1)
    await update_skill(d.store, d.scene, **EVENING)
    written: list[int] = []

    def seen() -> bool:
        written[:] = [len(d.wire.written)]
        return knows(engine, EVENING)

    await d.until(seen)

    async def held() -> bool:
        return len(await waiting(d, run)) == 60 - len(d.wire.written)

    await d.until(held)
    assert len(d.wire.written) == written[0] < 60
