"""Who would be texted, and why the others would not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.compliance.foresight import Foresight
from todoke.compliance.hours import Hours
from todoke.compliance.windows import opens_at
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, Micros, from_datetime
from todoke.model.contact import ERASED_DESTINATION
from todoke.model.schedule import every_day
from todoke.store.hot.base import Held

HOURS = Hours((every_day(Window(480, 1260)),))
NOON = from_datetime(datetime(2026, 6, 8, 16, tzinfo=UTC))  # a Monday, in New York
ENDS = NOON + 24 * HOUR
PLACES = [("US-NY America/New_York",), ("JP Asia/Tokyo",), ()]
NEW_YORK, TOKYO, NOWHERE = range(3)
OPENS_IN_TOKYO = NOON + 7 * HOUR
PHONE = 12025550143


def look(*, ends: Micros = ENDS, one_by_one: bool = False) -> Foresight:
    return Foresight(HOURS, PLACES, NOON, ends, one_by_one=one_by_one)


CASES = [
    (NEW_YORK, None, None, "", ""),
    (TOKYO, None, None, "", "window"),
    (NOWHERE, None, None, "expired", ""),
    (NEW_YORK, NOON, None, "contact_expired", ""),
    (TOKYO, OPENS_IN_TOKYO, None, "contact_expired", ""),
    (TOKYO, OPENS_IN_TOKYO + 1, None, "", "window"),
    (NEW_YORK, None, "no_consent", "no_consent", ""),
    (NEW_YORK, None, Held(ENDS, "suppressed"), "suppressed", ""),
    (NEW_YORK, None, Held(ENDS - HOUR, "suppressed"), "", "suppressed"),
    (NEW_YORK, None, Held(NOON + 10 * HOUR, "cap"), "", "cap"),  # the window of the next day
    (NEW_YORK, NOON + 12 * HOUR, Held(NOON + 10 * HOUR, "cap"), "contact_expired", ""),
    (NEW_YORK, NOON + HOUR, Held(NOON + 2 * HOUR, "cap"), "cap", ""),
    (NOWHERE, None, "no_consent", "expired", ""),  # nobody comes to it
]


@pytest.mark.parametrize(("zone_set", "expires_at", "kept", "reason", "waits"), CASES)
def test_for_every_reason(
    zone_set: int, expires_at: Micros | None, kept: Held | str | None, reason: str, waits: str
) -> None:
    it = look()

    assert it.texts(PHONE, zone_set, expires_at, kept=kept) == (None if reason else waits)
    assert dict(it.skipped) == ({reason: 1} if reason else {})
    assert dict(it.waiting) == ({waits: 1} if waits else {})


def test_the_record_itself_comes_before_what_is_looked_up() -> None:
    it = look(one_by_one=True)

    assert it.texts(PHONE, NOWHERE, NOON, on_dnc=True, kept="no_consent") is None
    assert it.texts(0, NEW_YORK, NOON) is None
    assert it.texts(ERASED_DESTINATION, NEW_YORK, None) is None
    assert dict(it.skipped) == {"dnc": 1, "no_mobile": 1, "erased": 1}


def test_what_an_engine_never_looks_at_is_not_asked_for() -> None:
    assert [look().asks_of(PHONE, at) for at in (NEW_YORK, TOKYO, NOWHERE)] == [True, True, False]
    assert not look(ends=OPENS_IN_TOKYO).asks_of(PHONE, TOKYO)
    assert look(one_by_one=True).asks_of(PHONE, NOWHERE)
    assert not look().asks_of(0, NEW_YORK)


def test_places_that_are_newer_than_the_list_are_left_to_who_sends() -> None:
    assert look().texts(PHONE, len(PLACES), None) == ""


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60 * 24 * 3)), max_size=12))
def test_windows_that_are_known_already_are_the_same(asked: list[tuple[int, int]]) -> None:
    it = look(ends=NOON + 72 * HOUR)
    for zone_set, minutes in asked:
        until = NOON + minutes * 60_000_000
        opens = opens_at(HOURS, PLACES[zone_set], until)
        texted = opens is not None and opens < NOON + 72 * HOUR and until < NOON + 72 * HOUR
        last_minute = opens == until and opens_at(HOURS, PLACES[zone_set], until + 60_000_000) != until + 60_000_000
        if not last_minute:  # what is left of the window is too short then
            assert it.texts(PHONE, zone_set, None, kept=Held(until, "cap")) == (
                ("cap" if opens and opens > NOON else "") if texted else None
            )
