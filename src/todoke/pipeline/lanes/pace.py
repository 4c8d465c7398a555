"""Slots: the moments at which a lane may write its segments. Pure; moments are microseconds on the engine's clock."""

from __future__ import annotations

import math
from typing import NamedTuple

from todoke.model.clock import SECOND, Micros
from todoke.model.transport_code import PACE_SHARE

SHARE = PACE_SHARE
LATEST = 25_000
"""How long after its slot, in microseconds, a segment may still be written. SHARE leaves 3 % of a second, 30 ms: what
is between the two is for the write itself.
"""


HORIZON = 3 * SECOND // 10
"""How far ahead slots are reserved at the least: longer than the flush loop ever sleeps."""
_LONGEST_HORIZON = 2 * SECOND
_SLOTS_AT_ONCE = 8
"""Codes that are so slow that HORIZON holds fewer slots reserve further ahead: hundreds of them would otherwise commit
for a segment each.
"""
_SHORTEST_HORIZON = 80_000
"""For a code that may be faster than its link: what is reserved far ahead at too fast a pace is missed."""

_GOLDEN = 0.618034  # its multiples spread evenly
_LONGEST_PHASE = SECOND / 5
_GRID = 20_000


class Slots(NamedTuple):
    """`total` slots from `first`, `interval` apart; intervals are fractions of a microsecond for fast codes.

    None is before `floor`: those that would be are at it, all at once. That is a burst.
    """

    first: Micros
    interval: float
    total: int
    floor: Micros = 0

    @property
    def end(self) -> Micros:
        """Where the next slot may be: the lane's new next_slot_at."""
        return self.first + round(self.total * self.interval)

    def at(self, index: int) -> Micros:
        return max(self.floor, self.first + int(index * self.interval))

    def passed(self, now: Micros) -> int:
        """How many slots are at or before `now`."""
        if now < self.first or now < self.floor:
            return 0
        return min(self.total, int((now - self.first) / self.interval) + 1)

    def missed(self, now: Micros) -> int:
        """How many slots are too long ago to be used."""
        return self.passed(now - LATEST - 1)


def interval(rate: float) -> float:
    """Microseconds between the slots of a code of `rate` segments a second."""
    return SECOND / (rate * SHARE)


def begin(lane: int, rate: float, usable: Micros) -> Micros:
    """The first slot of a lane that was idle, `usable` or a little later.

    Runs that start together would have the slots of all their lanes at one moment, and hundreds of writes in one
    take too long; at as many moments as there are lanes each would wake the engine by itself. So slow lanes begin
    on a grid, spread over some of its lines.
    """
    step = interval(rate)
    if step < _GRID:
        return usable
    later = usable + int(lane * _GOLDEN % 1 * min(step, _LONGEST_PHASE))
    return -(-later // _GRID) * _GRID


def take(next_slot: Micros, now: Micros, rate: float, count: int, burst: int = 1) -> Slots:
    """`count` slots from the lane's next one, but never in the past: what was not used then is forfeited.

    Up to `burst` of them may be at once after a time without: as many as would have had their slots in it
    (GCRA: `next_slot` is the theoretical arrival time).
    """
    step = interval(rate)
    return Slots(max(next_slot, now - math.ceil((burst - 1) * step)), step, count, now)


def affordable(slots: Slots, until: Micros) -> int:
    """How many of such slots begin before `until`."""
    room = until - slots.first
    return 0 if room <= 0 else int(room / slots.interval) + 1


PACED_BY_CODE = 1_000.0
"""Codes up to this rate are always paced at it; faster ones may be more than their link takes."""
_FIRST = 40_000.0
_DOUBLING = 80_000.0  # up to here the pace doubles while every slot is used
_LEAST = 500.0
_TOLERATED = 0.02  # of what was written


def first(rate: float) -> float:
    """The pace to begin with."""
    return rate if rate <= PACED_BY_CODE else min(rate, _FIRST)


def adapt(pace: float, rate: float, written: int, missed: int, elapsed: float) -> float:
    """The pace for the next slots of a code of `rate`, after `written` went out and `missed` did not in `elapsed`
    seconds.

    A code may be faster than the link. Slots at the code's rate would then all be at once and most would be missed;
    so the pace doubles while all slots are used, and falls to a little more than what was written, by a third at
    most, when they are missed.
    """
    if rate <= PACED_BY_CODE:
        return rate
    if missed > written * _TOLERATED:
        return min(rate, max(_LEAST, pace * 0.67, written / elapsed * 1.1))
    if written < pace * elapsed * 0.5:  # there was not enough to write to learn from
        return min(rate, pace)
    return min(rate, pace * (1.1 if missed else 2.0 if pace < _DOUBLING else 1.3))


def horizon(rate: float, lead: Micros, *, shared: bool) -> Micros:
    """How far ahead slots are reserved at this pace. `lead`: how long a reserving flush takes. `shared`: a limit is
    shared with other lanes, which have to wait for what this one reserves far ahead.
    """
    if rate > PACED_BY_CODE:
        return min(HORIZON, max(_SHORTEST_HORIZON, 4 * lead))
    if shared:
        return HORIZON
    return max(HORIZON, min(_LONGEST_HORIZON, int(_SLOTS_AT_ONCE * interval(rate))))
