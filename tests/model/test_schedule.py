"""Schedules and holidays, as a person writes them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.errors import Invalid
from todoke.model.holidays import WEEKDAYS, check, easter, in_year, is_holiday
from todoke.model.schedule import ALWAYS, NEVER, OPEN, Schedule, every_day, kept, parse

NINE_TO_FIVE = (Window(540, 1020),)
MONDAY = date(2026, 6, 8)


def week(text: str) -> list[str]:
    return [", ".join(map(str, ranges)) or "closed" for ranges in parse(text).week]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("08:00-21:00", ["08:00-21:00"] * 7),
        ("00-24", ["00:00-24:00"] * 7),
        ("mon-fri 09:00-20:00; sat 10:00-17:00; sun closed", ["09:00-20:00"] * 5 + ["10:00-17:00", "closed"]),
        ("mon-fri 9-17", ["09:00-17:00"] * 5 + ["closed"] * 2),
        ("Monday, Wed 9-17", ["09:00-17:00", "closed", "09:00-17:00"] + ["closed"] * 4),
        ("sat - mon 9-17", ["09:00-17:00"] + ["closed"] * 4 + ["09:00-17:00"] * 2),
        ("9-20; weekend closed", ["09:00-20:00"] * 5 + ["closed"] * 2),
        ("weekdays 9-12, 13-17; weekends 10-11", ["09:00-12:00, 13:00-17:00"] * 5 + ["10:00-11:00"] * 2),
        ("9-12, 11-13, 13-15", ["09:00-15:00"] * 7),
        ("mon 9-17\ntue closed", ["09:00-17:00"] + ["closed"] * 6),
        ("closed", ["closed"] * 7),
    ],
)
def test_forms(text: str, days: list[str]) -> None:
    assert week(text) == days


@pytest.mark.parametrize(
    "text",
    ["", ";", "mon", "mon 8", "8-7", "25-26", "foo 8-9", "mon-foo 8-9", "mon 8-9; mon 9-10", "8-9; 9-10", "mon-fri",
     "holidays", "holidays as foo; 8-9", "holidays closed; holidays as sun", "holidays as sun; holidays 8-9",
     "8-9 mon"],
)  # fmt: skip
def test_what_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Invalid) as said:
        parse(text)
    assert said.value.fix
    assert kept(text) in (None, "")


minutes = st.integers(0, WHOLE_DAY)
ranges = st.lists(minutes, max_size=6, unique=True).map(
    lambda edges: tuple(Window(*pair) for pair in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(
    st.builds(
        Schedule, st.tuples(*[ranges] * 7), st.none() | ranges, days=st.just(()), since=st.none(), until=st.none()
    )
)
def test_what_is_written_is_read_again(schedule: Schedule) -> None:
    assert parse(str(schedule)) == schedule


def test_holidays_have_hours_of_their_own() -> None:
    schedule = parse("mon-fri 9-17; sun 10-11; holidays as sunday")._replace(days=("06-08",))
    assert schedule.on(MONDAY) == (Window(600, 660),)
    assert schedule.on(MONDAY + timedelta(days=1)) == NINE_TO_FIVE
    assert parse("9-17; holidays closed")._replace(days=("2026-06-08",)).on(MONDAY) == ()
    assert parse("9-17")._replace(days=("06-08",)).on(MONDAY) == NINE_TO_FIVE


def test_outside_of_its_days_a_schedule_restricts_nothing() -> None:
    schedule = parse("9-17")._replace(since=MONDAY, until=MONDAY + timedelta(days=2))
    assert [schedule.on(MONDAY + timedelta(days=day)) == OPEN for day in (-1, 0, 1, 2)] == [True, False, False, True]


def test_always_and_never() -> None:
    assert (ALWAYS.always, NEVER.always, every_day(Window(0, 60)).always) == (True, False, False)
    assert (ALWAYS.never, NEVER.never, parse("holidays 9-10; mon closed").never) == (False, True, False)
    assert not parse("00-24; holidays closed").always


@pytest.mark.parametrize(
    ("text", "form"), [("", ""), ("  ", ""), ("9-17", "09:00-17:00"), ("closed", None), ("x", None)]
)
def test_a_contacts_own_window(text: str, form: str | None) -> None:
    assert kept(text) == form


# ------------------------------------------------------------------ holidays


@pytest.mark.parametrize(
    ("year", "day"), [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5)),
                      (2038, date(2038, 4, 25)), (2000, date(2000, 4, 23)), (1961, date(1961, 4, 2))],
)  # fmt: skip
def test_easter(year: int, day: date) -> None:
    assert easter(year) == day


@given(st.integers(1900, 2200))
def test_easter_is_a_sunday_in_spring(year: int) -> None:
    assert easter(year).weekday() == 6
    assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("12-25", {date(2027, 12, 25)}),
        ("12-25 observed", {date(2027, 12, 25), date(2027, 12, 24)}),
        ("12-25 moved", {date(2027, 12, 25), date(2027, 12, 27)}),
        ("07-04 observed", {date(2027, 7, 4), date(2027, 7, 5)}),
        ("nov thu 4", {date(2027, 11, 25)}),
        ("may mon last", {date(2027, 5, 31)}),
        ("feb mon 5", set()),
        ("02-29", set()),
        ("easter-2", {date(2027, 3, 26)}),
        ("easter", {date(2027, 3, 28)}),
        ("2027-03-05", {date(2027, 3, 5)}),
        ("2026-03-05", set()),
    ],
)
def test_rules_of_holidays(rule: str, days: set[date]) -> None:
    assert {day for day in in_year((check(rule),), 2027) if day.year == 2027} == days


def test_new_years_day_may_be_observed_in_the_year_before() -> None:
    assert date(2028, 1, 1).weekday() == 5
    assert is_holiday(("01-01 observed",), date(2027, 12, 31))


@pytest.mark.parametrize(
    "rule", ["", "25-12", "2026-13-01", "02-30", "nov xxx 1", "nov thu 6", "pentecost", "12-25 maybe"]
)
def test_what_is_no_holiday_says_how_to_write_one(rule: str) -> None:
    with pytest.raises(Invalid) as said:
        check(rule)
    assert said.value.fix


@given(st.sampled_from(WEEKDAYS), st.integers(1, 5), st.integers(2000, 2100))
def test_the_nth_weekday_is_that_weekday_in_that_week(weekday: str, which: int, year: int) -> None:
    for day in in_year((f"mar {weekday} {which}",), year):
        assert WEEKDAYS[day.weekday()] == weekday
        assert (day.day - 1) // 7 == which - 1
