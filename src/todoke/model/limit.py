"""Limits beside a code's own rate: what several codes share, and what a day may hold."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from todoke.model.clock import Micros, from_datetime, to_datetime

CAP_ZONE = "America/Los_Angeles"
"""Whose day a daily cap counts by, if nothing else is declared: T-Mobile's begins at midnight Pacific time."""
_EPOCH_DAY = datetime(1970, 1, 1).toordinal()


class LimitKind(StrEnum):
    """Whose limit it is."""

    PROVIDER = "provider"
    UNIT = "business_unit"
    CODE = "transport_code"
    BRAND = "brand"


class LimitKey(NamedTuple):
    """The row that keeps what is used of a limit. `kind` is a LimitKind, `subject_id` the id of what it limits."""

    bucket: int
    kind: str
    subject_id: int


class Limit(NamedTuple):
    """`rate` in segments a second, `cap` in segments a day of `zone`; None where there is none."""

    key: LimitKey
    rate: float | None = None
    cap: int | None = None
    zone: str = CAP_ZONE


class Day(NamedTuple):
    """A day of some zone: its number since 1970 by the calendar there, its first moment, and that of the next."""

    number: int
    start: Micros
    end: Micros

    def has(self, moment: Micros) -> bool:
        return self.start <= moment < self.end


def day_of(zone: str, moment: Micros) -> Day:
    """The day of the zone in which the moment lies."""
    date = to_datetime(moment).astimezone(_zone(zone)).date()
    return _day(zone, date.toordinal() - _EPOCH_DAY)


@lru_cache(64)
def _zone(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


@lru_cache(256)
def _day(zone: str, number: int) -> Day:
    first = datetime.combine(datetime.fromordinal(number + _EPOCH_DAY), time(), _zone(zone))
    # Midnight by the calendar, not 24 hours on: a day of a change of the clock has 23 or 25.
    after = datetime.combine(first.date() + timedelta(days=1), time(), _zone(zone))
    return Day(number, from_datetime(first), from_datetime(after))
