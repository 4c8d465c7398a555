"""The engine's clock follows the database's without ever making slots denser."""

from __future__ import annotations

from todoke.model.clock import HOUR, SECOND
from todoke.service.machine import DatabaseClock

STEP = 20_000


def difference(clock: DatabaseClock, ahead: int, uncertain: int = 0) -> int:
    """By how much the clock moves where the database is `ahead` of it."""
    before = clock.now() - _monotonic(clock)
    clock.follow(clock.now() + ahead, uncertain)
    return clock.now() - _monotonic(clock) - before


def _monotonic(clock: DatabaseClock) -> int:
    return round(clock.monotonic() * SECOND)


def close(value: int, wanted: int) -> bool:
    return abs(value - wanted) < 5_000  # what passes between two readings of the clock on a busy machine


def test_a_small_difference_is_mended_step_by_step() -> None:
    clock = DatabaseClock()
    assert close(difference(clock, 300_000), STEP)
    assert close(difference(clock, -300_000), -STEP)


def test_noise_moves_nothing() -> None:
    clock = DatabaseClock()
    assert close(difference(clock, 10_000, uncertain=9_000), 0)


def test_a_machine_that_slept_is_there_at_once() -> None:
    assert close(difference(DatabaseClock(), HOUR), HOUR)


def test_a_database_that_jumps_back_is_followed_slowly() -> None:
    assert close(difference(DatabaseClock(), -HOUR), -STEP)
