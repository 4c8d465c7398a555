"""The brake: rest, go on more slowly, and be as fast as before when nothing is refused any more."""

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import SECOND
from todoke.pipeline.lanes.brake import Brake

START = 1_750_000_000 * SECOND


def test_it_begins_released() -> None:
    brake = Brake()
    assert not brake.resting(START)
    assert brake.share(START) == 1.0


def test_one_throttling_is_many_refusals_and_counts_once() -> None:
    one, many = Brake(), Brake()
    one.throttled(START)
    for _ in range(50):
        many.throttled(START)
    assert one.share(START + SECOND) == many.share(START + SECOND)
    assert many.resting(START + SECOND - 1)
    assert not many.resting(START + SECOND)


def test_a_carrier_that_stays_full_is_asked_less_and_less_often() -> None:
    brake, now, pauses = Brake(), START, []
    for _ in range(8):
        brake.throttled(now)
        began = now
        while brake.resting(now):
            now += SECOND
        pauses.append((now - began) // SECOND)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_what_is_taken_ends_the_growing_of_pauses() -> None:
    brake, now = Brake(), START
    for _ in range(5):
        brake.throttled(now)
        now += SECOND
        assert not brake.resting(now)
        brake.eased(now)


def test_an_answer_to_what_was_written_before_eases_nothing() -> None:
    brake = Brake()
    brake.throttled(START)
    brake.eased(START + SECOND // 2)
    brake.throttled(START + SECOND)
    assert brake.resting(START + 3 * SECOND - 1)
    assert not brake.resting(START + 3 * SECOND)


@given(st.integers(1, 20))
def test_the_share_falls_at_each_throttling_and_comes_back(times: int) -> None:
    brake, now, last = Brake(), START, 1.0
    for _ in range(times):
        brake.throttled(now)
        assert brake.share(now) < last or last < 0.03
        last = brake.share(now)
        now += 31 * SECOND  # not long enough to forget all
        last = brake.share(now)
        brake.eased(now)
    assert brake.share(now + 20 * SECOND) == 1.0


def test_it_settles_near_what_a_slower_carrier_takes() -> None:
    """A code of 100/s on an account that takes 60/s: most of the 60 are used, second by second."""
    brake, now, sent = Brake(), START, 0
    for _ in range(600):
        if not brake.resting(now):
            offered = 100 * brake.share(now)
            sent += min(60, int(offered))
            brake.eased(now)
            if offered > 60:
                brake.throttled(now)
        now += SECOND
    assert sent > 0.65 * 60 * 600


def test_a_rest_is_not_shortened() -> None:
    brake = Brake()
    brake.rest(START + 10 * SECOND)
    brake.rest(START + SECOND)
    assert brake.resting(START + 9 * SECOND)
    assert brake.share(START) == 1.0
