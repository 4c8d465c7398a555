"""Positions grouped by candidate zones: a run takes only from groups whose calling window is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MAX_GROUPS = 1024
MIXED = -1  # the range's contacts have several zone sets: look at each contact's own

ZoneSet = tuple[str, ...]


class ZoneRange(NamedTuple):
    """Positions first..last (inclusive) of one zone set, or of several (`MIXED`)."""

    zone_set: int
    first: int
    last: int


class ZoneSets:
    """The distinct sets of a list, numbered as they come. An empty one is of contacts whose zone is not known: they
    are held at the time of sending.
    """

    def __init__(self) -> None:
        self._numbers: dict[ZoneSet, int] = {}

    def number(self, zones: ZoneSet) -> int:
        """The set's number."""
        number = self._numbers.get(zones)
        if number is None:
            number = self._numbers[zones] = len(self._numbers)
        return number

    @property
    def sets(self) -> list[list[str]]:
        """By number."""
        return [list(zones) for zones in self._numbers]


def group(counts: Sequence[int], *, max_groups: int = MAX_GROUPS) -> tuple[list[ZoneRange], list[int]]:
    """Ranges of positions for `counts[n]` contacts of zone set n, the largest group first, and the first position by
    zone set. What is beyond `max_groups` shares one mixed range, each set's contacts still beside each other.
    """
    order = sorted(
        (number for number, count in enumerate(counts) if count), key=lambda number: (-counts[number], number)
    )
    ranges: list[ZoneRange] = []
    starts = [0] * len(counts)
    position = 0
    for rank, number in enumerate(order):
        starts[number] = position
        position += counts[number]
        if rank < max_groups:
            ranges.append(ZoneRange(number, starts[number], position - 1))
    if len(order) > max_groups:
        ranges.append(ZoneRange(MIXED, ranges[-1].last + 1 if ranges else 0, position - 1))
    return ranges, starts
