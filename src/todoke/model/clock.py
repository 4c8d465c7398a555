"""Time comes in as an argument: what needs it takes a `Clock`.

Hot tables keep moments as whole microseconds since 1970 in UTC (`Micros`): one integer compares, adds and packs the
same on every database. What a person edits or reads is a `datetime` with a zone.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

Micros: TypeAlias = int
SECOND: Micros = 1_000_000
HOUR: Micros = 3600 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The time of day, and a count that never jumps."""

    def now(self) -> Micros:
        """Microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes backwards, unaffected by a change of the machine's clock."""
        ...


class SystemClock:
    """This machine's clock, read once: later changes of the time of day do not make it jump."""

    def __init__(self) -> None:
        self._offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def now(self) -> Micros:
        return time.monotonic_ns() // 1000 + self._offset

    def monotonic(self) -> float:
        return time.monotonic()


def to_datetime(moment: Micros) -> datetime:
    """The moment as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=moment)


def from_datetime(moment: datetime) -> Micros:
    """Microseconds since 1970; ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def hour_of(moment: Micros) -> int:
    """The hour since 1970 that the moment lies in: the grain of the tallies."""
    return moment // HOUR
