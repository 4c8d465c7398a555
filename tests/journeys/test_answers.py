"""What phones say is answered, over a real socket: STOP is confirmed once and is final, HELP is helped, START lifts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.factories import NOW, phone_of
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, CODE, World, eventually, make_world

from todoke.model.calling_window import Window
from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.meaning import Meaning
from todoke.model.run import RunState
from todoke.pipeline.inbox import reviewing
from todoke.pipeline.planner.single import send_text
from todoke.providers.simulator import Simulator
from todoke.store import schema
from todoke.store.catalogue import reviews, runs, units
from todoke.store.store import Store

PHONE = phone_of(5)
CONFIRMED = "unit: You have opted out and will get no more texts from us. Reply START to opt back in."
STARTED = "unit: You have opted in to our texts again. Reply HELP for help or STOP to opt out."
HELPED = "unit: For help please contact us. Reply STOP to opt out. Message and data rates may apply."


class Phone:
    """A phone of the simulator, and what the store knows about its number."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        assert simulator.smsc is not None
        self.world = world
        self.smsc = simulator.smsc
        self.heard = 0

    @property
    def inbox(self) -> list[str]:
        return [message.text for message in self.smsc.phones.phone(str(PHONE)).inbox]

    async def says(self, text: str, meaning: str = "stop") -> None:
        """Waits until it was read so, and what is sent back has arrived."""
        self.smsc.reply(str(PHONE), CODE, text)
        self.heard += 1

        async def read() -> bool:
            async with self.world.store.reading() as connection:
                meanings = list(
                    await connection.scalars(select(schema.inbound.c.meaning).order_by(schema.inbound.c.id))
                )
            return len(meanings) == self.heard and meanings[-1] == meaning and await self.world.answered()

        await eventually(read, f"{text!r} is read, and what follows is sent")

    async def listed(self) -> bool:
        group = self.world.scene.group
        (contact,) = await self.world.store.hot.read_contacts(BUCKET, self.world.scene.list, 5, 5, (group,))
        return contact.on_dnc

    async def texted(self) -> State:
        """What becomes of a text to it."""
        run = await self.world.start()
        await self.world.ended(run)
        return (await self.world.states(run))[5].state


@pytest.fixture
async def phone(store: Store, simulator: Simulator, ledger: Path) -> Phone:
    return Phone(await make_world(store, simulator.ports.smpp_port, ledger, contacts=10), simulator)


async def register(phone: Phone, **values: Any) -> None:
    scene = phone.world.scene
    row = {"business_unit_id": scene.unit, "transport_code_id": scene.code, "keywords": {}, "created_at": NOW}
    async with phone.world.store.writing() as connection:
        await connection.execute(insert(schema.sms_registration).values({**row, **values}))


async def test_stop_is_confirmed_once_and_is_final(phone: Phone, engine: EngineContext) -> None:
    async with engine():
        await phone.says("Stop!")
        assert phone.inbox == [CONFIRMED]
        assert await phone.listed()
        await phone.says("STOP")  # he is on the list, and was told so
        await phone.says("stop texting me")
        assert await phone.texted() is State.SKIPPED
    assert phone.inbox == [CONFIRMED]


async def test_help_is_answered_once_an_hour_also_after_stop(phone: Phone, engine: EngineContext) -> None:
    async with engine():
        await phone.says("HELP", "help")
        await phone.says("info", "help")
        assert phone.inbox == [HELPED]
        assert not await phone.listed()
        await phone.says("stop")
        await phone.says("help", "help")
    assert phone.inbox == [HELPED, CONFIRMED]


async def test_start_lifts_and_says_so(phone: Phone, engine: EngineContext) -> None:
    async with engine():
        await phone.says("STOP")
        await phone.says("Start", "start")
        assert not await phone.listed()
        assert await phone.texted() is State.DELIVERED
        await phone.says("stop")  # another opt-out, which changes something: it is confirmed
        await phone.says("yes", "start")
        await phone.says("yes", "reply")
        assert not await phone.listed()
    assert phone.inbox == [CONFIRMED, STARTED, "Hello FirstName 5", CONFIRMED, STARTED]
    async with phone.world.store.reading() as connection:
        meanings = await connection.scalars(select(schema.inbound.c.meaning).order_by(schema.inbound.c.id))
        assert list(meanings) == ["stop", "start", "stop", "start", "reply"]


@pytest.mark.parametrize(("who", "after_help"), [("network", [HELPED]), ("nobody", [])])
async def test_who_answers_is_a_setting(phone: Phone, engine: EngineContext, who: str, after_help: list[str]) -> None:
    await register(phone, answers=who)
    async with engine():
        await phone.says("STOP")
        assert await phone.listed()
        await phone.says("START", "start")
        assert not await phone.listed()
        await phone.says("HELP", "help")
    assert phone.inbox == after_help


async def test_the_answer_is_in_the_language_of_the_keyword_or_the_registration(
    phone: Phone, engine: EngineContext
) -> None:
    await register(phone, language="ja", texts={"help": {"*": "{BusinessUnit} {Code}: 0120-000-000"}})
    async with engine():
        await phone.says("STOP")
        await phone.says("iniciar", "start")
        await phone.says("ヘルプ", "help")
    stopped, started, helped = phone.inbox
    assert stopped.startswith("unit: 配信を停止しました")
    assert started.startswith("unit: Volverá a recibir")
    assert helped == "unit 72345: 0120-000-000"


async def test_what_may_mean_stop_holds_the_number_until_a_person_has_read_it(
    phone: Phone, engine: EngineContext
) -> None:
    store = phone.world.store
    async with engine():
        await phone.says("can you stop by at 5?", "review")
        assert phone.inbox == []
        assert await phone.listed()
        assert await phone.texted() is State.SKIPPED
        async with store.reading() as connection:
            unit = await units.only(connection, None)
            (review,) = await reviews.every(connection, unit)
        assert (review.phone, review.text, review.state) == (PHONE, "can you stop by at 5?", "open")
        await reviewing.decide(store, "unit", review.id, Meaning.REPLY, "a question", SystemClock().now())
        assert not await phone.listed()
        await phone.says("I said please stop with all of it", "review")
        async with store.reading() as connection:
            (review,) = await reviews.every(connection, unit)
        await reviewing.decide(store, "unit", review.id, Meaning.STOP, "", SystemClock().now())
        await eventually(phone.world.answered, "the confirmation is sent")
        assert phone.inbox == [CONFIRMED]
        assert await phone.listed()


async def test_one_text_goes_out_within_the_hours_of_its_number(phone: Phone, engine: EngineContext) -> None:
    """A run that an engine has already sees the zones of numbers that are texted later."""
    store = phone.world.store
    day = {"business_unit": None, "code": None, "text": "Your code is 1234", "window": Window(0, 1440)}
    async with engine():
        for number in (12025550143, 819012345678, 447400123456):
            await send_text(store, to=f"+{number}", now=SystemClock().now(), **day)
            await eventually(phone.world.answered, "the text arrives")
        closed = SystemClock().now() // 60_000_000 % 1440 + 120  # UTC: none of it is open in London now
        window = Window(closed % 1300, closed % 1300 + 60)
        posted = await send_text(store, to="+447400123456", now=SystemClock().now(), **{**day, "window": window})
        assert posted.opens_at is not None
    assert [message.text for message in phone.smsc.phones.phone("819012345678").inbox] == ["Your code is 1234"]
    (run,) = [run for run, messages in await phone.world.standing() if messages == 3]
    assert await phone.world.counts(run) == {State.DELIVERED: 3}


async def test_standing_runs_never_end_by_themselves_and_are_in_no_list(phone: Phone, engine: EngineContext) -> None:
    store = phone.world.store
    async with engine():
        await phone.says("STOP")
        await asyncio.sleep(1.2)  # the watch looks twice a second
        async with store.reading() as connection:
            unit = await units.only(connection, None)
            assert await runs.every(connection, unit) == []
            standing = await runs.every(connection, unit, standing=True)
        assert [run.state for run in standing] == [RunState.RUNNING, RunState.RUNNING]
        await phone.says("START", "start")
    assert phone.inbox == [CONFIRMED, STARTED]
    async with store.reading() as connection:
        assert [run.id for run in await runs.every(connection, unit, standing=True)] == [run.id for run in standing]
