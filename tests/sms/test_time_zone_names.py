"""What people write into a time zone column."""

from __future__ import annotations

import zoneinfo

import pytest

from todoke.sms import time_zone_names
from todoke.sms.time_zone_names import read_zone


@pytest.mark.parametrize(
    ("text", "region", "zone"),
    [
        ("Asia/Tokyo", "JP", "Asia/Tokyo"),
        (" asia/tokyo ", "JP", "Asia/Tokyo"),
        ("America/New York", "US", "America/New_York"),
        ("EST", "US", "America/New_York"),
        ("edt", "US", "America/New_York"),
        ("Eastern", "US", "America/New_York"),
        ("US Pacific Time", "US", "America/Los_Angeles"),
        ("Mountain Standard Time", "US", "America/Denver"),
        ("US/Central", "US", "US/Central"),
        ("Hawaii", "US", "Pacific/Honolulu"),
        ("JST", "JP", "Asia/Tokyo"),
        ("CST", "US", "America/Chicago"),
        ("CST", "CN", "Asia/Shanghai"),
        ("IST", "IN", "Asia/Kolkata"),
        ("IST", "IE", "Europe/Dublin"),
        ("CET", "FR", "Europe/Paris"),
        ("UTC", "GB", "UTC"),
    ],
)
def test_names_that_are_known(text: str, region: str, zone: str) -> None:
    assert read_zone(text, region) == zone


@pytest.mark.parametrize(
    "text", ["IST", "Mars/Olympus", "+09:00", "UTC-5", "GMT+9", "Etc/GMT-9", "9", "here", "../etc/passwd", "EST5EDT"]
)
def test_what_is_no_zone_or_not_certain_is_none(text: str) -> None:
    assert read_zone(text, "US") is None


def test_every_zone_we_name_exists() -> None:
    zones: set[str] = set()
    for table in (
        time_zone_names._AMERICAN,
        time_zone_names._ABBREVIATIONS,
        time_zone_names._ELSEWHERE,
        time_zone_names._CENTRAL_EUROPEAN,
    ):
        zones.update(table.values())

    assert zones <= zoneinfo.available_timezones()
