"""Calling windows: at what hours, by the contact's own clock, a text may go out.

A number only gives *candidate* zones, so the window is open when it is open in every one of them. A contact without
any zone, or with one that no clock knows, has hours that we cannot tell: its window never opens, unless the window is
the whole day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, SECOND, Micros, from_datetime, to_datetime
from todoke.sms.places import read_place

_DAY: Micros = 24 * HOUR
_LOOK_AHEAD_DAYS = 3
_LOOK_AHEAD: Micros = _LOOK_AHEAD_DAYS * _DAY


def always(window: Window) -> bool:
    """Open at any hour, so that the zone does not matter."""
    return window.start == 0 and window.end == WHOLE_DAY


def is_open(window: Window, zones: tuple[str, ...], now: Micros) -> bool:
    """Whether a text may go out now to a contact who is in one of these zones."""
    if always(window):
        return True
    moment = to_datetime(now)
    known = [_zone(zone) for zone in zones]
    return bool(known) and all(info is not None and _inside(window, moment, info) for info in known)


def closes_at(window: Window, zones: tuple[str, ...], now: Micros) -> Micros | None:
    """When the window that is open now closes in the first of the zones; None where it never does."""
    if always(window):
        return None
    turns = _turns(window, zones, now)
    return next((turn for turn in turns if not is_open(window, zones, turn)), now + _LOOK_AHEAD)


def opens_at(window: Window, zones: tuple[str, ...], now: Micros) -> Micros | None:
    """The next moment at which it is open in every zone (now, if it is); None where there is none: hold the message."""
    if is_open(window, zones, now):
        return now
    return next((turn for turn in _turns(window, zones, now) if is_open(window, zones, turn)), None)


def _inside(window: Window, moment: datetime, zone: ZoneInfo) -> bool:
    local = moment.astimezone(zone)
    return window.start <= local.hour * 60 + local.minute < window.end


def _turns(window: Window, zones: tuple[str, ...], now: Micros) -> list[Micros]:
    """Every moment after now, for some days, at which the answer may change; in order."""
    found: set[Micros] = set()
    for zone in zones:
        found.update(_turns_of(zone, window, now // _DAY))
    return sorted(turn for turn in found if turn > now)


@lru_cache(maxsize=4096)
def _turns_of(name: str, window: Window, day: int) -> tuple[Micros, ...]:
    """The moments around this day (since 1970) at which the zone's answer may change.

    Between two changes of a zone's clock the answer changes only when that clock shows the window's start or end. An
    hour that the clock shows twice gives both its moments. One that it leaves out gives moments that mean nothing,
    but then the change of the clock itself is one of these.
    """
    zone = _zone(name)
    if zone is None:
        return ()
    return (*_edges(zone, window.start, day), *_edges(zone, window.end, day), *_changes(zone, day))


def _edges(zone: ZoneInfo, minute: int, day: int) -> Iterator[Micros]:
    """When the zone's clock shows this minute of a day; `minute` may be that at the end of the day."""
    for number in range(day - 2, day + _LOOK_AHEAD_DAYS + 2):
        date = to_datetime(number * _DAY).date() + timedelta(days=minute // WHOLE_DAY)
        local = datetime(date.year, date.month, date.day, minute % WHOLE_DAY // 60, minute % 60, tzinfo=zone)
        for fold in (0, 1):
            yield from_datetime(local.replace(fold=fold).astimezone(UTC))


def _changes(zone: ZoneInfo, day: int) -> Iterator[Micros]:
    """When the zone's clock is put forward or back, to the second."""
    step = 3 * HOUR // SECOND
    first = day * _DAY // SECOND
    for before, after in pairwise(range(first, first + (_LOOK_AHEAD + _DAY) // SECOND + step, step)):
        if _offset(zone, before) != _offset(zone, after):
            low, high = before, after
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, middle) == _offset(zone, before):
                    low = middle
                else:
                    high = middle
            yield high * SECOND


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return to_datetime(second * SECOND).astimezone(zone).utcoffset()


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    """None for a name that no clock knows."""
    try:
        return ZoneInfo(read_place(name).zone)
    except (KeyError, ValueError, OSError):
        return None
