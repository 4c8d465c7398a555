"""A run from its start to its last receipt."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.factories import phone_of, seed_dnc
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, CODE, eventually, make_world

from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.run import RunEvent, RunState
from todoke.providers.simulator import Behaviour, Rule, Simulator
from todoke.store.store import Store


async def test_every_contact_gets_its_own_text_once(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=300)
    async with engine():
        run = await world.start("Hello {FirstName}")
        await world.ended(run)
    assert await world.judge(run, 300) == {State.DELIVERED: 300}
    assert await world.state(run) is RunState.FINISHED
    assert len(world.sent()) == 300
    smsc = simulator.smsc
    assert smsc is not None
    assert [message.text for message in smsc.phones.phone(str(phone_of(7))).inbox] == ["Hello FirstName 7"]


async def test_long_texts_arrive_whole(store: Store, simulator: Simulator, engine: EngineContext, ledger: Path) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=40)
    body = "届け {FirstName}: " + "とても長いお知らせです。" * 12
    async with engine():
        run = await world.start(body)
        await world.ended(run)
    assert await world.judge(run, 40) == {State.DELIVERED: 40}
    smsc = simulator.smsc
    assert smsc is not None
    inbox = smsc.phones.phone(str(phone_of(3))).inbox
    assert [message.text for message in inbox] == [body.replace("{FirstName}", "FirstName 3")]
    assert len(world.sent()) == 120  # three segments each


async def test_dnc_and_empty_fields_are_counted_skips(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=50)
    await seed_dnc(store, world.scene.group, [phone_of(4), phone_of(9)], bucket=BUCKET)
    async with engine():
        run = await world.start()
        await world.ended(run)
    assert await world.judge(run, 50) == {State.DELIVERED: 48, State.SKIPPED: 2}
    states = await world.states(run)
    assert states[4].reason == states[9].reason == "dnc"


async def test_stop_from_a_phone_is_final(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    """The reply is stored as a DNC entry before it is acknowledged, and a later run does not text the number."""
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=20)
    smsc = simulator.smsc
    assert smsc is not None
    async with engine():
        first = await world.start()
        await world.ended(first)
        smsc.reply(str(phone_of(5)), CODE, "Stop!")

        async def on_the_list() -> bool:
            contacts = await store.hot.read_contacts(BUCKET, world.scene.list, 5, 5, (world.scene.group,))
            return contacts[0].on_dnc

        await eventually(on_the_list, "the number is on the DNC list")
        second = await world.start()
        await world.ended(second)
    assert await world.judge(second, 20) == {State.DELIVERED: 19, State.SKIPPED: 1}
    assert (await world.states(second))[5].reason == "dnc"


async def test_pause_holds_and_resume_goes_on(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=400, rate=400)
    clock = SystemClock()
    async with engine():
        run = await world.start()

        async def under_way() -> bool:
            return len(world.entries()) > 40

        await eventually(under_way, "the run is under way")
        await store.hot.control_run(BUCKET, run, RunEvent.PAUSE, "a test", clock.now())
        quiet_at = -1

        async def quiet() -> bool:
            nonlocal quiet_at
            before, quiet_at = quiet_at, len(world.entries())
            await asyncio.sleep(0.4)
            return before == quiet_at

        await eventually(quiet, "the run is quiet after the pause")
        assert quiet_at < 400
        await store.hot.control_run(BUCKET, run, RunEvent.RESUME, "a test", clock.now())
        await world.ended(run)
    assert await world.judge(run, 400) == {State.DELIVERED: 400}


async def test_stop_counts_the_rest_as_stopped(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=5_000, rate=400)
    async with engine():
        run = await world.start()

        async def under_way() -> bool:
            return len(world.entries()) > 40

        await eventually(under_way, "the run is under way")
        await store.hot.control_run(BUCKET, run, RunEvent.STOP, "a test", SystemClock().now())
        await world.ended(run)
    counts = await world.judge(run, 5_000)
    assert set(counts) == {State.DELIVERED, State.STOPPED}
    assert 40 < counts[State.DELIVERED] < 5_000
    assert await world.state(run) is RunState.STOPPED


async def test_a_clean_stop_leaves_the_rest_for_the_next_engine(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=600, rate=600)
    async with engine():
        run = await world.start()

        async def under_way() -> bool:
            return len(world.entries()) > 100

        await eventually(under_way, "the run is under way")
    before = len(world.sent())
    assert before < 600
    async with engine():
        await world.ended(run)
    assert await world.judge(run, 600) == {State.DELIVERED: 600}


async def test_a_closed_window_holds_and_costs_nothing(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    """Contacts whose window is closed wait; those without a zone wait for the expiry; the others go."""
    minute = SystemClock().now() // 60_000_000 % 1440
    start = max(0, min(minute - 60, 1320))
    window = (start, start + 120)
    zones = (("UTC",), ("Asia/Tokyo",), ())
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=30, calling_window=window, zones=zones)
    async with engine():
        run = await world.start(hours=24)

        async def ten() -> bool:
            return (await world.counts(run))[State.DELIVERED] == 10

        await eventually(ten, "the open zone is done")
        await asyncio.sleep(0.5)  # nothing else may come: there is no condition to wait for
    assert await world.counts(run) == {State.DELIVERED: 10}
    assert await world.state(run) is RunState.RUNNING
    assert len(world.sent()) == 10


async def test_failures_and_receipts_are_told_apart(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=100)
    smsc = simulator.smsc
    assert smsc is not None
    rules = (
        Rule(destination=str(phone_of(0)), status=0x0B),
        Rule(destination=str(phone_of(1)), state="UNDELIV", error="027"),
    )
    styles = ("standard", "text_only", "tlv_only", "data_sm")
    smsc.behave(Behaviour(rules=rules, receipt_styles=styles, receipt_delay=0.02))
    async with engine():
        run = await world.start()
        await world.ended(run)
    assert await world.judge(run, 100) == {State.DELIVERED: 98, State.FAILED: 2}
    states = await world.states(run)
    assert states[0].reason == "smpp:0x0000000b"
    assert states[1].reason == "receipt:UNDELIV:027"
