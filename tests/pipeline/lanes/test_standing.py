"""Standing runs in a lane: asked only when something is due, their messages expire, their zones grow."""

from __future__ import annotations

from tests.pipeline.lanes.doubles import CODE, START, contact, lane_run, open_run

from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Kind
from todoke.model.stream import Stream
from todoke.pipeline.lanes import leasing
from todoke.pipeline.lanes.composing import compose_due
from todoke.store.hot.base import DueTaken, Lane

STANDING = {
    "body": "{Text}",
    "fields": ["Text", "ExpiresAt"],
    "zone_sets": [[]],
    "stream": Stream.ANSWER,
    "standing": True,
    "cursors": [],
}
LANE = Lane(3, CODE, 5, "72345", "short", 100.0, 1, START)


def taken(position: int) -> DueTaken:
    run = lane_run(**STANDING)
    return DueTaken(3, run.base_id + position, 0, run.data.id, CODE, "", None)


def test_a_standing_run_is_asked_only_when_something_is_due() -> None:
    waiting = lane_run(**STANDING)
    soon = lane_run(**STANDING, due_at=START + SECOND)
    for run, now, asked in ((waiting, START, False), (soon, START, False), (soon, START + SECOND, True)):
        lease = leasing.lease(LANE, [run], 0, lambda _: 0, now)
        assert (lease is not None) is asked
        if lease is not None:
            assert (list(lease.due), lease.cursors) == ([Stream.ANSWER], [])


def test_a_run_that_waits_takes_no_turn_from_others() -> None:
    bulk = lane_run()
    lease = leasing.lease(LANE, [lane_run(**STANDING), bulk], 0, lambda _: 0, START)
    assert lease is not None
    assert list(lease.due) == [Stream.BULK]


def test_what_is_too_old_is_expired_when_it_is_composed() -> None:
    run = lane_run(**STANDING)
    pairs = [(taken(n), contact(n, f"text {n}", str(START + n))) for n in range(3)]
    batch = compose_due(run, pairs, START + 1)
    assert [(e.message_id, e.kind, e.reason) for e in batch.events] == [
        (run.base_id + n, Kind.EXPIRED, "expired") for n in (0, 1)
    ]
    (message,) = batch.messages
    assert (message.expires_at, message.expired(START + 1), message.expired(START + 2)) == (START + 2, False, True)


def test_what_waits_for_its_window_waits_no_longer_than_it_lives() -> None:
    changes = {"zone_sets": [["America/New_York"], []], "stream": Stream.TRANSACTIONAL}
    run = lane_run(**{**STANDING, **changes}, window=(0, 1))
    lives = START + HOUR
    batch = compose_due(run, [(taken(n), contact(n, "text", str(lives), zone_set=n)) for n in range(2)], START)
    assert [row.not_before for row in batch.due] == [lives, lives]


def test_an_answer_goes_at_any_hour() -> None:
    run = lane_run(**{**STANDING, "zone_sets": [["America/New_York"], []]}, window=(0, 1))
    batch = compose_due(run, [(taken(n), contact(n, "text", str(START + HOUR), zone_set=n)) for n in range(2)], START)
    assert len(batch.messages) == 2


def test_zones_that_came_since_the_last_look_are_waited_for() -> None:
    run = lane_run(**STANDING, window=(0, 1440))
    batch = compose_due(run, [(taken(0), contact(0, "text", str(START + HOUR), zone_set=1))], START)
    assert [row.not_before for row in batch.due] == [START + SECOND]
    run.refresh(open_run(**{**STANDING, "zone_sets": [[], ["Asia/Tokyo"]]}))
    batch = compose_due(run, [(taken(0), contact(0, "text", str(START + HOUR), zone_set=1))], START)
    assert len(batch.messages) == 1
