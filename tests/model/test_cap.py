from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.cap import Cap, free_at, parse
from todoke.model.clock import HOUR
from todoke.model.errors import Invalid

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "cap", "tidy"),
    [
        ("3 in 7 days", Cap(3, 7 * DAY), "3 in 7 days"),
        ("1 in 24 hours", Cap(1, DAY), "1 in 24 hours"),
        ("1 per day", Cap(1, DAY), "1 in 24 hours"),
        ("  2  PER 2 weeks ", Cap(2, 14 * DAY), "2 in 14 days"),
        ("1 in 1 hour", Cap(1, HOUR), "1 in 1 hour"),
        ("1 in 36 hours", Cap(1, 36 * HOUR), "1 in 36 hours"),
    ],
)
def test_a_cap_is_read_and_written(text: str, cap: Cap, tidy: str) -> None:
    assert parse(text) == cap
    assert str(cap) == tidy
    assert parse(tidy) == cap


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("three a week", "is not a frequency cap"),
        ("3 in 7", "is not a frequency cap"),
        ("3 in 7 minutes", "is not a frequency cap"),
        ("0 in 7 days", "allows 0 texts"),
        ("1001 in 7 days", "allows 1001 texts"),
        ("3 in 0 days", "must span an hour to 366 days"),
        ("3 in 53 weeks", "must span an hour to 366 days"),
    ],
)
def test_what_is_no_cap_is_told(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        parse(text)
    assert caught.value.fix is not None


caps = st.builds(Cap, st.integers(1, 5), st.integers(1, 50))


@given(caps, st.lists(st.integers(0, 200), max_size=40))
def test_no_window_ever_holds_more_than_the_cap(cap: Cap, wishes: list[int]) -> None:
    """Texts that go as soon as the cap lets them."""
    went: list[int] = []
    for wish in sorted(wishes):
        went.append(free_at(went, cap, wish))
    for start in went:
        assert sum(start <= at < start + cap.within for at in went) <= cap.most


@given(caps, st.lists(st.integers(0, 200), max_size=40), st.integers(0, 200))
def test_nothing_waits_longer_than_it_must(cap: Cap, uses: list[int], now: int) -> None:
    free = free_at(uses, cap, now)
    assert sum(at > free - cap.within for at in uses) < cap.most
    if free > now:
        assert sum(at > free - 1 - cap.within for at in uses) >= cap.most
