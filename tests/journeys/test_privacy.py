"""Consent and erasure over a real socket, while runs are under way; and what is logged meanwhile."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.factories import phone_of, update_skill
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, CODE, eventually, make_world

from todoke.cli.logs import start_logging
from todoke.model.clock import SystemClock
from todoke.model.consent import Act, Kind, Record
from todoke.model.event import State
from todoke.model.ids import message_id
from todoke.model.run import RunEvent
from todoke.pipeline.privacy.erase import erase, the_key
from todoke.providers.simulator import Simulator
from todoke.store.catalogue import units
from todoke.store.consents import writing
from todoke.store.privacy.key import KeyFile
from todoke.store.schema import inbound
from todoke.store.store import Store


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that a process logs at debug level, as our handler writes it."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root, ours = logging.getLogger(), logging.getLogger("todoke")
    before = root.handlers[:], root.level, ours.level
    start_logging("debug", "json")
    yield stream
    root.handlers[:], level, level_of_ours = before
    root.setLevel(level)
    ours.setLevel(level_of_ours)


async def test_only_who_agreed_is_texted_and_who_revokes_is_not_again(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path
) -> None:
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=30)
    await update_skill(store, world.scene, consent=int(Kind.EXPRESS), consent_purpose="shifts")
    async with store.reading() as connection:
        (unit,) = await units.every(connection)
    now = SystemClock().now()
    agreed = [Record(phone_of(n), Act.GIVEN, Kind.EXPRESS, now - 1, purpose="shifts") for n in range(20)]
    await writing.add(store, unit, agreed, now)
    smsc = simulator.smsc
    assert smsc is not None
    async with engine():
        run = await world.start()
        await world.ended(run)
        assert await world.judge(run, 30) == {State.DELIVERED: 20, State.SKIPPED: 10}
        assert (await world.states(run))[25].reason == "no_consent"
        await writing.add(store, unit, [Record(phone_of(3), Act.REVOKED, None, SystemClock().now(), words="no")], now)
        second = await world.start()
        await world.ended(second)
        assert await world.judge(second, 30) == {State.DELIVERED: 19, State.SKIPPED: 11}
        assert (await world.states(second))[3].reason == "no_consent"


async def test_who_is_erased_while_a_run_is_under_way_is_not_texted(
    store: Store, simulator: Simulator, engine: EngineContext, ledger: Path, tmp_path: Path, logged: io.StringIO
) -> None:
    """What is composed and waits in a paused run, what is not read yet, and what comes again later."""
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=600, rate=300)
    smsc = simulator.smsc
    assert smsc is not None
    clock = SystemClock()
    body = "Hello {FirstName}, the secret is out"
    async with store.reading() as connection:
        (unit,) = await units.every(connection)
    async with engine():
        run = await world.start(body)

        async def under_way() -> bool:
            return len(world.entries()) > 20

        await eventually(under_way, "the run is under way")
        await store.hot.control_run(BUCKET, run, RunEvent.PAUSE, "a test", clock.now())
        await asyncio.sleep(1.2)  # a look at the runs: nothing else tells that the engine has paused it
        sent = {mark[0] for mark in world.sent()}
        waiting = sorted(n for n in range(600) if message_id(BUCKET, run, n) not in sent)
        soon, late = waiting[5], waiting[-1]  # composed already, and not read yet
        key = await the_key(store, KeyFile(tmp_path))
        await asyncio.gather(
            *(
                erase(store, unit, phone_of(position), None, key=key, requested_by="a test", clock=clock)
                for position in (soon, late)
            )
        )
        await store.hot.control_run(BUCKET, run, RunEvent.RESUME, "a test", clock.now())
        smsc.reply(str(phone_of(waiting[0])), CODE, "Stop, that is my last word")
        await world.ended(run)
        await eventually(lambda: _heard(store), "the reply is stored")
    states = await world.states(run)
    assert {states[soon].state, states[late].state} == {State.SKIPPED}
    assert {states[soon].reason, states[late].reason} <= {"erased", "dnc"}
    texted = {number for number in range(600) if smsc.phones.phone(str(phone_of(number))).inbox}
    assert not texted & {soon, late}
    assert len(texted) >= 597

    logging.getLogger("todoke").error("lost", exc_info=ValueError(f"of {phone_of(soon)}"))
    text = logged.getvalue()
    assert '"action": "engine_up"' in text
    for position in range(600):
        assert str(phone_of(position)) not in text, "a number"
    assert "FirstName 1" not in text, "what was merged"
    assert "secret is out" not in text, "a text"
    assert "last word" not in text, "a reply"


async def _heard(store: Store) -> bool:
    query = select(func.count()).select_from(inbound).where(inbound.c.text.contains("last word"))
    async with store.reading() as connection:
        return bool(await connection.scalar(query))
