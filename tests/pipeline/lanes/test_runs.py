"""A run as a lane sees it: when each zone may be texted, and where its cursors are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lanes.doubles import START, lane_run, open_run

from todoke.compliance.windows import opens_at
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, SECOND, from_datetime
from todoke.model.run import RunState
from todoke.pipeline.lanes.runs import MIXED
from todoke.sms.templates import TemplateError, UnknownField
from todoke.store.hot.base import Cursor

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
        assert run.opens_at(zone_set, now) == opens_at(Window(*window), tuple(ZONES[zone_set]), now)


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
    opens = opens_at(window, ("Asia/Tokyo",), START)  # some minutes after midnight there
    assert opens is not None
    run = lane_run(zone_sets=[["Asia/Tokyo"]], window=window)
    assert run.opens_at(0, opens + SECOND) == opens + SECOND
    assert run.opens_at(0, opens - SECOND) == opens
    assert run.opens_at(0, opens + SECOND) == opens + SECOND
