"""One lane by hand: what is composed is reserved, granted, written at its slot; nothing is lost, doubled or early."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lanes.doubles import (
    BUCKET,
    CODE,
    GROUP,
    LONG,
    PROVIDER,
    RUN,
    START,
    ManualClock,
    Wire,
    block,
    composed,
    contact,
    lane_run,
    open_run,
    phone,
)

from todoke.compliance import windows
from todoke.compliance.hours import Hours
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Event, Kind, State, fold
from todoke.model.ids import MAX_ORDINAL
from todoke.model.run import RunState
from todoke.model.schedule import every_day
from todoke.model.stream import Stream
from todoke.pipeline.lanes.brake import Brake
from todoke.pipeline.lanes.composing import compose_block
from todoke.pipeline.lanes.journal import Journal, Record, seize
from todoke.pipeline.lanes.lane import Lane
from todoke.pipeline.lanes.leasing import LARGEST_BLOCK
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.pipeline.lanes.outcomes import Outcomes
from todoke.pipeline.lanes.pace import HORIZON
from todoke.pipeline.lanes.runs import MIXED, LaneRun
from todoke.pipeline.lanes.stops import StopSet
from todoke.providers.base import Decision, Failure
from todoke.store.hot.base import Cursor, DueTaken, Flush, Flushed, Reserve, RunWord
from todoke.store.hot.base import Lane as LaneRow


class Desk:
    """A lane and what the owner does around it."""

    def __init__(self, folder: Path, *, rate: float = 100.0) -> None:
        self.clock = ManualClock()
        self.wire = Wire()
        self.path = folder / "journal"
        self.journal = Journal(self.path, "boot", "here")
        self.stops = StopSet()
        self.brake = Brake()
        self.outcomes = Outcomes(self.clock, self._refused)
        row = LaneRow(BUCKET, CODE, PROVIDER, "15551230001", "long", rate, 1, START)
        self.lane = Lane(row, self.wire, self.journal, self.stops, self.outcomes, self.brake)
        self.works: list[Work] = []
        self.flushes: list[Flush] = []

    def _refused(self, submission: Submission, decision: Decision) -> None:
        self.lane.refused(submission)
        if decision is Decision.THROTTLED:
            self.brake.throttled(self.clock.now())

    def run(self, **changes: object) -> LaneRun:
        run = lane_run(**changes)
        self.lane.runs[run.key] = run
        return run

    def fill(self, run: LaneRun, first: int, last: int) -> list[Message]:
        work, messages = composed(run, first, last, self.clock.now())
        self.works.append(work)
        self.lane.compose(run, messages)
        return messages

    def reserve(self) -> Reserve | None:
        return self.lane.reserve(self.clock.now())

    def grant(self, reserve: Reserve, blocked: set[int] | None = None, **states: RunWord) -> None:
        """The flush is committed: so many numbers are on a list, runs stand so (as they are here by default)."""
        found = [set(scrub.phones) & (blocked or set()) for scrub in reserve.scrubs]
        runs = {key: RunWord(run.data.state, run.data.force) for key, run in self.lane.runs.items()}
        if "word" in states:
            runs = dict.fromkeys(runs, states["word"])
        self.lane.granted(Flushed(blocked={CODE: found}, runs=runs), self.clock.now())

    def send(self, seconds: float, *, step: float = 0.001, flush_every: int = 20) -> None:
        """The owner's work for so long."""
        for count in range(round(seconds / step)):
            if not count % flush_every and (reserve := self.reserve()) is not None:
                self.grant(reserve)
            self.lane.pump(self.clock.now(), certain=True)
            self.clock.pass_(step)

    def accept(self, submissions: list[Submission]) -> None:
        self.outcomes.accepted(PROVIDER, submissions, [f"{m.id}/{n}/{m.attempt}" for m, n, _ in submissions])

    def told(self) -> Flush:
        flush = Flush(1, len(self.flushes) + 1, self.clock.now())
        self.outcomes.drain(flush)
        self.flushes.append(flush)
        return flush

    def events(self) -> list[Event]:
        self.told()
        return [
            *(event for flush in self.flushes for event in flush.events),
            *(
                Event(m, 1, 0, Kind.ACCEPTED, g.at, 1, g.provider_id, i)
                for flush in self.flushes
                for g in flush.fresh
                for m, i in zip(g.message_ids, g.provider_message_ids, strict=True)
            ),
        ]

    def noted(self) -> Record:
        self.journal.close()
        dead = seize(self.path)
        assert dead is not None
        record = dead.read()
        dead.close()
        return record

    @property
    def written(self) -> list[int]:
        """The positions written, in order."""
        return [message.id & MAX_ORDINAL for message, _, _ in self.wire.written]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.journal.close()


# ------------------------------------------------------------------ reserving


def test_what_is_composed_is_reserved_as_far_as_the_horizon_reaches(desk: Desk) -> None:
    messages = desk.fill(desk.run(), 0, 99)
    reserve = desk.reserve()
    assert reserve is not None
    paced = HORIZON / SECOND * 97
    assert paced - 1 <= len(reserve.scrubs[0].phones) <= paced + 1
    n = len(reserve.scrubs[0].phones)
    assert (reserve.bucket, reserve.transport_code_id, reserve.epoch) == (BUCKET, CODE, 1)
    assert reserve.blocks == [(block(0, 99).key, n - 1)]
    assert reserve.scrubs[0].groups == (GROUP,)
    assert reserve.scrubs[0].phones == [message.destination for message in messages[:n]]
    assert reserve.next_slot_at == START + round(n * SECOND / 97)
    assert desk.lane.ahead == 100 - n
    assert not desk.wire.written


def test_nothing_is_written_before_the_flush_is_committed(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 9)
    assert desk.reserve()
    desk.clock.pass_(0.2)
    desk.lane.pump(desk.clock.now(), certain=True)
    assert not desk.wire.written
    assert not desk.noted().sent


def test_reserving_goes_on_where_the_last_slot_was(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 99)
    first = desk.reserve()
    assert first is not None
    desk.grant(first)
    assert desk.reserve() is None  # the horizon is reached
    desk.clock.pass_(0.1)
    second = desk.reserve()
    assert second is not None
    n = len(second.scrubs[0].phones)
    assert second.next_slot_at == first.next_slot_at + round(n * SECOND / 97)


def test_a_reserve_tells_of_its_block_again_when_it_is_reserved_already(desk: Desk) -> None:
    """Only of blocks and intents that are named the store says how their run stands."""
    run = desk.run()
    desk.fill(run, 0, 9)
    first = desk.reserve()
    assert first is not None
    desk.grant(first)
    desk.clock.pass_(1)  # every slot is missed
    desk.lane.pump(desk.clock.now(), certain=True)
    again = desk.reserve()
    assert again is not None
    assert again.blocks == first.blocks == [(block(0, 9).key, 9)]


def test_due_rows_are_reserved_by_name(desk: Desk) -> None:
    run = desk.run()
    (message,) = desk.fill(run, 4, 4)
    message.work = None
    message.taken = DueTaken(BUCKET, message.id, 2, RUN, CODE, "", None)
    reserve = desk.reserve()
    assert reserve is not None
    assert reserve.intents == [message.taken.key]
    assert not reserve.blocks


def test_segments_are_what_is_reserved(desk: Desk) -> None:
    desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    assert reserve.next_slot_at == START + round(3 * SECOND / 97)


def test_nothing_is_reserved_without_a_link_or_while_it_rests(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 9)
    desk.wire.up = False
    assert desk.reserve() is None
    desk.wire.up = True
    desk.brake.rest(START + 5)
    assert desk.reserve() is None
    desk.clock.moment = START + 5
    assert desk.reserve() is not None


def test_a_code_that_was_made_slower_is_slower_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rate=3_000)
    desk.fill(desk.run(), 0, 2_000)
    first = desk.reserve()
    assert first is not None
    desk.grant(first)
    assert len(first.scrubs[0].phones) > 100
    desk.clock.moment = first.next_slot_at - 1  # nothing was measured since
    desk.lane.row = desk.lane.row._replace(rate=10)
    reserve = desk.reserve()
    assert reserve is not None
    assert len(reserve.scrubs[0].phones) <= 9


def test_a_slow_database_delays_and_does_not_stop(desk: Desk) -> None:
    """A commit takes half a second: slots are asked for later than that, so that some are still to come."""
    desk.fill(desk.run(), 0, 499)
    for _ in range(20):
        reserve = desk.reserve()
        desk.clock.pass_(0.5)
        if reserve is not None:
            desk.grant(reserve)
        for _ in range(300):
            desk.lane.pump(desk.clock.now(), certain=True)
            desk.clock.pass_(0.001)
    assert len(desk.wire.written) > 300


# ------------------------------------------------------------------ writing


def test_each_is_written_at_its_slot_and_noted_before(desk: Desk) -> None:
    messages = desk.fill(desk.run(), 0, 9)
    desk.send(0.2)
    assert [m.id for m, _, _ in desk.wire.written] == [m.id for m in messages]
    desk.accept(desk.wire.take())
    told = desk.told()
    assert told.closed == [block(0, 9).key]
    assert set(desk.noted().sent) == {(message.id, 0) for message in messages}


def test_the_pace_is_kept_whatever_the_steps(desk: Desk) -> None:
    times: list[int] = []
    submit = desk.wire.submit
    desk.wire.submit = lambda batch: (times.extend([desk.clock.now()] * len(batch)), submit(batch))[1]  # type: ignore
    desk.fill(desk.run(), 0, 499)
    random = Random(5)
    while desk.clock.now() < START + 4 * SECOND:
        if reserve := desk.reserve():
            desk.clock.pass_(random.random() * 0.02)
            desk.grant(reserve)
        for _ in range(random.randrange(10)):
            desk.lane.pump(desk.clock.now(), certain=True)
            desk.clock.pass_(random.choice([0.001, 0.005, 0.02, 0.04]))
    assert len(times) > 280
    assert max(sum(1 for t in times if at <= t < at + SECOND) for at in times) <= 100


def test_a_missed_slot_is_forfeited_and_its_message_waits_again_in_order(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 19)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.clock.pass_(0.1)  # the first seven slots or so are more than 25 ms ago
    desk.lane.pump(desk.clock.now(), certain=True)
    first = desk.written
    assert 0 < len(first) < 5
    assert first[0] >= 6
    desk.send(1.0)
    assert sorted(desk.written) == list(range(20))
    rest = desk.written[len(first) :]
    back = [position for position in rest if position < first[0]]
    assert back == sorted(back)


def test_what_is_forfeited_of_several_batches_keeps_its_order(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 59)
    for _ in range(3):
        reserve = desk.reserve()
        assert reserve is not None
        desk.grant(reserve)
        desk.clock.pass_(0.01)
    desk.lane.pump(desk.clock.now(), certain=False)
    assert not desk.lane.reserved
    desk.clock.pass_(1)
    desk.send(1.0)
    assert desk.written == sorted(desk.written)
    assert set(desk.written) == set(range(60))


def test_a_full_provider_is_written_to_as_far_as_it_has_room(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 9)
    desk.wire.free = 3
    desk.send(0.05)
    assert desk.written == [0, 1, 2]
    for _ in range(10):
        desk.accept(desk.wire.take())
        desk.send(0.1)
    assert sorted(desk.written) == list(range(10))


def test_without_a_certain_lease_nothing_is_written(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.clock.pass_(0.02)
    desk.lane.pump(desk.clock.now(), certain=False)
    assert not desk.wire.written
    assert desk.lane.waiting
    desk.send(0.5)
    assert desk.written == list(range(10))


def test_a_number_that_says_stop_is_not_written_to_any_more(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 4)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.stops.add(GROUP, phone(2), START)
    desk.stops.add(GROUP + 1, phone(3), START)  # on another list
    desk.send(0.2)
    assert desk.written == [0, 1, 3, 4]
    desk.accept(desk.wire.take())
    told = desk.told()
    assert [(e.message_id & MAX_ORDINAL, e.kind, e.reason) for e in told.events] == [(2, Kind.SKIPPED, "dnc")]
    assert told.closed == [block(0, 4).key]
    assert len(desk.noted().sent) == 4


def test_a_stop_between_two_parts_cuts_the_text_short(desk: Desk) -> None:
    (message,) = desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    assert len(desk.wire.written) == 1
    desk.stops.add(GROUP, phone(0), START)
    desk.send(0.2)
    assert len(desk.wire.written) == 1
    desk.accept(desk.wire.take())
    folded = fold(desk.events())
    assert (folded.state, folded.reason) == (State.FAILED, "dnc")
    assert desk.flushes[0].closed == [block(0, 0).key]
    assert message.left == 0


def test_a_stop_that_is_lifted_again_does_not_let_the_rest_of_a_cut_text_out(desk: Desk) -> None:
    desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    desk.stops.add(GROUP, phone(0), START)
    desk.clock.pass_(0.011)
    desk.lane.pump(desk.clock.now(), certain=True)
    desk.stops.lift(GROUP, phone(0))
    desk.clock.pass_(1)  # the last part misses its slot and waits again
    desk.send(0.2)
    assert len(desk.wire.written) == 1
    desk.accept(desk.wire.take())
    assert desk.told().closed == [block(0, 0).key]


def test_a_disk_that_takes_no_more_stops_the_lane_before_the_wire(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(desk.run(), 0, 4)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)

    def full(entries: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(desk.journal, "submit", full)
        with pytest.raises(OSError, match="No space"):
            desk.lane.pump(desk.clock.now(), certain=True)
    assert not desk.wire.written
    desk.brake.rest(desk.clock.now() + SECOND)
    desk.lane.pump(desk.clock.now(), certain=True)
    desk.clock.pass_(1)
    desk.send(0.5)
    assert desk.written == list(range(5))


# ------------------------------------------------------------------ what is granted is looked at once more


def test_numbers_on_a_list_are_taken_out_and_their_slots_used_by_others(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 4)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve, blocked={phone(0), phone(3)})
    assert sum(len(batch.submissions) for batch in desk.lane.reserved) == 3
    desk.send(0.2)
    assert desk.written == [1, 2, 4]
    desk.accept(desk.wire.take())
    assert desk.told().closed == [block(0, 4).key]


def test_a_run_that_is_paused_meanwhile_keeps_its_messages(desk: Desk) -> None:
    run = desk.run()
    desk.fill(run, 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve, word=RunWord(RunState.PAUSED, False))
    desk.send(0.5)
    assert not desk.wire.written
    assert desk.lane.ahead == 0  # on the shelf: others may go on
    assert not desk.told()
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert desk.written == list(range(10))
    desk.accept(desk.wire.take())
    assert desk.told().closed == [block(0, 9).key]


def test_a_paused_run_that_expires_is_counted_out(desk: Desk) -> None:
    run = desk.run()
    desk.fill(run, 0, 9)
    run.data.state = RunState.PAUSED
    assert desk.reserve() is None
    desk.clock.moment = run.data.expires_at
    desk.lane.unshelve(desk.clock.now())
    assert desk.reserve() is None
    told = desk.told()
    assert [event.kind for event in told.events] == [Kind.EXPIRED] * 10
    assert told.closed == [block(0, 9).key]


def test_of_two_runs_only_the_paused_one_waits(desk: Desk) -> None:
    one, two = desk.run(), desk.run(id=8)
    desk.fill(one, 0, 4)
    desk.fill(two, 0, 4)
    one.data.state = RunState.PAUSED
    desk.send(0.5)
    assert [m.run for m, _, _ in desk.wire.written] == [two] * 5


def test_a_run_that_is_stopped_is_counted_out(desk: Desk) -> None:
    run = desk.run()
    desk.fill(run, 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve, word=RunWord(RunState.STOPPING, False))
    desk.send(0.5)
    told = desk.told()
    assert not desk.wire.written
    assert {event.kind for event in told.events} == {Kind.STOPPED}
    assert len(told.events) == 10
    assert told.closed == [block(0, 9).key]


@pytest.mark.parametrize("obstacle", ["down", "resting"])
def test_a_run_that_is_stopped_ends_although_nothing_can_be_sent(desk: Desk, obstacle: str) -> None:
    one, two = desk.run(), desk.run(id=8)
    desk.fill(one, 0, 9)
    desk.fill(two, 0, 9)
    desk.wire.up = obstacle != "down"
    if obstacle == "resting":
        desk.brake.rest(START + HOUR)
    one.data.state = RunState.STOPPING
    assert desk.reserve() is None
    told = desk.told()
    assert told.closed == [block(0, 9).key]
    assert {event.kind for event in told.events} == {Kind.STOPPED}
    assert [message.run for message in desk.lane.composed] == [two] * 10


def test_a_forced_stop_takes_back_what_has_slots(desk: Desk) -> None:
    run = desk.run()
    desk.fill(run, 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    assert desk.written == [0]
    run.data.state, run.data.force = RunState.STOPPING, True
    desk.lane.withdraw(run.key)
    desk.send(0.5)
    assert desk.written == [0]
    desk.accept(desk.wire.take())
    told = desk.told()
    assert len(told.events) == 9
    assert told.closed == [block(0, 9).key]


def test_a_forced_stop_of_one_run_leaves_the_other_its_messages(desk: Desk) -> None:
    one, two = desk.run(), desk.run(id=8)
    desk.fill(one, 0, 2)
    desk.fill(two, 0, 2)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    one.data.state, one.data.force = RunState.STOPPING, True
    desk.lane.withdraw(one.key)
    desk.send(0.5)
    assert [m.run for m, _, _ in desk.wire.written] == [two] * 3


def test_what_shared_a_commit_with_a_stopped_run_takes_its_slots(desk: Desk) -> None:
    one, two = desk.run(), desk.run(id=8)
    desk.fill(one, 0, 2)
    desk.fill(two, 0, 2)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.withdraw(one.key)
    desk.lane.pump(desk.clock.now(), certain=True)
    assert [m.run for m, _, _ in desk.wire.written] == [two]
    one.data.state = RunState.PAUSED
    desk.send(0.5)
    assert [m.run for m, _, _ in desk.wire.written] == [two] * 3
    one.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert [m.run for m, _, _ in desk.wire.written] == [two] * 3 + [one] * 3


def test_what_misses_its_slot_while_it_is_noted_is_taken_back_and_goes_later(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.clock.pass_(0.021)  # three slots have come
    desk.lane.pump(desk.clock.now(), True, lambda: desk.clock.pass_(0.01))  # the journal took 10 ms
    assert desk.written == [1, 2]
    desk.clock.pass_(2)
    desk.send(1)
    assert desk.written == [1, 2, 0, *range(3, 10)]
    sent = desk.noted().sent
    assert all(len(segments) == 1 for segments in sent.values())


def test_a_lost_race_with_the_slot_leaves_no_trace_in_the_journal(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), True, lambda: desk.clock.pass_(0.03))
    assert desk.written == []
    assert not any(desk.noted().sent.values())


def test_a_slow_lane_reserves_seldom_and_several_slots_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rate=4)
    desk.fill(desk.run(), 0, 99)
    reserves = 0
    for _ in range(400):  # twenty seconds of flushes
        if not desk.lane.content(desk.clock.now()):
            reserve = desk.reserve()
            if reserve is not None:
                reserves += 1
                desk.grant(reserve)
        for _ in range(5):
            desk.lane.pump(desk.clock.now(), certain=True)
            desk.clock.pass_(0.01)
    assert len(desk.written) in (77, 78)  # 20 s at 97 % of 4
    assert reserves <= 14


def test_no_slot_is_after_the_calling_window(tmp_path: Path) -> None:
    """Slots are laid ahead: the window must still be open then."""
    desk = Desk(tmp_path, rate=1)
    desk.fill(desk.run(window=(480, 668)), 0, 49)  # to eight minutes past eleven in New York; it is about six past
    closes = windows.closes_at(Hours((every_day(Window(480, 668)),)), ("America/New_York",), START)
    assert closes is not None
    moments: list[int] = []
    while desk.clock.now() < closes + 5 * SECOND:
        if (reserve := desk.reserve()) is not None:
            desk.grant(reserve)
        before = len(desk.written)
        desk.lane.pump(desk.clock.now(), certain=True)
        moments += [desk.clock.now()] * (len(desk.written) - before)
        desk.clock.pass_(0.01)
    assert max(moments) < closes - windows.MARGIN
    assert max(moments) > closes - windows.MARGIN - 5 * SECOND


def test_the_calling_window_counts_when_the_text_is_handed_over(desk: Desk) -> None:
    """A run is paused in the evening and resumed at night: what it had composed waits for the morning."""
    run = desk.run(window=(480, 720))  # to noon, in New York; it is six minutes past eleven
    desk.fill(run, 0, 4)
    run.data.state = RunState.PAUSED
    desk.send(0.1)
    desk.clock.pass_(3600)
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert not desk.wire.written
    told = desk.told()
    assert told.closed == [block(0, 4).key]
    assert [row.attempt for row in told.due] == [0] * 5
    assert all(row.not_before == run.opens_at(0, desk.clock.now()) for row in told.due)
    assert all(row.not_before > desk.clock.now() + 19 * HOUR for row in told.due)


def test_what_tells_the_carrier_the_end_of_another_window_is_composed_anew(desk: Desk) -> None:
    """A run is paused in the evening and resumed in the morning: its texts must not be told to end last evening."""
    run = desk.run(window=(480, 1260), expires_at=START + 60 * HOUR)
    messages = desk.fill(run, 0, 4)
    closes = messages[0].valid_until
    assert closes == run.valid_until(0, START) == windows.closes_at(run.hours, ("America/New_York",), START)
    run.data.state = RunState.PAUSED
    desk.send(0.1)
    desk.clock.pass_(24 * 3600)
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert not desk.wire.written
    told = desk.told()
    assert [row.attempt for row in told.due] == [0] * 5
    assert all(row.not_before < desk.clock.now() + 5 * SECOND for row in told.due)
    assert run.valid_until(0, desk.clock.now()) == closes + 24 * HOUR


def test_what_waited_longer_than_its_run_may_last_has_expired(desk: Desk) -> None:
    run = desk.run(expires_at=START + HOUR)
    desk.fill(run, 0, 4)
    run.data.state = RunState.PAUSED
    desk.send(0.1)
    desk.clock.pass_(3600)
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert not desk.wire.written
    told = desk.told()
    assert {event.kind for event in told.events} == {Kind.EXPIRED}
    assert told.closed == [block(0, 4).key]


def test_who_expires_while_the_text_waits_is_not_texted(desk: Desk) -> None:
    run = desk.run(expires_at=START + 48 * HOUR)
    work = Work(block(0, 2), run)
    contacts = [contact(n)._replace(expires_at=at) for n, at in enumerate((None, START + HOUR, START + 3 * HOUR))]
    desk.lane.compose(run, compose_block(run, work, contacts, desk.clock.now()).messages)
    run.data.state = RunState.PAUSED
    desk.send(0.1)
    desk.clock.pass_(2 * 3600)
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.send(0.5)
    assert len(desk.wire.written) == 2
    told = desk.told()
    assert [(event.message_id - run.base_id, event.kind, event.reason) for event in told.events] == [
        (1, Kind.SKIPPED, "contact_expired")
    ]
    assert not told.due


# ------------------------------------------------------------------ refused by the provider


def test_what_came_too_fast_waits_and_keeps_its_order(desk: Desk) -> None:
    desk.fill(desk.run(), 0, 19)
    desk.send(0.1)
    first = desk.wire.take()
    assert len(first) > 6
    desk.accept(first[:2])
    written = len(desk.wire.written)
    for refused in (first[2:5], first[5:]):
        desk.outcomes.failed(PROVIDER, [Failure(s, Decision.THROTTLED, "smpp:0x00000058") for s in refused])
        desk.send(0.1)
    desk.send(0.7)
    assert len(desk.wire.written) == written  # it rests for a second
    desk.send(1.5)
    again = desk.written[written:]
    assert again[: len(first) - 2] == [m.id & MAX_ORDINAL for m, _, _ in first[2:]]
    assert again == sorted(again)
    desk.accept(desk.wire.take())
    told = desk.told()
    assert told.closed == [block(0, 19).key]
    assert not told.events
    assert sum(len(g.message_ids) for g in told.fresh) == 20


def test_what_was_refused_is_taken_back_in_the_journal(desk: Desk) -> None:
    messages = desk.fill(desk.run(), 0, 1)
    desk.send(0.05)
    one, two = desk.wire.take()
    desk.outcomes.failed(PROVIDER, [Failure(one, Decision.NEVER_SENT, "closed")])
    desk.accept([two])
    assert [key for key, sent in desk.noted().sent.items() if sent] == [(messages[1].id, 0)]


def test_a_full_disk_does_not_lose_what_was_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(desk.run(), 0, 1)
    desk.send(0.05)
    taken = desk.wire.take()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(desk.journal, "take_back", full)
        desk.outcomes.failed(PROVIDER, [Failure(s, Decision.NEVER_SENT, "closed") for s in taken])
    desk.send(0.5)
    assert desk.written == [0, 1, 0, 1]


def test_a_part_that_waits_again_while_another_is_being_reserved_gets_a_slot_of_its_own(desk: Desk) -> None:
    """Reserved slots are never more than those that were asked for."""
    desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    (first,) = desk.wire.take()
    desk.outcomes.failed(PROVIDER, [Failure(first, Decision.NEVER_SENT, "closed")])
    reserve = desk.reserve()  # for the first part
    assert reserve is not None
    desk.clock.pass_(0.2)
    desk.lane.pump(desk.clock.now(), certain=True)  # the others miss theirs meanwhile
    desk.grant(reserve)
    slots = desk.lane.reserved[0].slots
    assert slots.total == 1
    assert slots.end <= reserve.next_slot_at + 1
    desk.clock.pass_(0.5)
    desk.send(0.5)
    assert sorted(n for _, n, _ in desk.wire.written[1:]) == [1, 2, 3]


# ------------------------------------------------------------------ a lane that is another's


@pytest.mark.parametrize("at", ["composed", "asked", "reserved", "shelf", "refused", "forfeited"])
def test_what_a_lost_lane_holds_goes_to_due_wherever_it_is(desk: Desk, at: str) -> None:
    run = desk.run(body=LONG)
    messages = desk.fill(run, 0, 3)
    if at == "shelf":
        run.data.state = RunState.PAUSED
    if at != "composed":
        reserve = desk.reserve()
        if at not in ("asked", "shelf"):
            assert reserve is not None
            desk.grant(reserve)
    if at == "refused":
        desk.lane.pump(desk.clock.now(), certain=True)
        desk.outcomes.failed(PROVIDER, [Failure(s, Decision.NEVER_SENT, "closed") for s in desk.wire.take()])
    if at == "forfeited":
        desk.lane.pump(desk.clock.now(), certain=False)
    desk.lane.give_back(START + 7)
    told = desk.told()
    assert sorted((row.message_id, row.attempt, row.segments, row.not_before) for row in told.due) == [
        (message.id, 0, "", START + 7) for message in messages
    ]
    assert told.closed == [block(0, 3).key]
    assert desk.lane.ahead == 0


def test_of_a_message_that_a_lost_lane_sent_in_part_the_rest_goes_to_due(desk: Desk) -> None:
    (message,) = desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    desk.lane.give_back(START + 7)
    assert not desk.told()
    desk.accept(desk.wire.take())
    told = desk.told()
    assert [(row.segments, row.text_crc) for row in told.due] == [("2,3", message.crc)]
    assert [(event.segment, event.kind) for event in told.events] == [(1, Kind.ACCEPTED)]
    assert told.closed == [block(0, 0).key]


# ------------------------------------------------------------------ leasing


def test_no_more_is_leased_than_a_second_needs(desk: Desk) -> None:
    desk.run(cursors=[Cursor(0, 0, 0, 9_999)])
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert [(ask.expected, ask.limit) for ask in lease.cursors] == [(0, 100)]
    assert lease.due == {Stream.BULK: 100}
    work = desk.lane.leased(block(0, 99))
    assert work is not None
    assert desk.lane.composing == 100
    assert desk.lane.lease(desk.clock.now()) is None


def test_a_lease_begins_where_the_last_block_ended_whatever_was_read_before(desk: Desk) -> None:
    run = desk.run(cursors=[Cursor(0, 0, 0, 9_999)])
    desk.lane.leased(block(0, 99))
    run.composing = 0
    run.refresh(run.data)  # read before the block was taken
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert lease.cursors[0].expected == 100


def test_a_block_of_a_run_that_is_not_known_here_is_not_taken(desk: Desk) -> None:
    assert desk.lane.leased(block(0, 99)) is None
    assert desk.lane.composing == 0


def test_a_fast_code_leases_block_by_block(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rate=100_000)
    desk.run(cursors=[Cursor(n, 0, n * 100_000, n * 100_000 + 99_999) for n in range(5)])
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert [ask.limit for ask in lease.cursors] == [LARGEST_BLOCK] * 3


def test_a_closed_zone_costs_nothing(desk: Desk) -> None:
    """Noon in New York; in Tokyo it is night. Ranges of both, and one whose contacts are looked at one by one."""
    desk.run(
        window=(480, 1260),
        zone_sets=[["America/New_York"], ["Asia/Tokyo"]],
        cursors=[Cursor(0, 1, 0, 9), Cursor(1, 0, 10, 19), Cursor(2, MIXED, 20, 29), Cursor(3, 1, 30, 39)],
    )
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert [(ask.number, ask.expected, ask.limit) for ask in lease.cursors] == [(1, 10, 10), (2, 20, 10)]


def test_runs_share_the_lane_by_weight(desk: Desk) -> None:
    light = desk.run(cursors=[Cursor(0, 0, 0, 99_999)])
    heavy = desk.run(id=8, weight=3, cursors=[Cursor(0, 0, 0, 99_999)])
    taken = {light.key: 0, heavy.key: 0}
    for _ in range(200):
        lease = desk.lane.lease(desk.clock.now())
        assert lease is not None
        for ask in lease.cursors:
            desk.lane.runs[BUCKET, ask.run_id].moved(ask.number, ask.expected + ask.limit)
            taken[BUCKET, ask.run_id] += ask.limit
    assert 2.8 < taken[heavy.key] / taken[light.key] < 3.2


def test_runs_that_wait_composed_share_the_slots_by_weight(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for run, weight in ((7, 1), (8, 3)):
        desk.fill(desk.run(id=run, weight=weight), 0, 299)
    desk.send(3.0)
    written = [message.run.data.id for message, _, _ in desk.wire.written]
    assert len(written) > 280
    assert 2.8 < written.count(8) / written.count(7) < 3.2
    desk.journal.close()


def test_a_transactional_run_beside_a_bulk_run_gets_the_next_slots(tmp_path: Path) -> None:
    """On a code of one segment a second, whatever the bulk run has composed."""
    desk = Desk(tmp_path, rate=1)
    desk.fill(desk.run(cursors=[Cursor(0, 0, 0, 9_999)]), 0, 7)
    desk.send(5.0)
    before = len(desk.wire.written)
    urgent = desk.run(id=8, stream=Stream.TRANSACTIONAL, cursors=[Cursor(0, 0, 0, 2)])
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert [(ask.run_id, ask.limit) for ask in lease.cursors][:1] == [(8, 3)]
    assert Stream.TRANSACTIONAL in lease.due
    desk.fill(urgent, 0, 2)
    desk.send(4.5)
    after = [message.run.data.id for message, _, _ in desk.wire.written[before:]]
    assert after[:4] == [8, 8, 8, RUN] or after[:4] == [RUN, 8, 8, 8]  # one may have had its slot already
    desk.journal.close()


def test_a_slow_lane_that_is_content_with_bulk_still_leases_what_is_urgent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rate=2)
    desk.fill(desk.run(cursors=[Cursor(0, 0, 0, 9_999)]), 0, 29)
    desk.send(1.0)
    assert desk.lane.content(desk.clock.now())
    desk.run(id=8, stream=Stream.TRANSACTIONAL, cursors=[Cursor(0, 0, 0, 2)])
    assert not desk.lane.content(desk.clock.now())
    desk.journal.close()


def test_bulk_is_leased_although_a_transactional_run_has_all_it_needs(desk: Desk) -> None:
    urgent = desk.run(stream=Stream.TRANSACTIONAL, cursors=[Cursor(0, 0, 0, 9_999)])
    desk.run(id=8, cursors=[Cursor(0, 0, 0, 9_999)])
    desk.fill(urgent, 0, 99)
    lease = desk.lane.lease(desk.clock.now())
    assert lease is not None
    assert [ask.run_id for ask in lease.cursors] == [8]
    assert lease.due == {Stream.BULK: 100}


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.STOPPING])
def test_only_running_runs_lease(desk: Desk, state: RunState) -> None:
    desk.run(state=state)
    assert desk.lane.lease(desk.clock.now()) is None


# ------------------------------------------------------------------ anything at all, and then everything is answered

steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["reserve", "grant", "pause", "resume", "uncertain", "down", "up"]), st.just(0)),
        st.tuples(st.just("pass"), st.sampled_from([1, 5, 20, 40, 300])),
        st.tuples(st.sampled_from(["accept", "throttle", "never", "maybe", "retry", "refuse"]), st.integers(1, 6)),
        st.tuples(st.sampled_from(["stop", "room"]), st.integers(0, 5)),
    ),
    max_size=60,
)


@given(moves=steps, long=st.booleans(), rate=st.sampled_from([5.0, 100.0, 4_000.0]))
def test_whatever_happens_everything_comes_to_an_end_once_and_in_time(
    moves, long, rate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = Desk(tmp_path_factory.mktemp("lane"), rate=rate)
    run = desk.run(body=LONG if long else "Hello {FirstName}", max_attempts=1)
    desk.fill(run, 0, 5)
    desk.fill(run, 6, 9)
    times: list[int] = []
    submit = desk.wire.submit
    desk.wire.submit = lambda batch: (times.extend([desk.clock.now()] * len(batch)), submit(batch))[1]  # type: ignore
    pending: Reserve | None = None
    decisions = {
        "throttle": Decision.THROTTLED,
        "never": Decision.NEVER_SENT,
        "maybe": Decision.MAYBE_SENT,
        "retry": Decision.RETRYABLE,
        "refuse": Decision.PERMANENT,
    }
    for move, value in moves:
        match move:
            case "reserve":
                pending = pending or desk.reserve()
            case "grant" if pending is not None:
                desk.grant(pending)
                pending = None
            case "pass":
                desk.clock.pass_(value / 1000)
                desk.lane.pump(desk.clock.now(), certain=True)
            case "uncertain":
                desk.lane.pump(desk.clock.now(), certain=False)
            case "accept":
                desk.accept(desk.wire.take(value))
            case "pause" | "resume":
                run.data.state = RunState.PAUSED if move == "pause" else RunState.RUNNING
                desk.lane.unshelve(desk.clock.now())
            case "down" | "up":
                desk.wire.up = move == "up"
                desk.wire.free = 1_000_000 if desk.wire.up else 0
                if move == "down":
                    lost = desk.wire.take()
                    desk.wire.free = 0
                    desk.outcomes.failed(PROVIDER, [Failure(s, Decision.MAYBE_SENT, "link_dropped") for s in lost])
            case "stop":
                desk.stops.add(GROUP, phone(value), desk.clock.now())
            case "room":
                desk.wire.free = value if desk.wire.up else 0
            case _ if move in decisions:
                desk.outcomes.failed(PROVIDER, [Failure(s, decisions[move], move) for s in desk.wire.take(value)])
    # From now on everything works, for long enough.
    run.data.state = RunState.RUNNING
    desk.lane.unshelve(desk.clock.now())
    desk.wire.up, desk.wire.free = True, 1_000_000
    if pending is not None:
        desk.grant(pending)
    for _ in range(3_000):
        if not (desk.lane.ahead or desk.wire.waiting):
            break
        desk.send(0.05, step=0.005, flush_every=4)
        desk.accept(desk.wire.take())
    events = desk.events()
    closed = [key for flush in desk.flushes for key in flush.closed]
    assert sorted(closed) == [block(0, 5).key, block(6, 9).key]
    segments = 3 if long else 1
    final = [e for e in events if e.segment]
    assert len({e[:4] for e in events}) == len(events)
    for position in range(10):
        identity = run.base_id + position
        of_message = [e for e in events if e.message_id == identity]
        assert of_message, f"nothing became of {position}"
        assert fold(of_message).state is not State.WAITING
        for number in range(1, segments + 1):
            answers = {e.kind for e in final if e.message_id == identity and e.segment == number}
            assert len(answers) <= 1
            if not answers:
                assert any(e.segment == 0 or e.kind == Kind.REJECTED for e in of_message)
    # And never faster than allowed.
    assert max((sum(1 for t in times if at <= t < at + SECOND) for at in times), default=0) <= rate
    assert all(one <= other for one, other in pairwise(times))
    desk.journal.close()


def test_segments_that_miss_their_slots_after_the_first_was_given_back_are_given_back_too(desk: Desk) -> None:
    run = desk.run(body=LONG)
    (message,) = desk.fill(run, 0, 0)
    desk.wire.free = 0
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.pass_(0.026), certain=True)  # the first slot is gone, the others may still be used
    run.refresh(open_run(body=LONG, window=(0, 1)))
    assert desk.reserve() is None  # its window is closed by now
    assert message.not_before is not None
    desk.lane.pump(desk.clock.pass_(1.0), certain=True)
    assert desk.reserve() is None
    flush = desk.told()
    assert [(row.message_id, row.segments) for row in flush.due] == [(message.id, "")]
    assert flush.closed == [desk.works[0].block.key]


def test_the_rest_of_a_text_that_was_refused_for_good_is_not_written(desk: Desk) -> None:
    (message,) = desk.fill(desk.run(body=LONG), 0, 0)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.pass_(0.001), certain=True)
    first = desk.wire.take()
    assert [number for _, number, _ in first] == [1]
    desk.outcomes.failed(PROVIDER, [Failure(submission, Decision.PERMANENT, "smpp:0x0000000b") for submission in first])
    desk.send(0.2)
    assert desk.wire.waiting == []
    assert desk.told().closed == [desk.works[0].block.key]
    assert message.left == 0
