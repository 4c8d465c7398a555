"""A small world for journeys and faults: a simulator with its ledger, a unit whose code leads to it, both books."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from tests.factories import Scene, seed_code, seed_dnc_group, seed_list, seed_provider, seed_skill, seed_unit

from todoke.model.clock import HOUR, SystemClock
from todoke.model.event import Event, Folded, State, in_doubt
from todoke.model.ids import MAX_ORDINAL, base
from todoke.model.run import OPEN, RunState
from todoke.providers.simulator import Entry, read
from todoke.store import schema
from todoke.store.hot.base import NewRun
from todoke.store.store import Store

BUCKET = 3
CODE = "72345"


async def eventually(check: Callable[[], Awaitable[bool]], what: str, patience: float = 30.0) -> None:
    """Wait until `check` is true; AssertionError, naming `what`, after `patience` seconds."""
    end = time.monotonic() + patience
    while not await check():
        assert time.monotonic() < end, f"never: {what}"
        await asyncio.sleep(0.02)


async def let_policies_decide(store: Store) -> None:
    """The time of every doubt that waits for its skill's policy has come."""
    d = schema.doubt
    async with store.writing() as connection:
        await connection.execute(update(d).where(d.c.retry_at.is_not(None)).values(retry_at=SystemClock().now()))


@dataclass
class World:
    """The ids of what was seeded, and how to look at it."""

    store: Store
    scene: Scene
    ledger: Path

    async def start(self, body: str = "Hello {FirstName}", *, hours: int = 24) -> int:
        """Start the skill over the list; the run's id."""
        now = SystemClock().now()
        scene = self.scene
        groups = (scene.group,)
        run = NewRun(
            BUCKET, scene.unit, scene.skill, scene.list, scene.code, body, None, groups, now, now + hours * HOUR
        )
        return await self.store.hot.start_run(run)

    async def state(self, run: int) -> RunState:
        async with self.store.reading() as connection:
            query = select(schema.skill_run.c.state).where(schema.skill_run.c.id == run)
            return RunState((await connection.execute(query)).scalar_one())

    async def counts(self, run: int) -> Counter[str]:
        """Messages by outcome, from the tallies."""
        t = schema.tally.c
        async with self.store.reading() as connection:
            rows = await connection.execute(select(t.outcome, t.messages).where(t.bucket == BUCKET, t.run_id == run))
            counts: Counter[str] = Counter()
            for outcome, messages in rows:
                counts[outcome] += messages
        return +counts

    async def standing(self) -> list[tuple[int, int]]:
        """The runs that carry what is sent back on keywords, each with how many messages it has."""
        r = schema.skill_run.c
        async with self.store.reading() as connection:
            rows = await connection.execute(select(r.id, r.contacts).where(r.bucket == BUCKET, r.standing))
            return [(row[0], row[1]) for row in rows]

    async def answered(self) -> bool:
        """Whether everything that was to be sent back has its outcome, with its receipt."""
        for run, messages in await self.standing():
            counts = await self.counts(run)
            if counts.total() < messages or counts[State.SENT]:
                return False
        return True

    async def states(self, run: int) -> dict[int, Folded]:
        """The folded state of every message that has events, by ordinal."""
        rows = await self.store.hot.message_states(BUCKET, run, 0, 1 << 29)
        return {message_id & MAX_ORDINAL: folded for message_id, folded in rows}

    async def ended(self, run: int, patience: float = 60.0) -> None:
        """Wait until the run has ended and no message waits for its receipt."""

        async def over() -> bool:
            return await self.state(run) not in OPEN and not (await self.counts(run))[State.SENT]

        await eventually(over, f"run {run} ends with every receipt in", patience)

    def sent(self) -> Counter[tuple[int, int]]:
        """How often the simulator accepted each (message id, segment)."""
        return Counter(
            (entry.mark.message_id, entry.mark.segment)
            for entry in self.entries()
            if entry.status == 0 and entry.mark is not None
        )

    def entries(self) -> list[Entry]:
        return list(read(self.ledger)) if self.ledger.exists() else []

    async def judge(self, run: int, contacts: int, *, doubled: bool = False) -> Counter[str]:
        """Every position has one outcome, nothing was sent twice (unless that is `doubled` rightly), and the tallies
        are the fold of the events.
        """
        counts = await self.counts(run)
        assert counts.total() == contacts, f"{contacts - counts.total()} of {contacts} have no outcome: {counts}"
        twice = {key: times for key, times in self.sent().items() if times > 1}
        assert doubled or not twice, f"sent twice: {twice}"
        states = await self.states(run)
        folded = Counter(folded.state.value for folded in states.values() if folded.state is not State.WAITING)
        without_events = counts - folded  # what a stop or an expiry counted straight from a cursor
        assert not folded - counts, f"tallies {counts} are not the fold of the events {folded}"
        assert set(without_events) <= {"stopped", "expired"}, f"tallies {counts}, events {folded}"
        assert await self.doubts(run) == await self.doubts_told(run), "what is in doubt is not what the events say"
        return counts

    async def doubts(self, run: int) -> set[tuple[int, int, int]]:
        """(message id, segment, attempt) of the rows of what is in doubt."""
        d = schema.doubt.c
        async with self.store.reading() as connection:
            query = select(d.message_id, d.segment, d.attempt).where(d.bucket == BUCKET, d.run_id == run)
            return {(row[0], row[1], row[2]) for row in await connection.execute(query)}

    async def doubts_told(self, run: int) -> set[tuple[int, int, int]]:
        """The same, as the events tell it."""
        first = base(BUCKET, run)
        told: dict[int, list[Event]] = {}
        for event in await self.store.hot.events_between(first, first + MAX_ORDINAL):
            told.setdefault(event.message_id, []).append(event)
        return {(message_id, *key) for message_id, events in told.items() for key in in_doubt(events)}


async def make_world(
    store: Store,
    port: int,
    ledger: Path,
    *,
    contacts: int,
    rate: float = 1_000,
    window: int = 50,
    calling_window: tuple[int, int] = (0, 1440),
    body: str = "Hello {FirstName}",
    zones: tuple[tuple[str, ...], ...] = (("America/New_York",),),
    **settings: object,
) -> World:
    """A business unit whose one code leads to the simulator at `port`, and a list of `contacts`."""
    unit = await seed_unit(store, bucket=BUCKET)
    provider = await seed_provider(
        store,
        bucket=BUCKET,
        settings={
            "host": "127.0.0.1",
            "port": port,
            "system_id": "todoke",
            "password": "secret",
            "window": window,
            "trace": True,
            **settings,
        },
    )
    code = await seed_code(store, unit, provider, code=CODE, type="short", rate=rate)
    group = await seed_dnc_group(store, unit, bucket=BUCKET)
    async with store.writing() as connection:
        await connection.execute(
            schema.business_unit.update().where(schema.business_unit.c.id == unit).values(dnc_group_id=group)
        )
    skill = await seed_skill(store, unit, code, body=body, window=calling_window)
    calling_list = await seed_list(store, unit, n=contacts, bucket=BUCKET, zones=zones)
    return World(store, Scene(BUCKET, unit, provider, code, group, skill, calling_list), ledger)
