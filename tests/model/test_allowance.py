"""Limits nest: whatever is asked for, in whatever order, no window of a second has more than any limit allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.model.allowance import CELL, GUARD, LATE, SHARED, Allowance, Grant, Wish, grant, rules_of
from todoke.model.clock import HOUR, SECOND
from todoke.model.limit import Limit, LimitKey, LimitKind, day_of
from todoke.store.hot import allotting

START = 1_750_000_000 * SECOND
HORIZON = 3 * SECOND // 10


class Code:
    """A lane as the limits see it: its own pace, and where its next slot is."""

    def __init__(self, rate: float, limits: Sequence[Limit], burst: int = 1) -> None:
        shared = min((limit.rate for limit in limits if limit.rate), default=1e9)
        self.interval = SECOND / min(rate * 0.97, shared * SHARED)
        self.limits = limits
        self.burst = burst
        self.next_slot = 0

    def ask(self, now: int, sizes: Sequence[int], books: dict[Limit, Allowance]) -> tuple[Grant, list[int]]:
        first = max(self.next_slot, now - int((self.burst - 1) * self.interval))
        wish = Wish(first, self.interval, now, now + HORIZON, sizes)
        given = grant(wish, [(limit, books[limit]) for limit in self.limits], now)
        slots = [given.first + int(i * self.interval) for i in range(given.segments)]
        if given.segments:
            self.next_slot = given.first + round(given.segments * self.interval)
        return given, [max(given.floor, slot) for slot in slots]


def most_in_a_second(times: Sequence[int]) -> int:
    ordered = sorted(times)
    most = start = 0
    for end, moment in enumerate(ordered):
        while ordered[start] <= moment - SECOND:
            start += 1
        most = max(most, end - start + 1)
    return most


def key(number: int, kind: LimitKind = LimitKind.UNIT) -> LimitKey:
    return LimitKey(3, kind, number)


asks = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 400_000), st.lists(st.integers(1, 4), min_size=1, max_size=12)),
    min_size=5,
    max_size=60,
)


@settings(max_examples=40)
@given(
    rates=st.lists(st.sampled_from([1.0, 2.0, 3.0, 10.0, 25.0, 80.0]), min_size=1, max_size=3),
    codes=st.lists(
        st.tuples(st.sampled_from([1.0, 3.0, 10.0, 50.0, 400.0]), st.integers(1, 7), st.sampled_from([1, 1, 5])),
        min_size=1,
        max_size=6,
    ),
    asks=asks,
    seed=st.integers(0, 1_000),
)
def test_no_window_of_a_second_exceeds_any_limit(rates, codes, asks, seed) -> None:  # type: ignore[no-untyped-def]
    """Slow codes with long texts and fast ones, each under some of the limits; written up to 30 ms late."""
    random = Random(seed)
    limits = [Limit(key(number), rate=rate) for number, rate in enumerate(rates)]
    books = {limit: Allowance() for limit in limits}
    lanes = [
        Code(rate, [limit for n, limit in enumerate(limits) if mask >> n & 1] or limits[:1], burst)
        for rate, mask, burst in codes
    ]
    written: dict[Limit, list[int]] = {limit: [] for limit in limits}
    now = START
    for number, passed, sizes in asks:
        now += passed
        lane = lanes[number % len(lanes)]
        given, slots = lane.ask(now, sizes, books)
        assert given.segments == sum(sizes[: given.messages])
        assert given.messages or given.again_at >= now
        assert not slots or now <= slots[0] <= now + HORIZON
        assert slots == sorted(slots)
        times = [slot + random.randrange(int(LATE * SECOND)) for slot in slots]
        for limit in lane.limits:
            written[limit] += times
    for limit, times in written.items():
        assert most_in_a_second(times) <= math.ceil(limit.rate or 0)


@pytest.mark.parametrize("rate", [0.5, 1.5, 10, 100])
@pytest.mark.parametrize("codes", [1, 2, 9])
def test_what_a_limit_allows_is_used(rate: float, codes: int) -> None:
    """All that is allowed but a few percent, whether one fast code uses it or nine share it; and evenly."""
    limit = Limit(key(1), rate=rate)
    books = {limit: Allowance()}
    lanes = [Code(rate * 2 / codes if codes > 1 else rate * 2, [limit]) for _ in range(codes)]
    slots: list[int] = []
    of_lane = [0] * codes
    seconds = max(10, int(10 / rate))
    for step in range(seconds * 20):
        now = START + step * SECOND // 20
        # As in a flush: who has had no slot for longest comes first.
        for number in sorted(range(codes), key=lambda each: lanes[each].next_slot):
            _, new = lanes[number].ask(now, [1] * (int(rate) + 1), books)
            slots += new
            of_lane[number] += len(new)
    used = sum(1 for slot in slots if slot < START + seconds * SECOND)
    assert used >= 0.9 * rate * seconds
    assert most_in_a_second(slots) <= math.ceil(rate)
    if rate >= 7:
        assert max(of_lane) <= 2.5 * min(of_lane)


def test_a_code_alone_never_meets_its_limit_but_by_its_pace() -> None:
    limit = Limit(key(1), rate=100)
    books = {limit: Allowance()}
    lane = Code(500, [limit])
    first, slots = lane.ask(START, [1] * 29, books)
    assert first.messages == 29
    assert [slot - START for slot in slots[:3]] == [0, 10_416, 20_833]


def test_a_slow_code_with_a_long_text_leaves_the_rest_to_others() -> None:
    """Three segments on a code of one a second lie two seconds ahead; they take three of the limit, no more."""
    limit = Limit(key(1), rate=10)
    books = {limit: Allowance()}
    slow, fast = Code(1, [limit]), Code(100, [limit])
    given, slots = slow.ask(START, [3], books)
    assert given.segments == 3
    times = list(slots)
    for step in range(60):
        times += fast.ask(START + step * SECOND // 20, [1] * 10, books)[1]
    in_time = [at for at in times if at < START + 3 * SECOND]
    assert 26 <= len(in_time) <= 30
    assert most_in_a_second(times) <= 10


def test_a_message_has_all_of_its_slots_or_none() -> None:
    limit = Limit(key(1), rate=5)
    books = {limit: Allowance()}
    given, _ = Code(100, [limit]).ask(START, [3, 1], books)
    assert (given.messages, given.segments) == (1, 3)
    before = list(books[limit].counts)
    refused, _ = Code(100, [limit]).ask(START, [3], books)
    assert refused.messages == 0
    assert refused.again_at > START
    assert [count for count in books[limit].counts if count] == [count for count in before if count]


def test_a_limit_that_is_used_up_says_when_to_ask_again() -> None:
    limit = Limit(key(1), rate=10)
    books = {limit: Allowance()}
    for _ in range(10):
        Code(10, [limit]).ask(START, [1], books)
    lane = Code(10, [limit])
    refused, _ = lane.ask(START + 500_000, [1], books)
    assert refused.messages == 0
    assert START + 500_000 < refused.again_at <= START + SECOND + 100_000
    given, slots = lane.ask(refused.again_at, [1], books)
    assert given.messages == 1
    assert slots[0] >= START + SECOND


# ------------------------------------------------------------------ days


def cap(most: int, zone: str = "UTC", number: int = 1) -> Limit:
    return Limit(key(number, LimitKind.BRAND), cap=most, zone=zone)


def test_a_cap_stops_at_exactly_the_cap_and_goes_on_with_the_next_day() -> None:
    limit = cap(25)
    books = {limit: Allowance()}
    lane = Code(100, [limit])
    now, sent, asked = START, 0, 0
    while True:
        given, _ = lane.ask(now, [1] * 10, books)
        asked += 1
        if not given.messages:
            break
        sent += given.segments
        now += SECOND // 10
    assert sent == 25
    assert asked == 4
    day = day_of("UTC", START)
    assert given.again_at == day.end + GUARD
    given, slots = lane.ask(given.again_at, [1] * 10, books)
    assert given.messages == 10
    assert slots[0] >= day.end


def test_caps_of_several_zones_hold_at_once() -> None:
    """Each counts by its own day."""
    limits = [cap(10, "UTC", 1), cap(12, "Asia/Tokyo", 2)]
    books = {limit: Allowance() for limit in limits}
    lane = Code(100, limits)
    now, end = START, START + 49 * HOUR
    written: list[int] = []
    while now < end:
        given, slots = lane.ask(now, [1] * 3, books)
        written += slots
        now = given.again_at if not given.messages else now + 50_000
    for limit in limits:
        by_day: dict[int, int] = {}
        for slot in written:
            number = day_of(limit.zone, slot).number
            by_day[number] = by_day.get(number, 0) + 1
        assert max(by_day.values()) <= (limit.cap or 0)
    assert len(written) >= 20


@given(ahead=st.integers(-3 * SECOND, 3 * SECOND), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=20))
def test_nothing_is_laid_near_the_turn_of_a_day(ahead: int, sizes: list[int]) -> None:
    limit = cap(1_000)
    day = day_of("UTC", START)
    lane = Code(2, [limit])
    given, slots = lane.ask(day.end - ahead, sizes, {limit: Allowance()})
    assert all(abs(slot - day.end) >= GUARD for slot in slots)
    assert len({day_of("UTC", slot).number for slot in slots}) <= 1
    assert given.messages or given.again_at


def test_what_is_given_back_may_be_used_again_on_its_own_day_only() -> None:
    limit = cap(10)
    book = Allowance()
    lane = Code(100, [limit])
    lane.ask(START, [1] * 10, {limit: book})
    number = day_of("UTC", START).number
    book.give_back(number - 1, 5)
    assert lane.ask(START + SECOND, [1] * 10, {limit: book})[0].messages == 0
    book.give_back(number, 3)
    assert lane.ask(START + SECOND, [1] * 10, {limit: book})[0].messages == 3
    assert book.used == 10


def test_a_day_that_is_over_for_somebody_else_gets_no_more() -> None:
    """The clocks of two engines differ a little."""
    limit = cap(10)
    day = day_of("UTC", START)
    book = Allowance(day=day.number + 1, used=1)
    given, _ = Code(100, [limit]).ask(START, [1], {limit: book})
    assert given.messages == 0
    assert book.used == 1


# ------------------------------------------------------------------ the row


@given(cells=st.lists(st.tuples(st.integers(-50, 300), st.integers(1, 9)), max_size=40), at=st.integers(-60, 400))
def test_room_is_what_the_fullest_window_leaves(cells, at) -> None:  # type: ignore[no-untyped-def]
    book = Allowance(1_000 - 60 - 104)
    plain: dict[int, int] = {}
    for cell, count in cells:
        book.add(1_000 + cell, count)
        plain[1_000 + cell] = plain.get(1_000 + cell, 0) + count
    rule = rules_of(40)[0]
    cell = 1_000 + at
    windows = range(cell - rule.span + 1, cell + 1)
    fullest = max(sum(plain.get(c, 0) for c in range(first, first + rule.span)) for first in windows)
    assert book.room(cell, rule) == rule.most - fullest
    if fullest >= rule.most:
        beyond = book.beyond(cell, rule)
        assert beyond > cell
        assert beyond <= cell + 1_000
        assert all(book.room(between, rule) <= 0 for between in range(cell, min(beyond, cell + 300)))


def test_what_no_window_reaches_is_forgotten_and_the_row_stays_small() -> None:
    limit = Limit(key(1), rate=100)
    book = Allowance()
    lane = Code(200, [limit])
    for step in range(400):
        lane.ask(START + step * SECOND // 20, [1] * 10, {limit: book})
    assert len(book.counts) < 300
    row = allotting.write({limit.key: book})
    again = allotting.read(row)[limit.key]
    assert (again.first, again.counts) == (book.first, book.counts)
    behind = Code(200, [limit]).ask(START, [1], {limit: book})[0]
    assert behind.messages == 0  # its clock is twenty seconds behind: what it would need is forgotten
    book.forget(START + HOUR, 104)
    assert not book.counts
    assert allotting.read(allotting.write({limit.key: book}))[limit.key].counts == []


def test_cells_are_a_hundredth_of_a_second() -> None:
    """The first rule's span rests on it."""
    assert CELL * 100 == SECOND
    assert rules_of(7)[0] == (7, 104)
    assert rules_of(0.5)[0] == (1, 204)
