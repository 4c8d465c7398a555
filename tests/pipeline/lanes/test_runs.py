"""A run as a lane sees it: when each zone may be texted, and where its cursors are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lanes.doubles import START, lane_run, open_run

from todoke.compliance.hours import hours_of
from todoke.compliance.rulebook import PackFile, read, standard
from todoke.compliance.windows import MARGIN, closes_at, opening
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, SECOND, from_datetime
from todoke.model.declared_hours import DeclaredHours
from todoke.model.run import RunState
from todoke.pipeline.lanes.runs import LONGEST_VALIDITY, MIXED
from todoke.sms.templates import TemplateError, UnknownField
from todoke.store.hot.base import Cursor

NO_RULES = DeclaredHours(unit_rules="none")
ZONES = [["America/New_York"], ["Asia/Tokyo"], ["Europe/Berlin", "Africa/Cairo"], [], ["Nowhere/Atlantis"]]


@given(
    steps=st.lists(st.tuples(st.integers(0, len(ZONES) - 1), st.integers(0, 30 * HOUR)), min_size=1, max_size=40),
    windows=st.lists(st.sampled_from([(480, 1260), (0, 1440), (0, 150), (1380, 1440)]), min_size=1, max_size=3),
    start=st.sampled_from([(2025, 6, 15), (2024, 3, 9), (2024, 11, 2), (2025, 4, 24)]),
)
def test_what_is_remembered_is_what_the_window_says(steps, windows, start) -> None:
    """Answers are kept until they change: asking again and again, later and later, gives what asking afresh does."""
    now = from_datetime(datetime(*start, tzinfo=UTC))
    run = lane_run(zone_sets=ZONES, window=windows[0])
    for count, (zone_set, passes) in enumerate(steps):
        now += passes
        window = windows[count * len(windows) // len(steps)]
        run.refresh(open_run(zone_sets=ZONES, window=window))
        found = opening(hours_of(NO_RULES, Window(*window), standard()), tuple(ZONES[zone_set]), now)
        assert run.opens_at(zone_set, now) == (None if found is None else found.opens)


def test_cursors_with_nothing_left_or_a_closed_zone_are_left_out() -> None:
    run = lane_run(
        zone_sets=[["America/New_York"], ["Asia/Tokyo"], []],
        window=(480, 1260),
        cursors=[Cursor(0, 0, 10, 9), Cursor(1, 0, 10, 19), Cursor(2, 1, 20, 29), Cursor(3, 2, 30, 39)],
    )
    assert [cursor.number for cursor in run.open_cursors(START)] == [1]
    run.refresh(open_run(zone_sets=run.data.zone_sets, window=(0, 1440), cursors=run.data.cursors))
    assert [cursor.number for cursor in run.open_cursors(START)] == [1, 2, 3]


def test_a_mixed_range_is_looked_at_contact_by_contact() -> None:
    run = lane_run(zone_sets=[[]], window=(480, 1260), cursors=[Cursor(0, MIXED, 0, 9)])
    assert [cursor.number for cursor in run.open_cursors(START)] == [0]


def test_a_cursor_never_goes_back() -> None:
    run = lane_run(cursors=[Cursor(0, 0, 0, 99)])
    run.moved(0, 50)
    run.moved(0, 20)
    assert run.open_cursors(START)[0].next_position == 50
    run.refresh(open_run(cursors=[Cursor(0, 0, 70, 99)]))  # another engine was there
    assert run.open_cursors(START)[0].next_position == 70
    run.moved(0, 100)
    assert run.open_cursors(START) == []


@pytest.mark.parametrize(
    ("state", "running", "stopping"),
    [
        (RunState.RUNNING, True, False),
        (RunState.PAUSED, False, False),
        (RunState.STOPPING, False, True),
        (RunState.STOPPED, False, True),
    ],
)
def test_states(state: RunState, running: bool, stopping: bool) -> None:
    run = lane_run(state=state)
    assert (run.running, run.stopping) == (running, stopping)


@pytest.mark.parametrize(("body", "error"), [("{", TemplateError), ("{Nobody}", UnknownField)])
def test_a_text_that_somebody_broke_is_said(body: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        lane_run(body=body)


def test_a_changed_window_counts_at_once() -> None:
    run = lane_run(window=(480, 1260))
    assert run.opens_at(0, START) == START
    run.refresh(open_run(window=(0, 60)))
    opens = run.opens_at(0, START + SECOND)
    assert opens is not None
    assert opens > START + 12 * HOUR


def test_a_zone_set_that_came_with_an_update_is_held_until_it_is_known() -> None:
    run = lane_run(zone_sets=[["America/New_York"]], window=(0, 1440))
    assert run.opens_at(3, START) == START + SECOND
    more = [["America/New_York"], [], ["Asia/Tokyo"], ["Europe/Berlin"]]
    run.refresh(open_run(zone_sets=more, window=(0, 1440)))
    assert run.opens_at(3, START + 30 * SECOND) == START + 30 * SECOND


def test_what_is_true_in_a_moment_is_not_taken_for_now() -> None:
    """Slots are laid ahead: a run is asked whether its window is open then, and right after, whether it is now."""
    window = Window(9 * 60, 21 * 60)
    found = opening(hours_of(NO_RULES, window, standard()), ("Asia/Tokyo",), START)
    opens = found.opens if found is not None else None  # some minutes after midnight there
    assert opens is not None
    run = lane_run(zone_sets=[["Asia/Tokyo"]], window=window)
    assert run.opens_at(0, opens + SECOND) == opens + SECOND
    assert run.opens_at(0, opens - SECOND) == opens
    assert run.opens_at(0, opens + SECOND) == opens + SECOND


# ------------------------------------------------------------------ hours of units and places, live


def test_the_hours_of_the_unit_and_the_rules_of_the_place_count_at_once() -> None:
    run = lane_run(zone_sets=[["US-FL America/New_York"], []])
    evening = START + 9 * HOUR + HOUR // 2  # half past eight in New York
    assert run.opens_at(0, evening) == evening
    assert run.opens_at(1, evening) == evening  # nothing restricts, so nobody need know where
    run.refresh(open_run(zone_sets=run.data.zone_sets, hours=DeclaredHours()))
    opens = run.opens_at(0, evening)
    assert opens is not None
    assert evening < opens <= evening + 12 * HOUR
    assert run.opens_at(1, evening) is None
    run.refresh(
        open_run(zone_sets=run.data.zone_sets, hours=DeclaredHours(unit="00-24; holidays closed", unit_rules="none"))
    )
    assert run.opens_at(0, evening) == evening
    run.refresh(open_run(zone_sets=run.data.zone_sets, hours=DeclaredHours(unit="06:00-06:10", unit_rules="none")))
    assert run.opens_at(0, evening) not in (None, evening)


def test_hours_by_phone_type_count_at_once_and_for_their_cursors_only() -> None:
    """At home and at work on a Sunday morning; the third set is of a list of before: its phone type is not known."""
    place = "US-NY America/New_York"
    sets = [[place, "@Home phone"], [place, "@PhoneNumber", "@Work phone"], [place]]
    run = lane_run(zone_sets=sets, cursors=[Cursor(n, n, 10 * n, 10 * n + 9) for n in range(3)])
    assert [cursor.number for cursor in run.open_cursors(START)] == [0, 1, 2]
    phones = (("Home phone", "sat-sun 10:00-18:00"), ("Work phone", "mon-fri 09:00-17:00"))
    declared = DeclaredHours(unit_rules="none", unit_phones=phones)
    run.refresh(open_run(zone_sets=sets, cursors=run.data.cursors, hours=declared))
    assert [cursor.number for cursor in run.open_cursors(START)] == [0]
    monday = run.opens_at(1, START)
    assert monday is not None
    assert START < monday < START + 24 * HOUR
    assert run.opens_at(2, START) is None
    assert run.valid_until(0, START) == closes_at(run.hours, tuple(sets[0]), START)
    stricter = declared._replace(skill_phones=(("home phone", "sat 10:00-18:00"),))
    run.refresh(open_run(zone_sets=sets, cursors=run.data.cursors, hours=stricter))
    assert run.open_cursors(START) == []
    run.refresh(open_run(zone_sets=sets, cursors=run.data.cursors, hours=DeclaredHours(unit_rules="none")))
    assert [cursor.number for cursor in run.open_cursors(START)] == [0, 1, 2]


def test_another_rulebook_counts_at_once() -> None:
    run = lane_run(zone_sets=[["DE Europe/Berlin"]], hours=DeclaredHours())
    assert run.opens_at(0, START) == START
    own = """version = "1"
[[jurisdiction]]
code = "DE"
name = "Germany"
hours = "mon-sat 08:00-09:00"
basis = "custom"
source = "a test"
"""
    run.refresh(run.data, read([PackFile("own.toml", own)]))
    assert run.opens_at(0, START) != START


def test_what_is_not_open_in_sight_is_looked_at_again_before_the_run_expires() -> None:
    zones = [["Asia/Tokyo", "America/New_York"]]
    long = lane_run(zone_sets=zones, window=(540, 1020), expires_at=START + 1000 * HOUR)
    assert long.opens_at(0, START) is None
    assert long.held_until(0, START) == START + 32 * 24 * HOUR
    short = lane_run(zone_sets=zones, window=(540, 1020), expires_at=START + 24 * HOUR)
    assert short.held_until(0, START) == START + 24 * HOUR


# ------------------------------------------------------------------ how long a carrier may try


def test_a_carrier_may_try_until_the_window_closes_or_the_run_expires() -> None:
    run = lane_run(window=(480, 1260))  # in New York it is about six past eleven
    closes = closes_at(run.hours, ("America/New_York",), START)
    assert closes is not None
    assert run.valid_until(0, START) == closes
    run.refresh(open_run(window=(480, 1260), expires_at=START + HOUR))
    assert run.valid_until(0, START) == START + HOUR


def test_an_end_that_is_far_away_is_not_told() -> None:
    run = lane_run(expires_at=START + 100 * HOUR)
    assert run.valid_until(0, START) == 0
    assert run.valid_until(0, START + 100 * HOUR - LONGEST_VALIDITY - 1) == 0
    assert run.valid_until(0, START + 100 * HOUR - LONGEST_VALIDITY) == START + 100 * HOUR


@given(st.integers(0, 48 * HOUR), st.sampled_from([(480, 1260), (0, 1440), (0, 90)]), st.sampled_from([3, 24, 80, 400]))
def test_it_is_never_after_the_window_and_leaves_more_than_the_margin(passed, window, expiry) -> None:
    run = lane_run(window=window, expires_at=START + expiry * HOUR)
    now = START + passed
    if run.opens_at(0, now) != now:
        return
    closes = closes_at(run.hours, ("America/New_York",), now)
    ends = min(run.data.expires_at, closes) if closes is not None else run.data.expires_at
    assert run.valid_until(0, now) == (ends if ends - now <= LONGEST_VALIDITY else 0)
    assert closes is None or closes - now > MARGIN
