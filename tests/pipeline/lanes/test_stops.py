"""The stop set against a plain set of the last ten minutes."""

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import SECOND
from todoke.pipeline.lanes.stops import StopSet

START = 1_750_000_000 * SECOND
ANN, BOB = 15_550_000_001, 15_550_000_002


def test_a_number_is_stopped_for_its_group_only() -> None:
    stops = StopSet()
    assert not stops
    stops.add(1, ANN, START)
    assert stops
    assert stops.has((1,), ANN)
    assert stops.has((2, 1), ANN)
    assert not stops.has((2,), ANN)
    assert not stops.has((), ANN)
    assert not stops.has((1,), BOB)


def test_an_opt_in_lifts_it_in_its_group() -> None:
    stops = StopSet()
    stops.add(1, ANN, START)
    stops.add(2, ANN, START)
    stops.lift(1, ANN)
    stops.lift(1, BOB)
    assert not stops.has((1,), ANN)
    assert stops.has((2,), ANN)
    stops.lift(2, ANN)
    assert not stops


def test_it_forgets_after_ten_minutes() -> None:
    stops = StopSet()
    stops.add(1, ANN, START)
    stops.add(1, BOB, START + 601 * SECOND)
    assert not stops.has((1,), ANN)
    assert stops.has((1,), BOB)


steps = st.tuples(st.sampled_from(["add", "lift"]), st.integers(1, 2), st.integers(1, 3), st.integers(0, 400))


@given(st.lists(steps, max_size=40))
def test_it_holds_what_was_added_within_ten_minutes_and_not_lifted(moves: list[tuple[str, int, int, int]]) -> None:
    stops, now = StopSet(), START
    added: dict[tuple[int, int], int] = {}
    for action, group, phone, seconds in moves:
        now += seconds * SECOND
        if action == "add":
            stops.add(group, phone, now)
            added = {pair: at for pair, at in added.items() if now - at <= 600 * SECOND}
            added[group, phone] = now
        else:
            stops.lift(group, phone)
            added.pop((group, phone), None)
        assert bool(stops) == bool(added)
        for g in (1, 2):
            for p in (1, 2, 3):
                assert stops.has((g,), p) == ((g, p) in added)


def test_an_entry_that_expired_lifts_only_what_was_said_before() -> None:
    stops = StopSet()
    stops.add(1, 15550000001, 100)
    stops.add(1, 15550000002, 200)
    for phone in (15550000001, 15550000002, 15550000003):
        stops.lift(1, phone, 150)
    assert not stops.has((1,), 15550000001)
    assert stops.has((1,), 15550000002)
