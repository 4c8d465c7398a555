"""Replies over a real database: stored, the law's words acted on, the lanes told, and only then acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import Scene, seed, seed_dnc

from todoke.compliance.answering import Answering, Who
from todoke.compliance.keywords import Keywords, Settings
from todoke.model.clock import SystemClock
from todoke.pipeline.inbox.address import Address, Runs
from todoke.pipeline.inbox.book import answer_runs
from todoke.pipeline.inbox.inbox import Inbox
from todoke.pipeline.lanes.stops import StopSet
from todoke.providers.base import Heard
from todoke.store import schema
from todoke.store.catalogue import registrations, units
from todoke.store.hot.base import StoreUnavailable
from todoke.store.hot.replies import Target
from todoke.store.store import Store

PHONE, CODE = 819012345678, "15551230001"
DEADLINE = 10.0


class Ears:
    """The part of a provider that the inbox speaks to; keeps what was in the database at each acknowledgement."""

    def __init__(self) -> None:
        self.acknowledged: list[object] = []

    def acknowledge(self, handles: Sequence[object]) -> None:
        self.acknowledged.extend(handles)


class Book:
    """One code, known or not."""

    def __init__(self, store: Store, scene: Scene) -> None:
        target = Target(scene.bucket, scene.unit, scene.group)
        keywords = Keywords(Settings(stop=["nein danke"]))
        answering = Answering(Who.NOBODY, "Acme", CODE, "en", {})
        self.address = Address(scene.bucket, scene.unit, scene.code, (target,), keywords, answering)
        self.store = store
        self.faults = 0
        self.asked: list[bool] = []

    async def find(self, provider_id: int, code: str) -> Address | None:
        if self.faults:
            self.faults -= 1
            raise StoreUnavailable
        return self.address if code == CODE else None

    def answers(self, who: Who = Who.US) -> None:
        self.address = self.address._replace(answering=Answering(who, "Acme", CODE, "en", {}))

    async def runs(self, address: Address, *, anew: bool) -> Runs:
        self.asked.append(anew)
        async with self.store.reading() as connection:
            unit = await units.only(connection, None)
            row = await registrations.of_id(connection, unit, address.transport_code_id)
        assert row is not None
        return await answer_runs(self.store, row, SystemClock())


class Desk:
    def __init__(self, store: Store, scene: Scene) -> None:
        self.store = store
        self.scene = scene
        self.ears = Ears()
        self.stops = StopSet()
        self.book = Book(store, scene)
        self.woken = 0
        ears: Any = {scene.provider: self.ears}
        self.inbox = Inbox(store.hot, ears, self.book, self.stops, SystemClock(), self.wake)
        self._handles = 0

    def wake(self) -> None:
        self.woken += 1

    def hear(
        self,
        text: str,
        *,
        source: str = f"+{PHONE}",
        code: str = CODE,
        session: str = "one",
        part: tuple[int, int, int] | None = None,
    ) -> int:
        """A phone says something; the handle of it. `part`: reference, total, number."""
        self._handles += 1
        reference, total, number = part or (None, 1, 1)
        heard = Heard(source, code, text, reference, total, number, session, self._handles)
        self.inbox.heard(self.scene.provider, [heard])
        return self._handles

    async def acknowledged(self, *handles: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while not set(handles) <= set(self.ears.acknowledged):  # noqa: ASYNC110 - as a provider is told
                await asyncio.sleep(0.002)

    async def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        async with self.store.reading() as connection:
            return [tuple(row) for row in await connection.execute(select(*columns))]

    async def listed(self) -> list[tuple[Any, ...]]:
        entry = schema.dnc_entry.c
        return await self.rows(entry.bucket, entry.dnc_group_id, entry.phone)

    async def stored(self) -> list[tuple[Any, ...]]:
        inbound = schema.inbound.c
        return sorted(await self.rows(inbound.id, inbound.text, inbound.meaning))


Open = Callable[[], Awaitable[Desk]]


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    made = Desk(store, await seed(store))
    task = asyncio.create_task(made.inbox.run())
    yield made
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("text", ["STOP", "停止", "Stop please!", "NEIN, DANKE"])
async def test_a_stop_is_on_the_list_and_with_the_lanes_before_it_is_acknowledged(desk: Desk, text: str) -> None:
    before: list[bool] = []
    acknowledge = desk.ears.acknowledge

    def look(handles: Sequence[object]) -> None:
        before.append(desk.stops.has((desk.scene.group,), PHONE))
        acknowledge(handles)

    desk.ears.acknowledge = look  # type: ignore[method-assign]
    handle = desk.hear(text)
    await desk.acknowledged(handle)
    assert before == [True]
    assert await desk.listed() == [(desk.scene.bucket, desk.scene.group, PHONE)]
    assert [row[1:] for row in await desk.stored()] == [(text, "stop")]
    log = schema.opt_out.c
    assert await desk.rows(log.kind, log.source, log.evidence, log.phone) == [("out", "reply", text, PHONE)]


async def test_a_start_takes_the_number_off_the_list(desk: Desk) -> None:
    await seed_dnc(desk.store, desk.scene.group, [PHONE], bucket=desk.scene.bucket)
    desk.stops.add(desk.scene.group, PHONE, SystemClock().now())
    await desk.acknowledged(desk.hear("start"))
    assert await desk.listed() == []
    assert not desk.stops


async def test_the_last_word_counts(desk: Desk) -> None:
    await desk.acknowledged(desk.hear("stop"), desk.hear("start"), desk.hear("stop"))
    assert len(await desk.listed()) == 1
    assert desk.stops.has((desk.scene.group,), PHONE)
    await desk.acknowledged(desk.hear("stop"), desk.hear("start"))
    assert await desk.listed() == []
    assert not desk.stops


@pytest.mark.parametrize(("text", "meaning"), [("help", "help"), ("Who is this?", "reply"), ("", "reply")])
async def test_anything_else_is_kept_and_changes_no_list(desk: Desk, text: str, meaning: str) -> None:
    await desk.acknowledged(desk.hear(text))
    assert [row[1:] for row in await desk.stored()] == [(text, meaning)]
    assert await desk.listed() == []


async def test_a_text_in_parts_is_read_as_a_whole(desk: Desk) -> None:
    handles = [desk.hear(" please", part=(9, 2, 2)), desk.hear("stop", part=(9, 2, 1))]
    await desk.acknowledged(*handles)
    assert [row[1:] for row in await desk.stored()] == [(" please", "part"), ("stop", "stop")]
    assert len(await desk.listed()) == 1


async def test_parts_of_a_text_that_is_not_whole_are_acknowledged(desk: Desk) -> None:
    await desk.acknowledged(desk.hear("stop", part=(9, 2, 1)))
    assert [row[2] for row in await desk.stored()] == ["part"]
    assert await desk.listed() == []


async def test_what_comes_again_on_another_link_is_stored_once_and_acted_on(desk: Desk) -> None:
    await desk.acknowledged(desk.hear("stop"))
    await desk.acknowledged(desk.hear("stop", session="two"))
    assert len(await desk.stored()) == 1
    assert len(await desk.listed()) == 1


async def test_a_code_that_no_registration_knows_is_said(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await desk.acknowledged(desk.hear("stop", code="99999"))
    assert [row[1:] for row in await desk.stored()] == [("stop", "stop")]
    assert await desk.listed() == []
    (said,) = [record for record in caplog.records if record.name.startswith("todoke.pipeline.inbox")]
    assert "cannot be applied" in said.getMessage()
    assert str(PHONE) not in caplog.text


@pytest.mark.parametrize("source", ["Todoke", "1" * 16, "", "+0"])
async def test_a_sender_that_is_no_number_is_kept_and_listed_nowhere(desk: Desk, source: str) -> None:
    await desk.acknowledged(desk.hear("stop", source=source))
    assert len(await desk.stored()) == 1
    assert await desk.listed() == []


@pytest.mark.parametrize("broken", ["book", "store_inbound", "apply_replies"])
async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_is_stored_twice(
    desk: Desk, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    desk.book.faults = 1 if broken == "book" else 0
    if broken != "book":
        real = getattr(desk.store.hot, broken)

        async def failing(*values: object) -> object:
            tried.append(len(desk.ears.acknowledged))
            if len(tried) == 1:
                raise StoreUnavailable
            return await real(*values)

        monkeypatch.setattr(desk.store.hot, broken, failing)
    handle = desk.hear("stop")
    await desk.acknowledged(handle)
    assert tried == ([] if broken == "book" else [0, 0])
    assert len(await desk.stored()) == 1
    assert len(await desk.listed()) == 1
    assert desk.ears.acknowledged == [handle]


async def test_many_at_once_are_all_kept_in_order(desk: Desk) -> None:
    handles = [desk.hear(f"text {n}", source=str(PHONE + n)) for n in range(600)]
    await desk.acknowledged(*handles)
    assert [row[1] for row in await desk.stored()] == [f"text {n}" for n in range(600)]
    assert desk.ears.acknowledged == handles
