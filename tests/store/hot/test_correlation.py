"""What is known by heart, within bounds."""

from __future__ import annotations

from todoke.model.event import Event, Kind
from todoke.store.hot.correlation import Correlation


def test_a_message_is_known_once() -> None:
    known = Correlation()
    known.add(1, 7, ["a", "b"], [10, 11])
    assert known.pop(1, "a") == (10, 7)
    assert known.pop(1, "a") is None
    assert known.pop(2, "b") is None
    assert known.pop(1, "b") == (11, 7)


def test_the_latest_bearer_of_an_id_counts_and_the_older_is_forgotten() -> None:
    known = Correlation()
    known.add(1, 7, ["a"], [10])
    known.add(1, 8, ["a"], [20])
    assert known.pop(1, "a") == (20, 8)
    assert known.pop(1, "a") is None


def test_hours_and_providers_are_kept_apart() -> None:
    known = Correlation()
    known.add(1, 7, ["a"], [10])
    known.add(2, 7, ["a"], [30])
    known.add(1, 8, ["b"], [20])
    known.add(1, 7, ["c"], [40])
    assert known.pop(1, "a") == (10, 7)
    assert known.pop(2, "a") == (30, 7)
    assert known.pop(1, "b") == (20, 8)
    assert known.pop(1, "c") == (40, 7)


def test_the_oldest_go_when_there_are_too_many() -> None:
    known = Correlation(limit=1000)
    for n in range(0, 5000, 50):
        known.add(1, 7, [f"p{i}" for i in range(n, n + 50)], list(range(n, n + 50)))
    assert known.pop(1, "p0") is None
    assert known.pop(1, "p4999") == (4999, 7)
    left = sum(known.pop(1, f"p{i}") is not None for i in range(5000))
    assert 500 <= left < 1000


def test_events_and_doubt_make_it_forget() -> None:
    known = Correlation()
    known.add(1, 7, ["a", "b", "c"], [10, 11, 12])
    known.forget([Event(10, 1, 0, Kind.ACCEPTED, 0, 1, 1, "a"), Event(11, 1, 0, Kind.DELIVERED, 0, 1, 1, "b")])
    assert known.pop(1, "a") is None
    assert known.pop(1, "b") == (11, 7)
    known.clear()
    assert known.pop(1, "c") is None
