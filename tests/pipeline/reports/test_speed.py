from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.reports.speed import Speed


def test_the_rate_is_of_the_last_seconds() -> None:
    speed = Speed()
    assert (speed.rate, speed.time_left(10)) == (0, None)
    for second in range(20):
        speed.add(second, 100 * min(second, 10))
    assert speed.rate == 0  # nothing moved since second 10
    assert speed.time_left(10) is None
    speed.add(20, 1_500)
    assert speed.rate == 100
    assert speed.time_left(1_000) == 10


def test_what_is_skipped_counts_for_the_time_left_only() -> None:
    speed = Speed()
    speed.add(0, 0, 0)
    speed.add(2, 20, 20)
    assert (speed.rate, speed.time_left(40)) == (10, 2)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 1000)), max_size=30))
def test_it_never_goes_below_nothing_and_keeps_little(steps: list[tuple[float, int]]) -> None:
    speed, at, count = Speed(), 0.0, 0
    for seconds, more in steps:
        at, count = at + seconds, count + more
        speed.add(at, count)
        assert speed.rate >= 0
        left = speed.time_left(100)
        assert left is None or left >= 0
