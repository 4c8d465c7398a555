"""Frequency caps: how many texts one number may get within a span of time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from heapq import nlargest
from typing import NamedTuple

from todoke.model.clock import HOUR, Micros
from todoke.model.errors import Invalid

_UNITS = {"hour": HOUR, "day": 24 * HOUR, "week": 7 * 24 * HOUR}
_MOST = 1000
LONGEST = 366 * 24 * HOUR
_FORM = re.compile(r"(\d{1,6})\s+(?:in|per)\s+(?:(\d{1,6})\s+)?(hour|day|week)s?", re.ASCII)
_FIX = 'Write it as "3 in 7 days" or "1 in 24 hours".'


class Cap(NamedTuple):
    """At most `most` texts in any span of `within` microseconds; a day is 24 hours, wherever it begins."""

    most: int
    within: Micros

    def __str__(self) -> str:
        for name, length in (("day", 24 * HOUR), ("hour", HOUR)):
            if self.within % length == 0 and (self.within > 24 * HOUR or name == "hour"):
                count = self.within // length
                return f"{self.most} in {count} {name}{'' if count == 1 else 's'}"
        raise AssertionError("caps are whole hours")


@lru_cache(1024)
def parse(text: str) -> Cap:
    """A cap from `3 in 7 days`, `1 in 24 hours` or `1 per day`; Invalid where it is none."""
    match = _FORM.fullmatch(" ".join(text.split()).lower())
    if match is None:
        raise Invalid(f"{text!r} is not a frequency cap.", fix=_FIX)
    most, within = int(match[1]), int(match[2] or 1) * _UNITS[match[3]]
    if not 1 <= most <= _MOST:
        raise Invalid(f"The cap {text!r} allows {most} texts; it must be 1 to {_MOST}.", fix=_FIX)
    if not HOUR <= within <= LONGEST:
        raise Invalid(f"The cap {text!r} must span an hour to 366 days.", fix=_FIX)
    return Cap(most, within)


def optional(text: str | None) -> Cap | None:
    """The cap of a column."""
    return None if text is None else parse(text)


def free_at(uses: Iterable[Micros], cap: Cap, now: Micros) -> Micros:
    """When another text may go, given the moments of the others: `now`, or the moment at which enough of them are
    as long ago as the cap spans.
    """
    latest = nlargest(cap.most, uses)
    return max(now, latest[-1] + cap.within) if len(latest) == cap.most else now
