from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from todoke.model import expiry
from todoke.model.clock import HOUR, from_datetime
from todoke.model.errors import Invalid

NOW = from_datetime(datetime(2026, 11, 27, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2027/1/31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2027-01-31T18:00Z", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31 18:00:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027/1/31 18:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31T18:00:00+09:00", datetime(2027, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_a_date_counts_to_its_end_and_a_moment_as_it_is(text: str, moment: datetime) -> None:
    assert expiry.parse(text, NOW) == from_datetime(moment)


def test_a_span_counts_from_now() -> None:
    assert expiry.parse("90d", NOW) == NOW + 90 * 24 * HOUR
    assert expiry.parse(" 24 hours ", NOW) == NOW + 24 * HOUR


@pytest.mark.parametrize(
    "text",
    ["", "soon", "31.01.2027", "01/02/2027", "2027-13-01", "2027-02-30", "2027-01/31", "20270131", "2027-W05", "-1d"],
)
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(Invalid, match="is no moment"):
        expiry.parse(text, NOW)


def test_what_names_no_offset_is_meant_in_the_zones_and_the_earliest_counts() -> None:
    zones = [ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")]
    assert expiry.moment("2027-01-31", zones) == from_datetime(datetime(2027, 2, 1, tzinfo=zones[1]))
    assert expiry.moment("2027-01-31 18:00", zones[:1]) == from_datetime(datetime(2027, 1, 31, 18, tzinfo=zones[0]))
    assert expiry.moment("2027-01-31T18:00Z", zones) == from_datetime(datetime(2027, 1, 31, 18, tzinfo=UTC))
    assert expiry.moment("90d", zones) is None, "a span is no moment"
