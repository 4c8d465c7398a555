"""The days by which daily caps count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import HOUR, from_datetime
from todoke.model.limit import CAP_ZONE, day_of


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "moment", "start", "hours"),
    [
        ("UTC", "2026-11-27T12:00", "2026-11-27T00:00", 24),
        (CAP_ZONE, "2026-11-27T07:59", "2026-11-26T08:00", 24),
        (CAP_ZONE, "2026-11-27T08:00", "2026-11-27T08:00", 24),
        (CAP_ZONE, "2026-03-08T12:00", "2026-03-08T08:00", 23),  # the clock goes forward
        (CAP_ZONE, "2026-11-01T12:00", "2026-11-01T07:00", 25),  # and back
        ("Asia/Tokyo", "2026-11-27T15:00", "2026-11-27T15:00", 24),
    ],
)
def test_a_day_begins_at_midnight_there(zone: str, moment: str, start: str, hours: int) -> None:
    day = day_of(zone, at(moment))
    assert (day.start, day.end) == (at(start), at(start) + hours * HOUR)


@given(zone=st.sampled_from(["UTC", CAP_ZONE, "Asia/Kolkata", "Pacific/Apia"]), moment=st.integers(0, 4 * 10**15))
def test_every_moment_is_in_one_day(zone: str, moment: int) -> None:
    day = day_of(zone, moment)
    assert day.has(moment)
    assert day_of(zone, day.end).number == day.number + 1 or zone == "Pacific/Apia"  # it left out a day in 2011
    assert day_of(zone, day.start) == day
