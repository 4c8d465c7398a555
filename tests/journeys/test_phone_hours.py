"""Hours by phone type, from the start of a run to what the phones got."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from tests.journeys.conftest import EngineContext
from tests.world import eventually, make_world

from todoke.model.clock import SystemClock, to_datetime
from todoke.model.event import State
from todoke.model.holidays import WEEKDAYS
from todoke.providers.simulator import Simulator
from todoke.store import schema
from todoke.store.store import Store

PLACE = "US-NY America/New_York"


async def declare(store: Store, **hours: str) -> None:
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(phone_hours=hours or None))


async def test_a_number_at_work_waits_for_its_hours_and_one_at_home_does_not(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    """... and hours that change count for the run that is under way, which nobody started anew."""
    sets = ((PLACE, "@Home phone"), (PLACE, "@PhoneNumber", "@Work phone"), (PLACE,))
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=60, zones=sets)
    other_day = WEEKDAYS[(to_datetime(SystemClock().now()) + timedelta(days=3)).weekday()]  # wherever it is today
    await declare(store, workphone=f"{other_day} 09:00-17:00")
    async with engine():
        run = await world.start()

        async def home() -> bool:
            return (await world.counts(run))[State.DELIVERED] == 20

        await eventually(home, "everybody at home has a text")
        assert set(await world.states(run)) == set(range(20))  # nor those of whom nobody knows where they are texted
        await declare(store)
        await world.ended(run)
    assert await world.judge(run, 60) == {State.DELIVERED: 60}
