"""What a dead engine left: the table of judgements, and real engines in a real database."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from tests.factories import NOW, seed, seed_engine, seed_run
from tests.pipeline.lanes.doubles import BUCKET, CODE, RUN, ManualClock

from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Event, Kind, State, fold
from todoke.model.ids import base, message_id
from todoke.model.stream import Stream
from todoke.pipeline.lanes import recovery as recovering
from todoke.pipeline.lanes.journal import Entry, Journal, Record
from todoke.pipeline.lanes.recovery import Recovery, judge_block, judge_intent
from todoke.store import schema
from todoke.store.hot.base import (
    BlockKey,
    CursorAsk,
    DueKey,
    DueRow,
    EngineRow,
    Flush,
    Fresh,
    Lease,
    OpenBlock,
    OpenIntent,
    Reserve,
)
from todoke.store.store import Store

IDENTITY = message_id(BUCKET, RUN, 4)
CRC = 77


def record(*segments: int, total: int = 1, attempt: int = 0, identity: int = IDENTITY) -> Record:
    """A journal that knows that these segments may have been written."""
    sent = {n: Entry(identity, CRC, n, total, attempt) for n in segments}
    return Record("boot", "here", 0, {(identity, attempt): sent} if sent else {})


def event(segment: int, kind: Kind, total: int = 1, attempt: int = 0) -> Event:
    return Event(IDENTITY, segment, attempt, kind, NOW, total, 5, "x")


def due(segments: str = "", crc: int | None = None, attempt: int = 0) -> DueRow:
    return DueRow(BUCKET, IDENTITY, attempt, RUN, CODE, NOW, segments, crc)


NOTHING = record()
THREE = {"total": 3}

# what the block had reserved, its events, the journal (None: void), what is due again, and which segments are in doubt
BLOCKS = {
    "never reserved": (False, [], NOTHING, due(), []),
    "never reserved, and no journal": (False, [], None, due(), []),
    "reserved and not written": (True, [], NOTHING, due(), []),
    "reserved, and nobody knows": (True, [], None, None, [1]),
    "written and not answered": (True, [], record(1), None, [1]),
    "written and accepted": (True, [event(1, Kind.ACCEPTED)], record(1), None, []),
    "accepted, and no journal": (True, [event(1, Kind.ACCEPTED)], None, None, []),
    "accepted and delivered": (True, [event(1, Kind.ACCEPTED), event(1, Kind.DELIVERED)], record(1), None, []),
    "refused for good": (True, [event(1, Kind.REJECTED)], record(1), None, []),
    "in doubt already": (True, [event(1, Kind.IN_DOUBT)], record(1), None, []),
    "to be tried again, which is due already": (True, [event(1, Kind.DEFERRED)], record(1), None, []),
    "the same without a journal": (True, [event(1, Kind.DEFERRED)], None, None, []),
    "skipped": (False, [event(0, Kind.SKIPPED)], NOTHING, None, []),
    "skipped after it was reserved, no journal": (True, [event(0, Kind.SKIPPED)], None, None, []),
    "stopped": (True, [event(0, Kind.STOPPED)], NOTHING, None, []),
    "a part written": (True, [], record(1, **THREE), due("2,3", CRC), [1]),
    "a part accepted": (True, [event(1, Kind.ACCEPTED, 3)], record(1, **THREE), due("2,3", CRC), []),
    "one accepted, one in doubt": (True, [event(1, Kind.ACCEPTED, 3)], record(1, 2, **THREE), due("3", CRC), [2]),
    "all written, one accepted": (True, [event(2, Kind.ACCEPTED, 3)], record(1, 2, 3, **THREE), None, [1, 3]),
    "a part refused for good: the rest need not go": (
        True,
        [event(1, Kind.REJECTED, 3)],
        record(1, **THREE),
        None,
        [],
    ),
    "refused, and another part is not answered": (
        True,
        [event(1, Kind.REJECTED, 3)],
        record(1, 2, **THREE),
        None,
        [2],
    ),
    "counted out after a part was written": (True, [event(0, Kind.SKIPPED, 3)], record(1, **THREE), None, [1]),
    "parts accepted and to be tried again": (
        True,
        [event(1, Kind.ACCEPTED, 3), event(2, Kind.DEFERRED, 3), event(3, Kind.ACCEPTED, 3)],
        record(1, 2, 3, **THREE),
        None,
        [],
    ),
    "parts accepted, and no journal": (True, [event(1, Kind.ACCEPTED, 3)], None, None, [2, 3]),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_a_position_of_a_block(case: str) -> None:
    reserved, told, journal, expected, doubtful = BLOCKS[case]
    block = OpenBlock(BlockKey(BUCKET, RUN, 4), 4, 4 if reserved else 3, CODE, 1)
    rows, doubts = judge_block(block, {IDENTITY: told}, journal, NOW)
    assert rows == ([expected] if expected else [])
    assert [doubt.segment for doubt in doubts] == doubtful
    reason = "journal_lost" if journal is None else "engine_crashed"
    assert all((d.kind, d.reason, d.attempt, d.at) == (Kind.IN_DOUBT, reason, 0, NOW) for d in doubts)


INTENTS = {
    "not reserved": (False, "", [], NOTHING, due(attempt=1), []),
    "reserved and not written": (True, "", [], NOTHING, due(attempt=1), []),
    "written": (True, "", [], record(1, attempt=1), None, [1]),
    "its first attempt was written, not this one": (True, "", [event(1, Kind.DEFERRED)], record(1), due(attempt=1), []),
    "accepted": (True, "", [event(1, Kind.ACCEPTED, 1, 1)], record(1, attempt=1), None, []),
    "nobody knows": (True, "", [], None, None, [1]),
    "parts: not written": (True, "2,3", [event(1, Kind.ACCEPTED, 3)], NOTHING, due("2,3", CRC, 1), []),
    "parts: one written": (True, "2,3", [], record(2, attempt=1, **THREE), due("3", CRC, 1), [2]),
    "parts: all written": (True, "2,3", [], record(2, 3, attempt=1, **THREE), None, [2, 3]),
    "parts: nobody knows": (True, "2,3", [event(1, Kind.ACCEPTED, 3)], None, None, [2, 3]),
    "parts: not reserved, and no journal": (False, "2,3", [], None, due("2,3", CRC, 1), []),
    "skipped at this attempt": (True, "", [event(0, Kind.SKIPPED, 1, 1)], NOTHING, None, []),
}


@pytest.mark.parametrize("case", INTENTS)
def test_a_due_row_that_was_taken(case: str) -> None:
    reserved, segments, told, journal, expected, doubtful = INTENTS[case]
    crc = CRC if segments else None
    intent = OpenIntent(DueKey(BUCKET, IDENTITY, 1), RUN, CODE, reserved, segments, crc)
    row, doubts = judge_intent(intent, told, journal, NOW)
    assert row == expected
    assert [doubt.segment for doubt in doubts] == doubtful
    assert all((doubt.kind, doubt.attempt) == (Kind.IN_DOUBT, 1) for doubt in doubts)


kinds = st.sampled_from([Kind.ACCEPTED, Kind.REJECTED, Kind.IN_DOUBT, Kind.DELIVERED])


@given(
    total=st.integers(1, 4),
    written=st.sets(st.integers(1, 4)),
    answered=st.dictionaries(st.integers(1, 4), kinds),
    reserved=st.booleans(),
)
def test_nothing_that_may_have_left_is_sent_again_and_nothing_is_forgotten(total, written, answered, reserved) -> None:
    written = {n for n in written if n <= total} if reserved else set()
    answered = {n: kind for n, kind in answered.items() if n in written}
    told = [event(n, kind, total) for n, kind in answered.items()]
    block = OpenBlock(BlockKey(BUCKET, RUN, 4), 4, 4 if reserved else 3, CODE, 1)
    rows, doubts = judge_block(block, {IDENTITY: told}, record(*written, total=total), NOW)
    again = {int(n) for row in rows for n in (row.segments.split(",") if row.segments else range(1, total + 1))}
    assert not again & written
    assert {doubt.segment for doubt in doubts} == written - answered.keys()
    refused = Kind.REJECTED in answered.values()
    assert again == (set() if refused else set(range(1, total + 1)) - written)
    assert fold([*told, *doubts]).state is (
        State.FAILED
        if refused
        else State.WAITING
        if again
        else State.IN_DOUBT
        if doubts or Kind.IN_DOUBT in answered.values()
        else State.DELIVERED
        if set(answered.values()) == {Kind.DELIVERED}
        else State.SENT
    )


# ------------------------------------------------------------------ engines


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(recovering.socket, "gethostname", lambda: "host")
    return "host"


async def crashed(
    store: Store, path: Path, *, host: str = "host", boot: str = "boot", body: str = "Hello {FirstName}"
) -> tuple[int, int]:
    """An engine that took ten positions, reserved six, wrote four and heard of two; then it died. (engine, run)."""
    scene = await seed(store, n=10)
    run = await seed_run(store, scene, body=body)
    hot = store.hot
    engine = await hot.register_engine(host, boot, 1, str(path), NOW, NOW + 10 * SECOND)
    (lane,) = await hot.take_lanes(engine, NOW, 0)
    asks = [CursorAsk(run, 0, 0, 10)]
    await hot.flush(Flush(engine, 1, NOW, leases=[Lease(scene.bucket, scene.code, lane.epoch, asks)]))
    reserve = Reserve(scene.bucket, scene.code, lane.epoch, NOW + SECOND, [(BlockKey(scene.bucket, run, 0), 5)])
    await hot.flush(Flush(engine, 2, NOW, reserves=[reserve]))
    start = base(scene.bucket, run)
    if host == "host":
        journal = Journal(path, boot, "here")
        journal.submit([(start + n, CRC, 1, 1, 0) for n in range(4)])
        journal.close()
    fresh = Fresh(scene.bucket, run, scene.provider, NOW, [start, start + 1], ["a", "b"])
    await hot.flush(Flush(engine, 3, NOW, fresh=[fresh]))
    return engine, run


async def found(store: Store, run: int) -> tuple[list[State], list[int]]:
    """The states of the messages that have one, and the positions that are due (a new engine takes them)."""
    hot = store.hot
    states = [folded.state for _, folded in await hot.message_states(3, run, 0, 100)]
    engine = await seed_engine(store, now=NOW + HOUR)
    (lane,) = await hot.take_lanes(engine, NOW + HOUR, 0)
    flush = Flush(engine, 1, NOW + HOUR, leases=[Lease(3, lane.transport_code_id, lane.epoch, due={Stream.BULK: 100})])
    taken = await hot.flush(flush)
    return states, sorted(row.message_id - base(3, run) for row in taken.due)


def recovery(store: Store, clock: ManualClock, **changes: str) -> Recovery:
    values = {"boot_id": "boot", "incarnation": "here", **changes}
    return Recovery(store.hot, clock, values["boot_id"], values["incarnation"])


async def test_a_dead_engine_is_told_apart_into_unsent_sent_and_in_doubt(
    store: Store, clock: ManualClock, host: str, tmp_path: Path
) -> None:
    path = tmp_path / "dead.journal"
    engine, run = await crashed(store, path)
    assert await recovery(store, clock).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, State.IN_DOUBT, State.IN_DOUBT]
    assert positions == [4, 5, 6, 7, 8, 9]
    assert not path.exists()
    assert [row.id for row in await store.hot.engines("recovered")] == [engine]
    assert await recovery(store, clock).run(mine=engine + 1) == 0


@pytest.mark.parametrize("change", [{"boot_id": "later"}, {"incarnation": "elsewhere"}])
async def test_a_journal_of_another_boot_or_database_says_nothing(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, change: dict[str, str]
) -> None:
    _, run = await crashed(store, tmp_path / "dead.journal")
    assert await recovery(store, clock, **change).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, *[State.IN_DOUBT] * 4]
    assert positions == [6, 7, 8, 9]


async def test_without_a_journal_a_long_text_is_in_doubt_with_every_segment(
    store: Store, clock: ManualClock, host: str, tmp_path: Path
) -> None:
    _, run = await crashed(store, tmp_path / "dead.journal", body="{FirstName} " + "a long text " * 30)
    assert await recovery(store, clock, boot_id="later").run() == 1
    start = base(3, run)
    for position in range(2, 6):  # the others were answered
        doubts = await store.hot.events_between(start + position, start + position)
        assert [(doubt.kind, doubt.segment, doubt.segments) for doubt in doubts] == [
            (Kind.IN_DOUBT, number, 3) for number in (1, 2, 3)
        ]
        arrived = Event(start + position, 2, 0, Kind.DELIVERED, NOW, 3)
        assert fold([*doubts, arrived]).state is State.IN_DOUBT


async def test_without_a_journal_a_text_that_cannot_be_composed_any_more_is_one_doubt(
    store: Store, clock: ManualClock, host: str, tmp_path: Path
) -> None:
    _, run = await crashed(store, tmp_path / "dead.journal", body="{FirstName} " + "a long text " * 30)
    async with store.writing() as connection:
        c = schema.contact.c
        await connection.execute(update(schema.contact).where(c.position == 2).values(fields=""))
        await connection.execute(delete(schema.contact).where(c.position == 3))
    assert await recovery(store, clock, boot_id="later").run() == 1
    start = base(3, run)
    found = await store.hot.events_between(start + 2, start + 4)
    assert [event.message_id - start for event in found] == [2, 3, 4, 4, 4]


async def test_an_engine_that_lives_is_left_alone(store: Store, clock: ManualClock, host: str, tmp_path: Path) -> None:
    path = tmp_path / "alive.journal"
    engine, _ = await crashed(store, path)
    journal = Journal(path, "boot", "here")
    clock.pass_(3600)
    assert await recovery(store, clock).run() == 0
    assert [row.id for row in await store.hot.engines("alive")] == [engine]
    journal.close()
    assert await recovery(store, clock).run(mine=engine) == 0
    assert await recovery(store, clock).run() == 1


async def test_a_journal_that_is_not_here_is_no_sign_of_death_while_the_lease_holds(
    store: Store, clock: ManualClock, host: str, tmp_path: Path
) -> None:
    path = tmp_path / "elsewhere" / "alive.journal"
    engine, run = await crashed(store, path)
    path.unlink()
    assert await recovery(store, clock).run() == 0
    assert not path.exists()
    assert [row.id for row in await store.hot.engines("alive")] == [engine]
    clock.pass_(11)
    assert await recovery(store, clock).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, *[State.IN_DOUBT] * 4]
    assert positions == [6, 7, 8, 9]


async def test_an_engine_of_another_machine_is_given_time(
    store: Store, clock: ManualClock, host: str, tmp_path: Path
) -> None:
    _, run = await crashed(store, tmp_path / "far.journal", host="far")
    clock.pass_(10 + 599)
    assert await recovery(store, clock).run() == 0
    clock.pass_(2)
    assert await recovery(store, clock).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, *[State.IN_DOUBT] * 4]
    assert positions == [6, 7, 8, 9]
    assert not (tmp_path / "far.journal").exists()


async def test_an_engine_that_another_recovered_meanwhile_leaves_no_file(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.journal"
    await crashed(store, path)
    clock.pass_(11)
    listed = {state: await store.hot.engines(state) for state in ("alive", "gone")}
    assert await recovery(store, clock).run() == 1

    async def as_listed(state: str) -> list[EngineRow]:
        return listed[state]

    monkeypatch.setattr(store.hot, "engines", as_listed)
    assert await recovery(store, clock).run() == 0
    assert not path.exists()


async def test_who_is_killed_after_the_last_mark_leaves_no_file(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.journal"
    engine, run = await crashed(store, path)
    mark = store.hot.mark_engine

    async def killed(engine_id: int, old: str, new: str) -> bool:
        assert await mark(engine_id, old, new)
        if new == "recovered":
            assert not path.exists()  # nobody looks for it from now on
        return True

    monkeypatch.setattr(store.hot, "mark_engine", killed)
    assert await recovery(store, clock).run() == 1
    assert [row.id for row in await store.hot.engines("recovered")] == [engine]
    assert (await found(store, run))[1] == [4, 5, 6, 7, 8, 9]


async def test_a_journal_that_is_gone_before_the_mark_is_not_needed_any_more(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.journal"
    engine, run = await crashed(store, path)
    mark = store.hot.mark_engine
    with monkeypatch.context() as patch:

        async def killed(engine_id: int, old: str, new: str) -> bool:
            if new == "recovered":
                raise RuntimeError("killed")
            return await mark(engine_id, old, new)

        patch.setattr(store.hot, "mark_engine", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await recovery(store, clock).run()
    assert not path.exists()
    assert await recovery(store, clock).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, State.IN_DOUBT, State.IN_DOUBT]
    assert positions == [4, 5, 6, 7, 8, 9]
    assert [row.id for row in await store.hot.engines("recovered")] == [engine]
    assert not path.exists()


async def test_what_cannot_be_finished_is_taken_up_again(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.journal"
    _, run = await crashed(store, path)
    with monkeypatch.context() as patch:

        async def broken(*_: object) -> bool:
            raise RuntimeError("the power is off")

        patch.setattr(store.hot, "recover_block", broken)
        with pytest.raises(RuntimeError):
            await recovery(store, clock).run()
    assert path.exists()
    assert await recovery(store, clock).run() == 1
    states, positions = await found(store, run)
    assert states == [State.SENT, State.SENT, State.IN_DOUBT, State.IN_DOUBT]
    assert positions == [4, 5, 6, 7, 8, 9]


async def test_of_a_large_journal_only_what_is_open_is_kept(
    store: Store, clock: ManualClock, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.journal"
    _, run = await crashed(store, path)
    journal = Journal(path, "boot", "here")
    start = base(3, run)
    journal.submit([(start + n, CRC, 1, 1, 0) for n in range(10, 5_000)])
    journal.close()
    kept: list[Record] = []
    read = recovering.DeadJournal.read
    monkeypatch.setattr(
        recovering.DeadJournal, "read", lambda self, *wanted: kept.append(read(self, *wanted)) or kept[-1]
    )
    assert await recovery(store, clock).run() == 1
    assert {identity for identity, _ in kept[0].sent} == {start, start + 1, start + 2, start + 3}
