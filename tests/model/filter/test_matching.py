"""What a filter means: each rule by an example."""

from __future__ import annotations

from datetime import date

import pytest

from todoke.model.filter import Record, matches, read, resolved

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("value", "text", "wanted"),
    [
        ("fl", 'A = "FL"', True),  # letters, not their case
        ("ÄRGER", 'A = "ärger"', True),
        ("straße", 'A = "STRASSE"', False),  # a letter is one letter
        ("FL ", 'A = "FL"', False),  # nothing is cut off
        ("", 'A = ""', True),
        ("", 'A != "FL"', True),  # what is empty is not FL
        ("Los Angeles", 'A contains "ANG"', True),
        ("90210", 'A starts with "90"', True),
        ("10", "A = 10", True),
        ("10.0", "A = 10", True),
        ("+1,234.50", "A = 1234.5", True),
        ("1,23", "A > 0", False),  # no number: no match, and no error
        ("ten", "A < 100", False),
        ("ten", "not (A < 100)", True),
        ("", "A >= 0", False),
        ("9", 'A > "10"', True),  # as texts
        ("9", "A > 10", False),
        ("0.1234567", "A = 0.123456", True),  # six decimals count
        ("2026-11-27", "A = today", True),
        ("2026-11-27T23:59:59Z", "A = today", True),
        ("2026-11-26 10:00", "A before today", True),
        ("2026-11-27", "A before 2026-11-27T00:01", True),  # a date alone is its midnight
        ("27.11.2026", "A before today + 999", False),  # not in that form: no match
        ("2026-12-04", "A within 7 days", True),
        ("2026-12-05", "A within 7 days", False),
        ("2026-11-20", "A within last 7 days", True),
        ("b", 'A in ("A", "B")', True),
        ("5", "A not in (4, 6)", True),
        ("x", "B is empty", True),  # a field that is not there
    ],
)
def test_a_value(value: str, text: str, wanted: bool) -> None:
    assert matches(resolved(read(text), TODAY), Record({"A": value})) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('@number starts with "1212"', True),
        ('@external_id = "E-1"', True),
        ('@zone = "america/chicago"', True),
        ('@zone = "US-FL"', True),  # a word of a place
        ('@zone != "America/Chicago"', False),
        ("@zone is empty", False),
    ],
)
def test_what_todoke_knows(text: str, wanted: bool) -> None:
    record = Record({}, "12125550100", "e-1", ["America/New_York", "US-FL America/Chicago"])
    assert matches(read(text), record) is wanted


def test_no_zone_is_an_empty_one() -> None:
    assert matches(read("@zone is empty"), Record({}))


def test_the_phone_type_is_no_zone() -> None:
    """A set of places names it behind them."""
    assert matches(read("@zone is empty"), Record({}, zones=("@PhoneNumber", "@Work phone")))
    at_work = Record({}, zones=("US-FL America/New_York", "@PhoneNumber", "@Work phone"))
    assert matches(read('@zone = "US-FL"'), at_work)
    for wanted in ('@zone contains "Work"', '@zone = "@PhoneNumber"', '@zone = "phone"', "@zone is empty"):
        assert not matches(read(wanted), at_work), wanted
