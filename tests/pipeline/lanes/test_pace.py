"""Slots: never more than the code's rate in any second, and nearly all of it used."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import SECOND, Micros
from todoke.pipeline.lanes import pace

START: Micros = 1_750_000_000 * SECOND

rates = st.one_of(
    st.integers(1, 200).map(float),
    st.sampled_from([0.2, 0.5, 1.0, 1000.0, 5000.0]),
    st.floats(0.1, 300, allow_nan=False),
)


def busiest_second(writes: list[Micros]) -> int:
    """The most writes in any window of one second, its end not included."""
    most, first = 0, 0
    for last, moment in enumerate(writes):
        while moment - writes[first] >= SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(
    rate=rates,
    batches=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 2 * SECOND)), min_size=1, max_size=12),
    lateness=st.randoms(use_true_random=False),
    extremes=st.booleans(),
)
def test_never_more_than_the_rate_in_any_second(rate, batches, lateness, extremes) -> None:
    next_slot, now = START, START
    writes: list[Micros] = []
    for count, gap in batches:
        slots = pace.take(next_slot, now, rate, count)
        assert slots.first >= max(next_slot, now)
        next_slot = slots.end
        for index in range(count):
            late = lateness.choice((0, pace.LATEST)) if extremes else lateness.randint(0, pace.LATEST)
            writes.append(slots.at(index) + late)
        now = max(now, slots.at(count - 1) - lateness.randint(0, SECOND // 5)) + gap
    # A rate of 2.5 allows 3 in some second: 5 in two.
    assert busiest_second(sorted(writes)) <= math.ceil(rate)


@given(rate=rates.filter(lambda rate: rate >= 1), per_batch=st.integers(1, 50))
def test_batch_after_batch_uses_what_there_is(rate: float, per_batch: int) -> None:
    next_slot, used = START, 0
    while next_slot < START + 60 * SECOND and used < 3_000:
        slots = pace.take(next_slot, next_slot - SECOND // 10, rate, per_batch)
        next_slot, used = slots.end, used + per_batch
    elapsed = (next_slot - START) / SECOND
    assert used >= 0.98 * 0.97 * rate * elapsed
    assert used <= rate * elapsed


@given(rate=rates, total=st.integers(1, 500), moments=st.lists(st.integers(-SECOND, 4 * SECOND), max_size=20))
def test_a_slot_is_passed_when_its_moment_is_there_and_missed_when_it_is_long_gone(rate, total, moments) -> None:
    slots = pace.take(START, START, rate, total)
    for now in sorted(START + moment for moment in moments):
        passed, missed = slots.passed(now), slots.missed(now)
        assert 0 <= missed <= passed <= total
        assert all(slots.at(index) <= now for index in range(max(0, passed - 2), passed))
        assert passed == total or slots.at(passed) >= now - 1  # to the microsecond
        assert missed == 0 or slots.at(missed - 1) < now - pace.LATEST
        assert missed == total or slots.at(missed) >= now - pace.LATEST - 2


@given(rate=rates, total=st.integers(1, 300))
def test_slots_lie_evenly(rate: float, total: int) -> None:
    slots = pace.take(START, START - 1, rate, total)
    gaps = [after - before for before, after in pairwise([*(slots.at(i) for i in range(total)), slots.end])]
    assert all(abs(gap - pace.interval(rate)) <= 2 for gap in gaps)


@given(rate=rates, behind=st.integers(-3 * SECOND, 3 * SECOND), horizon=st.integers(0, SECOND))
def test_what_is_affordable_begins_within_the_horizon(rate: float, behind: int, horizon: int) -> None:
    next_slot = START + behind
    count = pace.affordable(pace.take(next_slot, START, rate, 0), START + horizon)
    slots = pace.take(next_slot, START, rate, count)
    assert count == 0 or slots.at(count - 1) <= START + horizon
    assert slots.at(count) >= min(START + horizon, slots.first) - 1
    assert (count == 0) == (max(next_slot, START) >= START + horizon)


def test_what_was_not_used_is_forfeited() -> None:
    assert pace.take(START - 60 * SECOND, START, 10, 1).first == START


@given(
    rate=st.sampled_from([1.0, 5.0, 30.0, 100.0]),
    burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 30)), min_size=1, max_size=30),
)
def test_a_burst_uses_only_what_idleness_left(rate: float, burst: int, steps: list[tuple[int, int]]) -> None:
    """GCRA: in any time at most what the rate allows in it, and the burst; strictly paced with a burst of 1."""
    now, next_slot = START, START
    slots: list[int] = []
    for passed, wanted in steps:
        now += passed
        given = pace.take(next_slot, now, rate, wanted, burst)
        next_slot = given.end
        assert given.at(0) >= now
        slots += [given.at(index) for index in range(wanted)]
    assert slots == sorted(slots)
    for index, first in enumerate(slots):
        for count, last in enumerate(slots[index:], 1):
            assert count <= burst + (last - first + 3 + len(steps)) / pace.interval(rate)


def test_after_idleness_a_burst_goes_at_once_and_then_the_pace_holds() -> None:
    slots = pace.take(START - 60 * SECOND, START, 10, 8, 5)
    assert [slots.passed(START - 1), slots.passed(START), slots.missed(START + pace.LATEST + 1)] == [0, 5, 5]
    assert slots.at(5) - START == pytest.approx(pace.interval(10), abs=3)
    assert slots.end - START == pytest.approx(4 * pace.interval(10), abs=3)


@given(rate=st.floats(0.1, 1000))
def test_slow_codes_are_paced_by_their_rate_alone(rate: float) -> None:
    assert pace.first(rate) == rate
    assert pace.adapt(rate, rate, 0, 1000, 1.0) == rate
    assert pace.adapt(1.0, rate, 5, 0, 0.1) == rate


@given(
    rate=st.floats(1001, 500_000),
    looks=st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000), st.floats(0.1, 2.0)), max_size=30),
)
def test_the_pace_of_a_fast_code_stays_in_its_bounds(rate, looks) -> None:
    now = pace.first(rate)
    assert 0 < now <= rate
    for written, missed, elapsed in looks:
        now = pace.adapt(now, rate, written, missed, elapsed)
        assert min(rate, 500.0) <= now <= rate


@given(rate=st.floats(2_000, 200_000), link=st.floats(1_500, 100_000))
def test_the_pace_of_a_fast_code_finds_what_its_link_takes(rate: float, link: float) -> None:
    now, least = pace.first(rate), min(rate, link)
    seen: list[float] = []
    for _ in range(200):
        offered = now * 0.1
        written = min(offered, link * 0.1)
        now = pace.adapt(now, rate, int(written), int(offered - written), 0.1)
        seen.append(now)
    assert all(0.6 * least <= pace <= 2.1 * least + 1 for pace in seen[100:])


@given(st.integers(1, 10**6), st.floats(0.2, 1_000_000), st.integers(START, START + 10**9))
def test_a_lane_begins_soon_and_never_early(lane: int, rate: float, usable: int) -> None:
    first = pace.begin(lane, rate, usable)
    assert 0 <= first - usable <= min(pace.interval(rate), 200_000) + 20_000


def test_lanes_that_start_together_spread() -> None:
    """Five hundred slow lanes: on at least eight lines of the grid, none with a quarter of them; fast ones at once."""
    firsts = Counter(pace.begin(lane, 2.0, START) for lane in range(1, 501))
    assert len(firsts) >= 8
    assert max(firsts.values()) < 125
    assert all(moment % 20_000 == 0 for moment in firsts)
    assert pace.begin(7, 1_000.0, START + 1) == START + 1
