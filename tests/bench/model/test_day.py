"""A day that is only calculated loses nothing either, and more of anything never helps less."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from bench.model.day import RECEIPTS, REMEMBERED, Day, Plan, late_share, simulate
from bench.model.load import Load, make_units, start_runs
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bench.model.costs import COSTS

from bench.model.costs import Costs

SMALL = Load(messages=2_000_000, units=30, step=10, list_size=5_000)
FREE = Plan(1)


def day_of(load: Load, plan: Plan = FREE, costs: Costs = COSTS) -> Day:
    units = make_units(load)
    start_runs(load, units)
    return simulate(load, units, costs, plan)


def narrow(cores: int) -> Day:
    """On one primary, with messages that cost a millisecond: eight cores are not enough for the peak."""
    dear = msgspec.structs.replace(COSTS, db_contact_us=50_000.0, db_receipt_us=20_000.0, db_receipt_late_us=20_000.0)
    return day_of(SMALL, Plan(1, [0] * 256, cores), dear)


loads = st.builds(
    Load,
    messages=st.integers(1, 300_000),
    units=st.integers(1, 12),
    segments=st.floats(1, 2),
    receipts=st.floats(0, 1),
    retries=st.floats(0, 0.5),
    peak=st.floats(0.3, 4),
    early=st.floats(0, 1),
    zones=st.sampled_from(["one", "us", "world"]),
    list_size=st.integers(10, 100_000),
    step=st.just(30),
    seed=st.integers(0, 9),
)


@settings(max_examples=50, deadline=None)
@given(load=loads, cores=st.integers(1, 8), dear=st.sampled_from([1.0, 1_000.0, 1_000_000.0]))
def test_what_came_in_was_sent_or_waits(load: Load, cores: int, dear: float) -> None:
    costs = msgspec.structs.replace(COSTS, db_contact_us=dear, db_receipt_us=dear, db_receipt_late_us=dear)
    day = day_of(load, Plan(1, [0] * 256, cores), costs)
    assert day.started == load.messages
    assert day.sent + day.waiting + day.retrying == day.started
    assert day.receipts + day.receipts_waiting == day.receipts_due
    assert day.receipts_due <= day.sent * load.segments * load.receipts + 1e-6
    assert min(day.waiting, day.retrying, day.receipts_waiting) >= 0


@settings(max_examples=30, deadline=None)
@given(load=loads)
def test_no_second_has_more_than_the_codes_may_send(load: Load) -> None:
    units = make_units(load)
    start_runs(load, units)
    day = simulate(load, units, COSTS, FREE)
    seconds = load.step * 60
    for unit, peak in zip(units, day.peak_by_unit, strict=True):
        assert peak * seconds <= unit.rate * seconds + 1


def test_the_same_seed_is_the_same_day() -> None:
    assert day_of(SMALL) == day_of(SMALL)
    assert day_of(SMALL).sent_a_step != day_of(replace(SMALL, seed=2)).sent_a_step


def test_nothing_is_sent_while_every_window_is_closed() -> None:
    day = day_of(SMALL)
    sent = day.sent_a_step
    for step in range(SMALL.steps):
        assert SMALL.open_zones(step) or not sent[step]
    assert sum(sent) > SMALL.messages  # retries are handed over, too


def test_zones_come_in_waves() -> None:
    load = replace(SMALL, early=1.0, peak=50.0, retries=0.0, zones="us")
    sent = day_of(load).sent_a_step
    hour = 60 // load.step
    shares = [sum(sent[n * hour : (n + 1) * hour]) / load.messages for n in range(4)]
    assert shares == pytest.approx([0.47, 0.29, 0.07, 0.17], abs=0.03)


def test_a_primary_that_is_too_small_leaves_something_and_a_larger_one_less() -> None:
    days = [narrow(cores) for cores in (1, 2, 4, 64)]
    sent = [day.sent for day in days]
    assert sent == sorted(sent)
    assert sent[0] < sent[1] < sent[-1]
    assert [day.throttled > 0 for day in days] == [True, True, True, False]
    for day, cores in zip(days, (1, 2, 4, 64), strict=True):
        assert max(day.cpu[0]) <= cores * 1.05


@pytest.mark.parametrize("key", ["receipts", "segments", "retries"])
def test_more_of_it_costs_more(key: str) -> None:
    less, more = {"receipts": (0.2, 0.9), "segments": (1.0, 1.5), "retries": (0.0, 0.2)}[key]
    one, other = (day_of(replace(SMALL, rates=(100,), **{key: value})) for value in (less, more))
    assert sum(one.cpu[0]) < sum(other.cpu[0])
    assert sum(one.wal[0]) < sum(other.wal[0])


def test_a_day_on_two_primaries_is_the_same_day() -> None:
    one = day_of(SMALL, Plan(2, [0] * 256))
    two = day_of(SMALL, Plan(2, [bucket % 2 for bucket in range(256)]))
    assert two.sent == one.sent
    assert sum(map(sum, two.cpu)) == pytest.approx(sum(one.cpu[0]))
    assert max(map(max, two.cpu)) < max(one.cpu[0])


def test_receipts_that_engines_forgot_are_those_that_come_late() -> None:
    assert sum(share for _, share in RECEIPTS) == pytest.approx(1)
    assert late_share(0.0, 1) == 0
    assert late_share(1e12, 1) == pytest.approx(0.5)  # all but what comes at once
    rate = REMEMBERED / 60 / 10  # forgotten after ten minutes
    assert late_share(rate, 1) == pytest.approx(0.1)
    assert late_share(rate, 20) == pytest.approx(0)


def test_partitions_make_late_receipts_dear() -> None:
    load = replace(SMALL, segments=1.0)
    few, many = (day_of(load, Plan(1, partitions=n, forgetful=True)) for n in (1, 100))
    assert few.receipts == many.receipts > load.messages * 0.9
    more = (sum(many.cpu[0]) - sum(few.cpu[0])) * load.step * 60
    assert more == pytest.approx(many.receipts * 99 * COSTS.db_receipt_partition_us / 1e6)
