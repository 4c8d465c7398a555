"""A lane under limits that it shares: what is not granted waits in order, and is not asked for before its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.pipeline.lanes.doubles import BUCKET, LONG, PROVIDER, START, block, phone
from tests.pipeline.lanes.test_lane import Desk

from todoke.model.allowance import Allowance
from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Kind
from todoke.model.ids import MAX_ORDINAL
from todoke.model.limit import Limit, LimitKey, LimitKind, day_of
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.providers.base import Decision, Failure
from todoke.store.hot import allotting
from todoke.store.hot.base import Flush, Flushed, Reserve, Returned, RunWord

UNIT = LimitKey(BUCKET, LimitKind.UNIT, 1)
BRAND = LimitKey(BUCKET, LimitKind.BRAND, 2)


class Limited(Desk):
    """The store's part is the pure one that both databases use; `books` may be shared by desks."""

    def __init__(self, folder: Path, books: dict[LimitKey, Allowance], *limits: Limit, rate: float, burst: int) -> None:
        super().__init__(folder, rate=rate)
        self.lane.update(self.lane.row._replace(limits=limits, burst=burst))
        self.books = books
        self.seq = 0
        self.asked = 0
        self.marked: list[Reserve] = []

    def grant(self, reserve: Reserve, blocked: set[int] | None = None, **states: RunWord) -> None:
        self.asked += 1
        self.seq += 1
        told = self.told()
        flush = Flush(1, self.seq, self.clock.now(), returned=told.returned)
        marked, grants = allotting.allot(flush, [reserve], self.books)
        self.marked += marked
        found = [set(scrub.phones) & (blocked or set()) for scrub in reserve.scrubs]
        runs = {key: RunWord(run.data.state, run.data.force) for key, run in self.lane.runs.items()}
        if "word" in states:
            runs = dict.fromkeys(runs, states["word"])
        self.lane.granted(Flushed(blocked={self.lane.key: found}, runs=runs, granted=grants), self.clock.now())


Make = Callable[..., Limited]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Limited] = []
    books: dict[LimitKey, Allowance] = {UNIT: Allowance(), BRAND: Allowance()}

    def desk(*limits: Limit, rate: float = 100.0, burst: int = 1) -> Limited:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Limited(folder, books, *limits, rate=rate, burst=burst))
        return made[-1]

    yield desk
    for each in made:
        each.journal.close()


def times_of(desk: Limited, times: list[int]) -> None:
    submit = desk.wire.submit
    desk.wire.submit = lambda batch: (times.extend([desk.clock.now()] * len(batch)), submit(batch))[1]  # type: ignore


def most_in_a_second(times: list[int]) -> int:
    return max((sum(1 for t in times if at <= t < at + SECOND) for at in times), default=0)


def test_two_lanes_share_a_limit_and_neither_exceeds_it(make: Make) -> None:
    unit = Limit(UNIT, rate=20)
    lanes = [make(unit), make(unit, rate=15)]
    times: list[int] = []
    for desk in lanes:
        times_of(desk, times)
        desk.fill(desk.run(), 0, 199)
    for _ in range(100):
        for desk in lanes:
            desk.send(0.05, step=0.005, flush_every=4)
    assert most_in_a_second(times) <= 20
    assert len(times) >= 20 * 5 * 0.9
    for desk in lanes:
        assert desk.written == sorted(desk.written)
        assert len(desk.written) >= 30


def test_what_is_not_granted_waits_in_order_and_only_what_is_granted_is_marked(make: Make) -> None:
    desk = make(Limit(BRAND, cap=3, zone="UTC"))
    one, two = desk.run(), desk.run(id=8)
    desk.fill(one, 0, 9)
    desk.fill(two, 0, 9)
    desk.send(1.0)
    written = [(message.run.data.id, message.id & MAX_ORDINAL) for message, _, _ in desk.wire.written]
    assert written == [(7, 0), (8, 0), (7, 1)]
    marks = {key: last for reserve in desk.marked for key, last in reserve.blocks}
    assert marks == {block(0, 9).key: 1, block(0, 9, 8).key: 0}
    waiting = [(message.run.data.id, message.id & MAX_ORDINAL) for message in desk.lane.composed]
    assert sorted(waiting) == sorted([*((7, n) for n in range(2, 10)), *((8, n) for n in range(1, 10))])
    for run in (7, 8):
        of_run = [number for each, number in waiting if each == run]
        assert of_run == sorted(of_run)


def test_a_cap_that_is_used_up_is_not_asked_again_and_again_and_goes_on_the_next_day(make: Make) -> None:
    desk = make(Limit(BRAND, cap=25, zone="UTC"))
    run = desk.run(expires_at=START + 48 * HOUR)
    desk.fill(run, 0, 59)
    desk.send(4.0)
    assert desk.written == list(range(25))
    asked = desk.asked
    desk.send(4.0)
    assert desk.asked <= asked + 1
    assert not desk.lane.waiting
    desk.clock.moment = day_of("UTC", START).end - SECOND // 2
    desk.send(4.0)
    assert desk.written == list(range(50))


def test_a_saturated_limit_lets_the_lane_rest(make: Make) -> None:
    """Asked at most about once for each slot that comes free, not in every flush."""
    unit = Limit(UNIT, rate=2)
    first, second = make(unit), make(unit)
    first.fill(first.run(), 0, 99)
    second.fill(second.run(), 0, 99)
    for _ in range(100):
        for desk in (first, second):
            desk.send(0.1, step=0.01, flush_every=2)
    assert 17 <= len(first.wire.written) + len(second.wire.written) <= 21
    assert first.asked + second.asked <= 80  # of a thousand flushes


def test_a_limit_that_is_raised_counts_at_once(make: Make) -> None:
    desk = make(Limit(BRAND, cap=5, zone="UTC"))
    desk.fill(desk.run(), 0, 19)
    desk.send(0.5)
    assert len(desk.written) == 5
    desk.lane.update(desk.lane.row._replace(limits=(Limit(BRAND, cap=9, zone="UTC"),)))
    desk.send(0.5)
    assert desk.written == list(range(9))


def test_what_is_certainly_not_sent_is_given_back_to_the_cap(make: Make) -> None:
    """Missed slots, numbers on a list, a stop, what the provider refused: the cap ends with exactly what was sent."""
    desk = make(Limit(BRAND, cap=12, zone="UTC"))
    desk.fill(desk.run(), 0, 59)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve, blocked={phone(1)})
    desk.clock.pass_(0.1)
    desk.stops.add(9, phone(11), desk.clock.now())
    desk.lane.pump(desk.clock.now(), certain=True)  # most slots are missed
    taken = desk.wire.take(2)
    desk.outcomes.failed(PROVIDER, [Failure(s, Decision.NEVER_SENT, "closed") for s in taken])
    never = len(taken)
    for _ in range(8):
        desk.send(1.0)
        desk.clock.pass_(5)
    assert len(desk.wire.written) - never == 12
    assert desk.books[BRAND].used == 12


def test_a_segment_of_a_stopped_run_is_given_back(make: Make) -> None:
    desk = make(Limit(BRAND, cap=100, zone="UTC"))
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve, word=RunWord(RunState.STOPPING, False))
    desk.send(0.5)
    told = desk.told()
    assert {event.kind for flush in desk.flushes for event in flush.events} == {Kind.STOPPED}
    returned = [returned for flush in (*desk.flushes, told) for returned in flush.returned]
    assert Returned(BRAND, day_of("UTC", START).number, 10) in returned


def test_what_a_pause_takes_back_is_given_back_to_the_cap(make: Make) -> None:
    desk = make(Limit(BRAND, cap=100, zone="UTC"), rate=20)
    run = desk.run()
    desk.fill(run, 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    desk.lane.pump(desk.clock.now(), certain=True)
    given = desk.books[BRAND].used
    assert given > 3
    run.data.state = RunState.PAUSED
    desk.lane.withdraw(run.key)
    assert [returned.segments for returned in desk.told().returned] == [given - 1]


def test_what_was_charged_to_a_day_is_given_back_to_that_day(make: Make) -> None:
    """The carrier refuses some of it after midnight: the new day has what it used, no less."""
    desk = make(Limit(BRAND, cap=100, zone="UTC"), rate=1_000)
    midnight = day_of("UTC", START).end
    desk.clock.moment = midnight - 3 * SECOND
    desk.fill(desk.run(), 0, 39)
    desk.send(0.5)
    late = desk.wire.take()
    assert len(late) == 40
    desk.clock.moment = midnight + 2 * SECOND
    desk.fill(desk.run(id=8), 0, 9)
    desk.send(0.5)
    assert desk.books[BRAND].used == 10
    desk.outcomes.failed(PROVIDER, [Failure(s, Decision.NEVER_SENT, "closed") for s in late[:6]])
    desk.send(0.5)
    assert len(desk.wire.written) == 56
    assert desk.books[BRAND].used == 16


def test_a_cap_of_today_has_its_segments_back_at_once_in_its_first_hour_too(make: Make) -> None:
    desk = make(Limit(BRAND, cap=100, zone="UTC"), rate=20)
    desk.clock.moment = day_of("UTC", START).end + HOUR // 2
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    given = desk.books[BRAND].used
    desk.lane.withdraw()
    assert [returned.segments for returned in desk.told().returned] == [given]


def test_a_limit_that_is_declared_after_the_grant_is_not_credited_for_it(make: Make) -> None:
    """The unit's cap was charged, and is no more; the brand's was not: others have used it up."""
    desk = make(Limit(UNIT, cap=100, zone="UTC"), rate=20)
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.grant(reserve)
    given = desk.books[UNIT].used
    assert given > 3
    desk.lane.update(desk.lane.row._replace(limits=(Limit(BRAND, cap=5, zone="UTC"),)))
    desk.lane.withdraw()
    day = day_of("UTC", START).number
    assert desk.told().returned == [Returned(UNIT, day, given)]
    desk.lane.update(desk.lane.row._replace(limits=()))
    desk.send(1.0)
    assert len(desk.wire.written) == 10
    desk.outcomes.failed(PROVIDER, [Failure(s, Decision.NEVER_SENT, "closed") for s in desk.wire.take()])
    assert not desk.told().returned


def test_limits_that_change_while_a_flush_reserves_are_those_of_the_flush(make: Make) -> None:
    desk = make(Limit(UNIT, cap=100, zone="UTC"))
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    desk.lane.update(desk.lane.row._replace(limits=(Limit(BRAND, cap=50, zone="UTC"),)))
    desk.grant(reserve, blocked={phone(2)})
    assert desk.told().returned == [Returned(UNIT, day_of("UTC", START).number, 1)]


def test_runs_end_although_the_cap_is_used_up(make: Make) -> None:
    desk = make(Limit(BRAND, cap=2, zone="UTC"))
    stopping, expiring = desk.run(), desk.run(id=8, expires_at=START + 60 * SECOND)
    desk.fill(stopping, 0, 9)
    desk.fill(expiring, 0, 9)
    desk.send(1.0)
    stopping.data.state = RunState.STOPPING
    desk.send(0.1)
    desk.clock.pass_(61)
    desk.send(0.1)
    kinds = [event.kind for event in desk.events() if event.kind in (Kind.STOPPED, Kind.EXPIRED)]
    assert (kinds.count(Kind.STOPPED), kinds.count(Kind.EXPIRED)) == (9, 9)
    assert not desk.lane.composed


def test_an_answer_that_was_lost_grants_nothing(make: Make) -> None:
    """The flush took place, and what it granted is forfeited; the messages wait for the next one."""
    desk = make(Limit(UNIT, rate=50))
    desk.fill(desk.run(), 0, 9)
    reserve = desk.reserve()
    assert reserve is not None
    allotting.allot(Flush(1, 1, desk.clock.now()), [reserve], desk.books)
    runs = {key: RunWord(run.data.state, run.data.force) for key, run in desk.lane.runs.items()}
    desk.lane.granted(Flushed(blocked={desk.lane.key: [set()]}, runs=runs), desk.clock.now())
    assert not desk.lane.reserved
    desk.send(1.5)
    assert desk.written == list(range(10))


def test_a_messages_segments_are_granted_together(make: Make) -> None:
    desk = make(Limit(BRAND, cap=8, zone="UTC"))
    desk.fill(desk.run(body=LONG), 0, 9)  # three segments each
    desk.send(2.0)
    assert len(desk.wire.written) == 6
    assert [number for _, number, _ in desk.wire.written] == [1, 2, 3] * 2


def test_a_burst_goes_at_once_after_idleness_and_then_the_pace_holds(make: Make) -> None:
    desk = make(rate=10, burst=5)
    desk.clock.pass_(10)
    times: list[int] = []
    times_of(desk, times)
    desk.fill(desk.run(), 0, 19)
    desk.send(1.05)
    at_once = [at for at in times if at <= times[0] + 2_000]
    assert len(at_once) == 5
    rest = times[5:]
    assert all(90_000 < after - before < 120_000 for before, after in pairwise(rest))


def test_a_burst_does_not_exceed_a_limit(make: Make) -> None:
    desk = make(Limit(UNIT, rate=7), rate=50, burst=30)
    desk.clock.pass_(60)
    times: list[int] = []
    times_of(desk, times)
    desk.fill(desk.run(), 0, 49)
    desk.send(3.0)
    assert most_in_a_second(times) <= 7
    assert len(times) >= 18


def test_what_is_urgent_has_the_limit_first(make: Make) -> None:
    """Two lanes in one flush: the one with a transactional run goes first, but now and then the other one does."""
    unit = Limit(UNIT, rate=10)
    bulk, urgent = make(unit), make(unit)
    bulk.fill(bulk.run(), 0, 99)
    urgent.fill(urgent.run(id=8, stream=Stream.TRANSACTIONAL), 0, 99)
    urgent.lane.row = urgent.lane.row._replace(transport_code_id=12)
    asks = [bulk.reserve(), urgent.reserve()]
    assert asks[0] is not None
    assert asks[1] is not None
    reserves = [ask for ask in asks if ask is not None]
    first = {}
    for seq in (1, 16):
        books = {UNIT: Allowance()}
        _, grants = allotting.allot(Flush(1, seq, START), reserves, books)
        first[seq] = next(iter(grants))
    assert first == {1: 12, 16: 11}
