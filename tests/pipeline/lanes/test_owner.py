"""The owner of lanes over a real database: every contact once, every run to its end, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, update
from tests.factories import Scene, phone_of, seed, seed_code, seed_dnc, seed_run
from tests.pipeline.lanes.doubles import LONG, Wire

from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.model.event import Event, Kind, State
from todoke.model.ids import MAX_ORDINAL, base
from todoke.model.run import RunEvent, RunState
from todoke.pipeline.lanes import owner as owning
from todoke.pipeline.lanes.holding import Holding
from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.message import Submission
from todoke.pipeline.lanes.owner import Owner
from todoke.pipeline.lanes.recovery import Recovery
from todoke.pipeline.lanes.stops import StopSet
from todoke.providers.base import Decision, Failure
from todoke.store import schema
from todoke.store.flusher import Flusher
from todoke.store.hot.base import Block, DueRow, Flush, Flushed, StoreUnavailable
from todoke.store.store import Store

DEADLINE = 20.0


class Echo(Wire):
    """A wire that answers by itself, a moment later, as `verdict` says (None: accepted)."""

    def __init__(self, provider_id: int) -> None:
        super().__init__(provider_id)
        self.owner: Owner | None = None
        self.verdict: Callable[[Submission], Decision | None] = lambda _: None
        self.silent = False

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        super().submit(batch)
        if not self.silent:
            asyncio.get_running_loop().call_soon(self.answer)

    def answer(self) -> None:
        assert self.owner is not None
        taken: list[Submission] = []
        failures: list[Failure] = []
        for submission in self.take():
            decision = self.verdict(submission)
            if decision is None:
                taken.append(submission)
            else:
                failures.append(Failure(submission, decision, "test"))
        if taken:
            self.owner.accepted(self.id, list(taken), [f"{m.id}/{n}/{m.attempt}" for m, n, _ in taken])
        if failures:
            self.owner.failed(self.id, failures)
        self.owner.writable(self.id)


class Engine:
    """One engine's part in sending."""

    def __init__(self, store: Store, folder: Path, wires: dict[int, Echo], name: str, clock: SystemClock) -> None:
        self.store = store
        self.clock = clock
        self.wires = wires
        self.path = folder / f"{name}.journal"
        self.journal = Journal(self.path, "boot", "here")
        self.stops = StopSet()
        self.faults: Random | None = None
        self.frozen = False
        self.held: list[Flush] | None = None
        self.release = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, lease: float = 3600.0) -> None:
        hot = self.store.hot
        now = self.clock.now()
        self.id = await hot.register_engine("host", "boot", 1, str(self.path), now, now + int(lease * SECOND))
        self.holding = Holding(hot, self.id, self.clock, lease, self.clock.monotonic())
        self.owner = Owner(hot, self.clock, self.holding, self.journal, self.stops, self.wires, self._wake)
        self.flusher = Flusher(self, self.id, self.clock, [self.owner], lambda _: None, interval=0.005, idle=0.02)  # type: ignore[arg-type]
        for wire in self.wires.values():
            wire.owner = self.owner
        self._tasks = [asyncio.create_task(self.flusher.run()), asyncio.create_task(self._look())]

    def _wake(self) -> None:
        self.flusher.wake()

    async def flush(self, flush: Flush) -> Flushed:
        """The store's, with a connection that breaks now and then, before the commit or after it."""
        while self.frozen:  # noqa: ASYNC110 - a process that is stopped polls nothing; it stands for one
            await asyncio.sleep(0.005)
        if self.faults is not None and self.faults.random() < 0.2:
            raise StoreUnavailable
        flushed = await self.store.hot.flush(flush)
        if self.faults is not None and self.faults.random() < 0.2:
            raise StoreUnavailable
        if self.held is not None and flush.reserves:
            self.held.append(flush)
            await self.release.wait()
        return flushed

    async def _look(self) -> None:
        while True:
            self.owner.have(await self.store.hot.take_lanes(self.id, self.clock.now(), 2 * SECOND))
            await self.owner.look()
            await asyncio.sleep(0.02)

    def check(self) -> None:
        """Raise what broke inside."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def stop(self) -> None:
        self.owner.finish()
        self.flusher.finish()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.journal.close()


class Desk:
    def __init__(self, store: Store, folder: Path, stack: AsyncExitStack, scene: Scene) -> None:
        self.store = store
        self.folder = folder
        self.scene = scene
        self.clock = SystemClock()
        self.wire = Echo(scene.provider)
        self._stack = stack
        self.engines: list[Engine] = []

    async def run(self, body: str = "Hello {FirstName}") -> int:
        return await seed_run(self.store, self.scene, body=body, started_at=self.clock.now())

    async def engine(self, wire: Echo | None = None, *, clock: SystemClock | None = None) -> Engine:
        name = f"engine{len(self.engines)}"
        wires = {self.scene.provider: wire or self.wire}
        made = Engine(self.store, self.folder, wires, name, clock or self.clock)
        self._stack.push_async_callback(made.stop)
        self.engines.append(made)
        await made.start()
        return made

    async def until(self, condition: Callable[[], bool | Awaitable[bool]]) -> None:
        async with asyncio.timeout(DEADLINE):
            while True:
                for engine in self.engines:
                    engine.check()
                found = condition()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.01)

    async def ended(self, run: int) -> RunState:
        """Wait until the run has nothing open any more; the state that it ends in."""
        states: dict[int, RunState] = {}

        async def settled() -> bool:
            states.update({run_id: state for _, run_id, state in await self.store.hot.settle_runs(self.clock.now())})
            return run in states

        await self.until(settled)
        return states[run]

    async def states(self, run: int) -> Counter[State]:
        found = await self.store.hot.message_states(self.scene.bucket, run, 0, 10_000)
        return Counter(folded.state for _, folded in found)

    def written(self, *wires: Echo) -> Counter[tuple[int, int]]:
        """How often each (position, segment) was written."""
        return Counter((m.id & MAX_ORDINAL, n) for wire in wires or (self.wire,) for m, n, _ in wire.written)


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Open]:
    """`await desk(n=100, rate=5000)`: a list of so many contacts for a code of that rate."""
    async with AsyncExitStack() as stack:

        async def made(n: int = 100, rate: float = 5_000.0) -> Desk:
            return Desk(store, tmp_path, stack, await seed(store, n=n, rate=rate))

        yield made


async def test_every_contact_gets_its_text_once(desk: Open) -> None:
    d = await desk(n=1_000)
    run = await d.run()
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(1_000))
    assert await d.states(run) == {State.SENT: 1_000}


async def test_every_segment_is_written_once(desk: Open) -> None:
    d = await desk(n=100)
    run = await d.run(LONG)
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, n) for position in range(100) for n in (1, 2, 3))
    assert await d.states(run) == {State.SENT: 100}


async def test_connections_to_the_database_that_break_at_any_commit_change_nothing(desk: Open) -> None:
    d = await desk(n=300)
    run = await d.run()
    engine = await d.engine()
    engine.faults = Random(3)
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(300))
    assert await d.states(run) == {State.SENT: 300}


async def test_numbers_on_the_list_are_skipped(desk: Open) -> None:
    d = await desk(n=50)
    await seed_dnc(d.store, d.scene.group, [phone_of(7), phone_of(49)], bucket=d.scene.bucket)
    run = await d.run()
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 48, State.SKIPPED: 2}
    assert not {(7, 1), (49, 1)} & d.written().keys()


async def test_contacts_that_are_gone_are_counted(desk: Open) -> None:
    d = await desk(n=50)
    run = await d.run()
    async with d.store.writing() as connection:
        contact = schema.contact
        await connection.execute(delete(contact).where(contact.c.position.in_([0, 20, 49])))
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 47, State.SKIPPED: 3}


async def test_a_throttled_provider_gets_everything_later(desk: Open) -> None:
    d = await desk(n=60, rate=300)
    throttled: list[Submission] = []
    since: list[int] = []

    def verdict(submission: Submission) -> Decision | None:
        if len(d.wire.written) <= 20 or (throttled and d.clock.now() > since[0] + SECOND // 2):
            return None
        since.append(d.clock.now())
        throttled.append(submission)
        return Decision.THROTTLED

    d.wire.verdict = verdict
    run = await d.run()
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert throttled
    expected = Counter((position, 1) for position in range(60))
    expected.update((m.id & MAX_ORDINAL, 1) for m, _, _ in throttled)
    assert d.written() == expected
    assert await d.states(run) == {State.SENT: 60}


async def test_every_kind_of_answer_ends_the_run(desk: Open) -> None:
    d = await desk(n=90)
    async with d.store.writing() as connection:
        await connection.execute(update(schema.skill).values(max_attempts=1))
    answers = [None, Decision.PERMANENT, Decision.MAYBE_SENT, Decision.RETRYABLE]
    d.wire.verdict = lambda submission: answers[(submission[0].id & MAX_ORDINAL) % 4]
    run = await d.run(LONG)
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 23, State.FAILED: 45, State.IN_DOUBT: 22}


async def test_a_run_that_is_stopped_ends_although_the_link_is_down(desk: Open) -> None:
    d = await desk(n=100)
    d.wire.up, d.wire.free = False, 0
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: any(len(lane.composed) == 100 for lane in engine.owner.lanes.values()))
    await d.store.hot.control_run(d.scene.bucket, run, RunEvent.STOP, "test", d.clock.now())
    assert await d.ended(run) is RunState.STOPPED
    assert not d.wire.written
    assert await d.states(run) == {State.STOPPED: 100}


async def test_a_run_that_is_paused_goes_on_where_it_stood(desk: Open) -> None:
    d = await desk(n=200, rate=200)
    run = await d.run()
    await d.engine()
    await d.until(lambda: len(d.wire.written) > 20)
    await d.store.hot.control_run(d.scene.bucket, run, RunEvent.PAUSE, "test", d.clock.now())
    engine = d.engines[0]
    await d.until(lambda: all(not lane.waiting and not lane.reserved for lane in engine.owner.lanes.values()))
    written = len(d.wire.written)
    assert written < 200
    await d.store.hot.control_run(d.scene.bucket, run, RunEvent.RESUME, "test", d.clock.now())
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(200))


async def test_a_lane_that_another_engine_took_leaves_nothing_behind(desk: Open) -> None:
    """The first engine was frozen longer than its lease; when it wakes, the second has its lane."""
    d = await desk(n=100)
    d.wire.up, d.wire.free = False, 0
    run = await d.run(LONG)
    first = await d.engine()
    await d.until(lambda: any(len(lane.composed) == 100 for lane in first.owner.lanes.values()))
    d.wire.up, d.wire.free, d.wire.silent = True, 30, True
    await d.until(lambda: len(d.wire.waiting) == 30)
    first.frozen = True
    other = Echo(d.scene.provider)
    later = SystemClock()
    later._offset += 2 * HOUR
    await d.engine(other, clock=later)
    d.wire.owner = first.owner
    await d.until(lambda: bool(d.engines[1].owner.lanes))
    first.frozen = False
    await d.until(lambda: not first.owner.lanes)
    refused = {(m.id & MAX_ORDINAL, n) for m, n, _ in d.wire.waiting[25:]}
    d.wire.verdict = lambda s: Decision.THROTTLED if (s[0].id & MAX_ORDINAL, s[1]) in refused else None
    d.wire.answer()
    assert await d.ended(run) is RunState.FINISHED
    assert d.written(d.wire, other) - Counter(refused) == Counter((p, n) for p in range(100) for n in (1, 2, 3))
    assert len(d.wire.written) == 30
    assert await d.states(run) == {State.SENT: 100}


async def test_after_finishing_nothing_is_written_and_recovery_brings_back_the_rest(desk: Open) -> None:
    d = await desk(n=300, rate=300)
    run = await d.run()
    first = await d.engine()
    await d.until(lambda: len(d.wire.written) > 30)
    first.owner.finish()
    written = len(d.wire.written)
    await d.until(lambda: not first.owner.outcomes)
    for lane in first.owner.lanes.values():
        first.owner.writable(lane.row.provider_id)
    assert len(d.wire.written) == written
    await first.stop()
    assert len(d.wire.written) == written
    await d.store.hot.release_lanes(first.id)
    async with d.store.writing() as connection:
        await connection.execute(update(schema.engine).values(host=socket.gethostname()))
    assert await Recovery(d.store.hot, d.clock, "boot", "here").run() == 1
    d.engines.clear()
    await d.engine()
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(300))


async def test_the_journal_begins_anew_when_nothing_in_it_is_open(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owning, "_LONG_JOURNAL", 100)
    d = await desk(n=50)
    d.wire.free, d.wire.silent = 40, True
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: len(d.wire.waiting) == 40)
    d.wire.free = 30
    d.wire.answer()
    await d.until(lambda: len(d.wire.waiting) == 10)
    noted = engine.journal.size
    assert noted >= 96 + 50 * 16  # 40 of the block are answered and 10 are not
    d.wire.answer()
    assert await d.ended(run) is RunState.FINISHED
    await d.until(lambda: engine.journal.size == 96)
    assert engine.path.stat().st_size == 96
    again = await d.run()
    d.wire.silent = False
    d.wire.free = 1_000
    assert await d.ended(again) is RunState.FINISHED
    assert d.written() == Counter({(position, 1): 2 for position in range(50)})


async def test_a_full_disk_makes_the_lanes_rest_and_loses_nothing(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    d = await desk(n=50)
    run = await d.run()
    engine = await d.engine()
    submit, tried = engine.journal.submit, 0

    def full(entries: object) -> None:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        submit(entries)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.journal, "submit", full)
    assert await d.ended(run) is RunState.FINISHED
    assert tried >= 3
    assert d.written() == Counter((position, 1) for position in range(50))


async def test_an_uncertain_lease_writes_nothing_until_it_is_renewed(desk: Open) -> None:
    d = await desk(n=50)
    engine = await d.engine()
    engine.holding._until = 0.0
    run = await d.run()
    await d.until(lambda: any(lane.runs for lane in engine.owner.lanes.values()))
    assert not engine.holding.certain
    await asyncio.wait_for(engine.holding.renew(), DEADLINE)
    assert engine.holding.certain
    assert await d.ended(run) is RunState.FINISHED
    assert d.written() == Counter((position, 1) for position in range(50))


@pytest.mark.parametrize("edited", [False, True])
async def test_two_rows_of_one_message_are_both_worked_on(desk: Open, edited: bool) -> None:
    """A part that is tried again and a part that was given back, at two attempts of the same message; or one of them
    is out.
    """
    d = await desk(n=1)
    d.wire.up, d.wire.free = False, 0
    run = await d.run(LONG)
    engine = await d.engine()
    await d.until(lambda: any(lane.composed for lane in engine.owner.lanes.values()))
    (lane,) = engine.owner.lanes.values()
    crc = next(iter(lane.composed)).crc
    lane.composed.clear()  # as if it had been sent: its first part is accepted, the second to be tried again
    message_id = base(d.scene.bucket, run)
    now = d.clock.now()
    row = (d.scene.bucket, message_id)
    outcomes = engine.owner.outcomes
    outcomes._events += [
        Event(message_id, 1, 0, Kind.ACCEPTED, now, 3, d.scene.provider, "one"),
        Event(message_id, 2, 0, Kind.DEFERRED, now, 3, reason="test"),
    ]
    outcomes._due += [
        DueRow(*row, 0, run, d.scene.code, now, "3", crc),
        DueRow(*row, 1, run, d.scene.code, now, "2", crc + edited),
    ]
    (block,) = await d.store.hot.open_blocks(engine.id)
    outcomes._closed.append(block.key)
    d.wire.up, d.wire.free = True, 100
    assert await d.ended(run) is RunState.FINISHED
    assert sorted((n, m.attempt) for m, n, _ in d.wire.written) == ([(3, 0)] if edited else [(2, 1), (3, 0)])
    assert await d.states(run) == {State.FAILED if edited else State.SENT: 1}


async def test_lanes_share_a_link_that_is_slower_than_they_are(desk: Open) -> None:
    d = await desk(n=2_000, rate=900)
    second = await seed_code(d.store, d.scene.unit, d.scene.provider, code="15551230002", rate=900)
    d.wire.free, d.wire.silent = 0, True
    one = await d.run()
    async with d.store.writing() as connection:
        await connection.execute(update(schema.skill).values(transport_code_id=second))
    d.scene = d.scene._replace(code=second)
    two = await d.run()
    engine = await d.engine()
    await d.until(lambda: len(engine.owner.lanes) == 2 and all(lane.runs for lane in engine.owner.lanes.values()))

    async def trickle() -> bool:
        d.wire.free = 3
        engine.owner.writable(d.wire.id)
        taken = d.wire.take()
        if taken:
            engine.owner.accepted(d.wire.id, list(taken), [str(m.id) for m, _, _ in taken])
        d.wire.free = 0
        return len(d.wire.written) >= 150

    await d.until(trickle)
    shares = Counter(m.run.data.id for m, _, _ in d.wire.written)
    assert shares[one] > 40
    assert shares[two] > 40


async def test_what_is_granted_after_the_end_is_not_written(desk: Open) -> None:
    d = await desk(n=50)
    engine = await d.engine()
    engine.held = []
    await d.run()
    await d.until(lambda: bool(engine.held))
    engine.owner.finish()
    engine.release.set()
    await d.until(lambda: all(lane.reserved for lane in engine.owner.lanes.values()))
    for lane in engine.owner.lanes.values():
        engine.owner.writable(lane.row.provider_id)
    await engine.stop()
    assert not d.wire.written


async def test_a_block_of_a_run_that_is_not_known_goes_to_due(desk: Open) -> None:
    """A lane was lost and taken again while the flush that leased was under way."""
    d = await desk(n=5)
    engine = await d.engine()
    block = Block(d.scene.bucket, 77, 0, 4, d.scene.code, 0)
    engine.flusher.finish()
    engine.owner.committed(Flush(engine.id, 1, d.clock.now()), Flushed(blocks=[block]))
    flush = Flush(engine.id, 2, d.clock.now())
    engine.owner.outcomes.drain(flush)
    assert flush.closed == [block.key]
    assert [row.message_id - base(d.scene.bucket, 77) for row in flush.due] == [0, 1, 2, 3, 4]


async def test_numbers_that_are_listed_in_bulk_get_another_look(desk: Open) -> None:
    """What is reserved and not written is looked at again, without a word on each number."""
    d = await desk(n=30, rate=10)
    run = await d.run()
    engine = await d.engine()
    await d.until(lambda: bool(d.wire.written) and any(lane.reserved for lane in engine.owner.lanes.values()))
    await seed_dnc(d.store, d.scene.group, [phone_of(i) for i in range(30)], bucket=d.scene.bucket)
    engine.owner.withdraw()
    written = len(d.wire.written)
    assert await d.ended(run) is RunState.FINISHED
    assert len(d.wire.written) == written
    assert await d.states(run) == {State.SENT: written, State.SKIPPED: 30 - written}


class Later(SystemClock):
    """A clock that a test moves on."""

    def pass_(self, seconds: int) -> None:
        self._offset += seconds * SECOND


async def test_a_lane_that_hangs_is_made_anew(desk: Open, caplog: pytest.LogCaptureFixture) -> None:
    d = await desk(n=50)
    clock = Later()
    d.clock = clock
    engine = await d.engine(clock=clock)
    await d.until(lambda: bool(engine.owner.lanes))
    (lane,) = engine.owner.lanes.values()
    lane.reserve = lambda now: None  # type: ignore[method-assign]
    run = await d.run()
    await d.until(lambda: lane.waiting)
    assert not d.wire.written

    def time_passes() -> bool:
        clock.pass_(1)
        return lane not in engine.owner.lanes.values()

    await d.until(time_passes)
    assert await d.ended(run) is RunState.FINISHED
    assert await d.states(run) == {State.SENT: 50}
    assert lane not in engine.owner.lanes.values()
    assert [r.step for r in caplog.records if r.__dict__.get("action") == "lane_stuck"] == ["rebuild"]  # type: ignore[attr-defined]


async def test_a_provider_that_takes_nothing_at_all_is_reset(desk: Open, caplog: pytest.LogCaptureFixture) -> None:
    d = await desk(n=50)
    clock = Later()
    d.clock = clock
    d.wire.free = 0
    await d.engine(clock=clock)
    await d.run()

    def barks() -> list[str]:
        return [r.__dict__["step"] for r in caplog.records if r.__dict__.get("action") == "lane_stuck"]

    def time_passes() -> bool:
        clock.pass_(1)
        return bool(d.wire.resets)

    await d.until(time_passes)
    assert barks() == ["alarm", "alarm", "reset"]
    assert not d.wire.written


async def test_numbers_that_are_listed_all_the_time_do_not_stop_the_lanes(desk: Open) -> None:
    """An import of numbers says so many times a second; slots that are taken back are gone."""
    d = await desk(n=300, rate=200)
    run = await d.run()
    engine = await d.engine()
    states: list[RunState] = []

    async def ended() -> bool:
        engine.owner.withdraw()
        states.extend(state for _, run_id, state in await d.store.hot.settle_runs(d.clock.now()) if run_id == run)
        return bool(states)

    await d.until(ended)
    assert await d.states(run) == {State.SENT: 300}
