"""Hours by phone type: what holds for a number of a known type, of an unknown one, and where nothing is declared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.compliance.hours import Hours, by_phone_type, hours_of
from todoke.compliance.rulebook import standard
from todoke.compliance.windows import Opening, closes_at, is_open, opening, opens_at
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, from_datetime
from todoke.model.declared_hours import DeclaredHours
from todoke.sms.phone_type import named

PLACES = ("US-NY America/New_York",)
NOON = from_datetime(datetime(2026, 6, 8, 16, tzinfo=UTC))  # a Monday, in New York
DAY = 24 * HOUR
ALL_DAY = Window(0, WHOLE_DAY)
WORK, HOME = "mon-fri 09:00-17:00", "sat-sun 10:00-18:00"
UNIT: dict[str, Any] = {"unit_rules": "none", "unit_phones": (("Home phone", HOME), ("Work phone", WORK))}

schedules = st.sampled_from(["09:00-17:00", "mon-fri 08:00-12:00", "sat-sun 10:00-18:00", "00:00-24:00", "18:00-23:00"])
names = st.sampled_from(["Work phone", "Home phone", "PhoneNumber", "Other"])
phones = st.dictionaries(names, schedules, max_size=3).map(lambda found: tuple(sorted(found.items())))
moments = st.integers(NOON - 7 * DAY, NOON + 7 * DAY)
zones = st.sampled_from([PLACES, ("JP Asia/Tokyo",), ("US-NY America/New_York", "US-CA America/Los_Angeles"), ()])
types = st.lists(names, max_size=2, unique=True).map(tuple)


def hours(**declared: Any) -> Hours:
    return hours_of(DeclaredHours(**declared), ALL_DAY, standard())


def at(*phone_type: str) -> tuple[str, ...]:
    return named(PLACES, phone_type)


def test_each_phone_type_has_its_hours() -> None:
    of = hours(**UNIT)
    assert is_open(of, at("Work phone"), NOON)
    assert not is_open(of, at("Home phone"), NOON)
    assert opens_at(of, at("Home phone"), NOON) == NOON + 5 * DAY - 2 * HOUR  # ten on Saturday
    assert closes_at(of, at("Work phone"), NOON) == NOON + 5 * HOUR


def test_a_phone_type_of_which_nothing_is_said_has_no_hours_of_its_own() -> None:
    assert opening(hours(**UNIT), at("SMSPhoneNumber"), NOON) == Opening(NOON, None)
    assert is_open(hours(**UNIT), named((), ("SMSPhoneNumber",)), NOON)  # nothing restricts, wherever it is
    assert not is_open(hours(**UNIT), named((), ("Work phone",)), NOON)


def test_without_a_known_phone_type_the_hours_of_all_must_be_open() -> None:
    assert opens_at(hours(**UNIT), PLACES, NOON) is None  # these two never are together
    overlap = hours(unit_rules="none", unit_phones=(("Home phone", "11:00-20:00"), ("Work phone", WORK)))
    assert is_open(overlap, PLACES, NOON)
    assert closes_at(overlap, PLACES, NOON) == NOON + 5 * HOUR
    assert opens_at(overlap, PLACES, NOON + 5 * HOUR) == NOON + DAY - HOUR


@pytest.mark.parametrize("written", ["work_phone", "Work Phone", "WORK-PHONE", "workPhone", "Ｗｏｒｋ phone"])
def test_letter_case_width_and_separators_do_not_count(written: str) -> None:
    assert not is_open(hours(**UNIT), at(written), NOON + 6 * HOUR)
    assert is_open(hours(**UNIT), at(written), NOON)


def test_field_and_header_both_name_it_and_the_strictest_holds() -> None:
    phones = (("PhoneNumber", "08:00-20:00"), ("Work phone", "mon-fri 11:00-13:00"))
    of = hours(unit_rules="none", unit_phones=phones)
    assert closes_at(of, at("PhoneNumber", "Work phone"), NOON) == NOON + HOUR
    assert closes_at(of, at("PhoneNumber", "Office"), NOON) == NOON + 8 * HOUR


def test_the_skill_may_only_take_away() -> None:
    of = hours(**UNIT, skill_phones=(("work phone", "12:30-23:00"),))
    assert opens_at(of, at("Work phone"), NOON) == NOON + HOUR // 2
    assert closes_at(of, at("Work phone"), NOON + HOUR) == NOON + 5 * HOUR


def test_holidays_are_the_units_and_what_cannot_be_read_is_never_open() -> None:
    phones = (("Work phone", "00:00-24:00; holidays 14:00-15:00"),)
    of = hours(
        unit="00:00-24:00; holidays 00:00-24:00", holidays=("2026-06-08",), unit_rules="none", unit_phones=phones
    )
    assert opens_at(of, at("Work phone"), NOON) == NOON + 2 * HOUR
    gone = hours(holidays=("ZZ",), unit_rules="none", unit_phones=phones)
    assert opens_at(gone, at("Work phone"), NOON) is None
    broken = hours(unit_rules="none", unit_phones=(("Work phone", "at noon"),))
    assert opens_at(broken, at("Work phone"), NOON) is None
    assert is_open(broken, at("Home phone"), NOON)


@given(phones, phones, types, zones, moments)
def test_what_holds_is_what_each_declaration_says(unit, skill, phone_type, places, now) -> None:
    """Open just where the hours without phone types are, and every declared one that counts, each by itself."""
    plain = hours(unit="07:00-22:00")
    of = hours(unit="07:00-22:00", unit_phones=unit, skill_phones=skill)
    each = [
        Hours((one.schedule,))
        for one in by_phone_type(DeclaredHours(unit_phones=unit, skill_phones=skill), standard())
        if not phone_type or one.name in phone_type  # these names are written in one way
    ]
    expected = is_open(plain, places, now) and all(is_open(alone, places, now) for alone in each)
    assert is_open(of, named(places, phone_type), now) == expected
    found = opening(of, named(places, phone_type), now)
    without = opening(plain, places, now)
    assert found is None or (without is not None and without.opens <= found.opens)


@given(types, zones, moments, st.sampled_from([None, "mon-fri 09:00-17:00"]), st.sampled_from(["auto", "none"]))
def test_where_nothing_is_declared_the_phone_type_changes_nothing(phone_type, places, now, unit, rules) -> None:
    of = hours(unit=unit, unit_rules=rules)
    assert opening(of, named(places, phone_type), now) == opening(of, places, now)
    assert of.of_number(phone_type) is of


@given(phones, phones, zones, moments, types)
def test_who_is_not_known_is_never_freer_than_anybody(unit, skill, places, now, phone_type) -> None:
    of = hours(unit="07:00-22:00", unit_phones=unit, skill_phones=skill)
    if is_open(of, places, now):
        assert is_open(of, named(places, phone_type), now)
