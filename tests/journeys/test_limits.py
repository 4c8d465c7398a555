"""Limits and streams over a real socket, judged by the simulator's ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import select, update
from tests.factories import seed_brand, seed_code, seed_list, seed_provider, seed_skill
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, CODE, World, eventually, make_world

from todoke.model.clock import HOUR, SystemClock
from todoke.model.event import State
from todoke.model.limit import day_of
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.providers.simulator import Behaviour, Simulator
from todoke.providers.simulator import Settings as SimulatorSettings
from todoke.store import schema
from todoke.store.catalogue import allowances, units
from todoke.store.hot.base import NewRun
from todoke.store.store import Store


def most_in_a_second(world: World) -> int:
    """By the clock of the simulator. It may read a little late what was written in time, and then much at once; so the
    windows are a tenth shorter.
    """
    times = sorted(entry.monotonic for entry in world.entries())
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - 900_000:
            start += 1
        most = max(most, end - start + 1)
    return most


async def second_code(world: World, port: int, **settings: object) -> World:
    """Another provider account at the same simulator, with a code, a skill and a list of the same unit."""
    store, scene = world.store, world.scene
    account = {"host": "127.0.0.1", "port": port, "system_id": "other", "password": "secret", "trace": True}
    provider = await seed_provider(store, name="other", bucket=BUCKET, settings={**account, **settings})
    code = await seed_code(store, scene.unit, provider, code="72346", type="short", rate=200)
    skill = await seed_skill(store, scene.unit, code, name="other")
    calling_list = await seed_list(store, scene.unit, n=60, name="other", bucket=BUCKET)
    return World(store, scene._replace(provider=provider, code=code, skill=skill, list=calling_list), world.ledger)


async def test_two_codes_of_a_unit_never_exceed_its_rate(store: Store, engine: EngineContext, ledger: Path) -> None:
    """On two provider accounts; a text of two segments and one of one."""
    accounts = {"todoke": "secret", "other": "secret"}
    codes = {CODE: "todoke", "72346": "other"}
    settings = SimulatorSettings(
        port=0,
        control_port=0,
        ledger=ledger,
        accounts=accounts,
        codes=codes,
        behaviour=Behaviour(receipt_delay=0.02),
    )
    async with Simulator(settings) as simulator:
        port = simulator.ports.smpp_port
        one = await make_world(store, port, ledger, contacts=60, rate=200)
        two = await second_code(one, port)
        async with store.writing() as connection:
            await connection.execute(update(schema.business_unit).values(rate=40))
        await _two_runs(one, two, engine)


async def _two_runs(one: World, two: World, engine: EngineContext) -> None:
    async with engine():
        runs = [await one.start(), await two.start("A longer text for {FirstName}. " * 7)]
        for run in runs:
            await one.ended(run)
    assert await one.judge(runs[0], 60) == {State.DELIVERED: 60}
    assert await one.judge(runs[1], 60) == {State.DELIVERED: 60}
    assert len(one.sent()) == 180
    assert most_in_a_second(one) <= 40


async def test_a_provider_account_never_exceeds_its_rate_over_its_links(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=120, rate=1_000, window=3, links=3)
    async with store.writing() as connection:
        settings = (await connection.execute(select(schema.provider.c.settings))).scalar_one()
        await connection.execute(update(schema.provider).values(settings={**settings, "rate": 30}))
    async with engine():
        run = await world.start()
        await world.ended(run)
    assert await world.judge(run, 120) == {State.DELIVERED: 120}
    assert most_in_a_second(world) <= 30


async def test_a_daily_cap_stops_at_exactly_the_cap_and_says_so(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=80, rate=100)
    now = SystemClock().now()
    # A zone whose day has begun more than an hour ago and lasts for hours: what is given back counts.
    zones = ("UTC", "Asia/Tokyo", "America/New_York")
    zone = next(zone for zone in zones if 2 * HOUR < now - day_of(zone, now).start < 22 * HOUR)
    brand = await seed_brand(store, world.scene.unit, daily_cap=25, cap_zone=zone)
    async with store.writing() as connection:
        await connection.execute(update(schema.transport_code).values(sms_brand_id=brand))
    async with engine():
        run = await world.start()

        async def capped() -> bool:
            return (await world.counts(run))[State.DELIVERED] == 25

        await eventually(capped, "the cap is used to its end")
        await asyncio.sleep(1.0)  # nothing else may come: there is no condition to wait for
        assert len(world.sent()) == 25
        async with store.reading() as connection:
            unit = await units.find(connection, "unit")
            (told,) = await allowances.used_up(connection, unit, run, SystemClock().now())
        assert (told.name, told.cap) == ("brand", 25)
        assert await world.state(run) is RunState.RUNNING
        async with store.writing() as connection:
            await connection.execute(update(schema.sms_brand).values(daily_cap=80))
        await world.ended(run)
    assert await world.judge(run, 80) == {State.DELIVERED: 80}


async def test_a_transactional_run_beside_a_bulk_run_is_out_within_seconds(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    """On a code of two a second that has all it can hold of a bulk run."""
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=600, rate=2)
    urgent_list = await seed_list(store, world.scene.unit, n=2, name="urgent", bucket=BUCKET)
    async with engine():
        bulk = await world.start()

        async def going() -> bool:
            return len(world.entries()) >= 3

        await eventually(going, "the bulk run is under way")
        now = SystemClock().now()
        scene = world.scene
        ids = (BUCKET, scene.unit, scene.skill, urgent_list, scene.code)
        urgent = await store.hot.start_run(
            NewRun(*ids, "Your code", None, (scene.group,), now, now + HOUR, Stream.TRANSACTIONAL)
        )
        before = len(world.entries())
        await world.ended(urgent)
    runs = [entry.mark.message_id >> 29 & (1 << 26) - 1 for entry in world.entries() if entry.mark is not None]
    after = runs[before:]
    assert after.index(urgent) <= 6, (bulk, urgent, runs)  # bulk has its slots of two seconds
    assert after[after.index(urgent) :][:2] == [urgent, urgent]
