"""What is used of a limit, and what may still be: slots that satisfy every limit at once. Pure.

A limit's rate is held exactly. Slots of slow codes lie far ahead (the third segment of a text on a code of one a second
goes two seconds after its first), those of fast codes do not; a single "next free moment" would count what lies ahead
as if it were now, and a window of a second could hold more than the limit when the mix changes. So an allowance
remembers how many segments each cell of 10 ms holds, ahead too, and no window that a carrier could lay over them has
more than the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from todoke.model.clock import SECOND, Micros
from todoke.model.limit import Limit, day_of

CELL: Micros = 10_000
SHARED = 0.96
"""Of a limit's rate: the pace of a single code under it. So spaced, its slots never meet the limit itself."""
LATE = 0.03
"""Seconds by which a segment may be written after its slot, see `pipeline/lanes/pace.py`."""
GUARD = SECOND
"""Nothing is laid so near to the turn of a day: what belongs to which day is never in question."""

_PATIENCE = 2 * SECOND  # how far beyond the horizon a free slot is looked for
_KEPT = 100  # cells: clocks of engines differ


class Rule(NamedTuple):
    """At most `most` segments in any `span` cells that follow each other."""

    most: int
    span: int


@lru_cache(256)
def rules_of(rate: float) -> tuple[Rule, ...]:
    """What a rate allows.

    The first rule is the limit: a window of a second reaches over 100 cells, one more that it begins in, and three in
    which what was late had its slots. A rate that is no whole number is held over the time of its whole part. The
    second keeps several fast codes from using up a second's allowance at its beginning.
    """
    most = max(1, math.floor(rate))
    limit = Rule(most, math.ceil((most / rate + LATE) * SECOND / CELL) + 1)
    return (limit,) if rate < 10 else (limit, Rule(math.ceil(rate / 8) + 1, 10))


@dataclass(slots=True)
class Allowance:
    """One limit's row. `counts[i]` segments have their slot in cell `first + i`; `used` segments on `day`.

    What was before `first` is forgotten: a window that reaches there may be full, so it counts as full. An engine whose
    clock is behind gets nothing rather than too much.
    """

    first: int = 0
    counts: list[int] = field(default_factory=list[int])
    day: int = 0
    used: int = 0

    def room(self, cell: int, rule: Rule) -> int:
        """How many more the cell takes, whatever window is laid over it."""
        counts, span = self.counts, rule.span
        at = cell - self.first
        if at < span - 1:
            return 0
        inside = worst = sum(counts[at - span + 1 : at + 1])
        for right in range(at + 1, min(len(counts), at + span)):
            inside += counts[right] - counts[right - span]
            worst = max(worst, inside)
        return rule.most - worst

    def beyond(self, cell: int, rule: Rule) -> int:
        """Where the next room may be after a cell that has none: between, some window is as full."""
        counts, span = self.counts, rule.span
        at = cell - self.first
        begins = at - span + 1
        if begins < 0:
            return self.first + span - 1
        inside = sum(counts[begins : at + 1])
        full = at
        for right in range(at + 1, min(len(counts), at + span)):
            inside += counts[right] - counts[right - span]
            if inside >= rule.most:
                full = right
        if full == at:  # the window that ends here; it loses its first segments when they are a span ago
            full = next((index for index in range(begins, len(counts)) if counts[index]), at) + span - 1
        return self.first + full + 1

    def add(self, cell: int, segments: int) -> None:
        """So many more have their slot there; fewer, if it is negative."""
        at = cell - self.first
        if at >= len(self.counts):
            self.counts.extend([0] * (at + 1 - len(self.counts)))
        self.counts[at] += segments

    def forget(self, now: Micros, span: int) -> None:
        """What no window from now on reaches."""
        gone = now // CELL - span - _KEPT - self.first
        if gone > 0:
            del self.counts[:gone]
            self.first += gone

    def left(self, cap: int, day: int) -> int:
        """Segments that the day may still have; none of a day that is over already for somebody else."""
        if day > self.day:
            self.day, self.used = day, 0
        return cap - self.used if day == self.day else 0

    def give_back(self, day: int, segments: int) -> None:
        """They were certainly not sent. Their slots are gone, but the day may have them again."""
        if day == self.day:
            self.used = max(0, self.used - segments)


class Wish(NamedTuple):
    """Slots that a lane would like: `interval` microseconds apart from `first` on, none before `floor`; for messages
    of so many segments each, in this order, that begin before `until`.
    """

    first: Micros
    interval: float
    floor: Micros
    until: Micros
    sizes: Sequence[int]

    def at(self, index: int) -> Micros:
        return max(self.floor, self.first + int(index * self.interval))

    def later(self, by: Micros) -> Wish:
        return self._replace(first=self.first + by, floor=self.floor + by)


class Grant(NamedTuple):
    """The first `messages` of the wish have `segments` slots as it says, from `first` on. None: ask again at
    `again_at`.
    """

    first: Micros
    floor: Micros
    messages: int
    segments: int
    again_at: Micros = 0


def grant(wish: Wish, limits: Sequence[tuple[Limit, Allowance]], now: Micros) -> Grant:
    """As many of the wish's messages as every limit allows, without a gap; a message has all of its slots or none.
    What is granted is booked in the allowances.
    """
    rated = [(allowance, rules_of(limit.rate)) for limit, allowance in limits if limit.rate is not None]
    for allowance, rules in rated:
        allowance.forget(now, max(rule.span for rule in rules))
    while True:
        first = wish.at(0)
        days = [
            (allowance, limit.cap, day_of(limit.zone, first)) for limit, allowance in limits if limit.cap is not None
        ]
        last = wish.at(wish.sizes[0] - 1)
        turns = [day.start + GUARD for _, _, day in days if first < day.start + GUARD]
        turns += [day.end + GUARD for _, _, day in days if last >= day.end - GUARD]
        if turns:
            moved = wish.later(max(turns) - first)
            if moved.at(0) > wish.until:
                return _nothing(wish, _asked_again(max(turns), wish, now))
            wish = moved
            continue
        left = min((allowance.left(cap, day.number) for allowance, cap, day in days), default=1 << 62)
        if wish.sizes[0] > left:
            full = max(day.end for allowance, cap, day in days if allowance.left(cap, day.number) < wish.sizes[0])
            return _nothing(wish, full + GUARD)
        ends = min((day.end - GUARD for _, _, day in days), default=1 << 62)
        in_time = first <= wish.until
        placed = _place(wish, rated, left, ends, keep=in_time)
        if placed.messages and not in_time:
            return _nothing(wish, _asked_again(first, wish, now))
        if placed.messages:
            for allowance, _, _ in days:
                allowance.used += placed.segments
            return Grant(wish.first, wish.floor, placed.messages, placed.segments)
        wish = wish.later(placed.later_by)
        if wish.at(0) > wish.until + _PATIENCE:
            return _nothing(wish, _asked_again(wish.at(0), wish, now))


class _Placed(NamedTuple):
    messages: int
    segments: int
    later_by: Micros = 0  # where some found no room: so much later the first of them may


def _place(
    wish: Wish, rated: Sequence[tuple[Allowance, tuple[Rule, ...]]], left: int, ends: Micros, *, keep: bool
) -> _Placed:
    """Book message by message until one finds no room. `keep` False: only look whether the first one does."""
    messages = segments = 0
    cell, room = -1, 0
    for size in wish.sizes if keep else wish.sizes[:1]:
        if segments + size > left or wish.at(segments + size - 1) >= ends:
            break
        if messages and wish.at(segments) > wish.until:
            break  # others want some of it, too
        booked: list[int] = []
        blocked: Micros | None = None
        for index in range(segments, segments + size):
            at = wish.at(index)
            if at // CELL != cell:
                cell = at // CELL
                room = min((a.room(cell, rule) for a, rules in rated for rule in rules), default=1 << 62)
            if room <= 0:
                full = (a.beyond(cell, rule) for a, rules in rated for rule in rules if a.room(cell, rule) <= 0)
                blocked = max(full) * CELL - at
                break
            room -= 1
            booked.append(cell)
            for allowance, _ in rated:
                allowance.add(cell, 1)
        if blocked is not None or not keep:
            for each in booked:
                for allowance, _ in rated:
                    allowance.add(each, -1)
        if blocked is not None:
            return _Placed(messages, segments, blocked)
        messages += 1
        segments += size
    return _Placed(messages, segments)


def _nothing(wish: Wish, again_at: Micros) -> Grant:
    return Grant(wish.first, wish.floor, 0, 0, again_at)


def _asked_again(free: Micros, wish: Wish, now: Micros) -> Micros:
    """When a slot at `free` comes within the horizon."""
    return max(now, free - max(0, wish.until - now))
