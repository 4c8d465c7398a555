"""When a contact expires, as people write it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import from_datetime
from todoke.pipeline.intake.expiry import read_expiry

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")


def utc(*parts: int) -> int:
    return from_datetime(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", utc(2027, 2, 1, 5)),  # the whole day counts
        (" 2027/1/31 ", utc(2027, 2, 1, 5)),
        ("20270131", utc(2027, 2, 1, 5)),
        ("1/31/2027", utc(2027, 2, 1, 5)),
        ("31.01.2027", utc(2027, 2, 1, 5)),
        ("2027年1月31日", utc(2027, 2, 1, 5)),
        ("2027-01-31 18:00", utc(2027, 1, 31, 23)),
        ("1/31/2027 6:00 PM", utc(2027, 1, 31, 23)),
        ("1/31/2027 12:30 a.m.", utc(2027, 1, 31, 5, 30)),
        ("2027-01-31T18:00:05.123", utc(2027, 1, 31, 23, 0, 5)),
        ("2027-01-31T18:00:00Z", utc(2027, 1, 31, 18)),
        ("2027-01-31 18:00 +09:00", utc(2027, 1, 31, 9)),
        ("2027-01-31 18:00:00-0530", utc(2027, 1, 31, 23, 30)),
        ("2026-11-01 01:30", utc(2026, 11, 1, 5, 30)),  # occurs twice: the first one
        ("2026-03-08 02:30", utc(2026, 3, 8, 7, 30)),  # skipped: as much later
    ],
)
def test_moments_are_read_by_the_contacts_clock(text: str, moment: int) -> None:
    assert read_expiry(text, NEW_YORK) == moment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("soon", "no date"),
        ("", "no date"),
        ("2027-02-30", "calendar"),
        ("31/12/2027", "calendar"),
        ("2027-01-31 25:00", "time of day"),
        ("2027-01-31 13:00 PM", "time of day"),
        ("2027-01-31 noon", "which time"),
        ("2027-01-31 18:00 Moon", "no offset"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_expiry(text, NEW_YORK)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)))
def test_what_iso_writes_is_read(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert read_expiry(whole.isoformat(), TOKYO) == from_datetime(whole.replace(tzinfo=TOKYO).astimezone(UTC))
