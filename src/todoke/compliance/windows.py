"""Calling windows: at what hours, by the contact's own clock, a text may go out.

A number only gives *candidate* zones, so the window is open when it is open in every one of them. A contact without
any zone has a clock that we do not know: its window never opens, unless the window is the whole day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import Micros, from_datetime, to_datetime

_LOOK_AHEAD_DAYS = 3


def always(window: Window) -> bool:
    """Open at any hour, so that the zone does not matter."""
    return window.start == 0 and window.end == WHOLE_DAY


def is_open(window: Window, zones: tuple[str, ...], now: Micros) -> bool:
    """Whether a text may go out now to a contact who is in one of these zones."""
    if always(window):
        return True
    moment = to_datetime(now)
    return bool(zones) and all(window.start <= _minute(moment, zone) < window.end for zone in zones)


def closes_at(window: Window, zones: tuple[str, ...], now: Micros) -> Micros | None:
    """When the window that is open now closes in the first of the zones; None where it never does."""
    if always(window):
        return None
    return min(edge for zone in zones for edge in _edges(zone, window.end, now) if edge > now)


def opens_at(window: Window, zones: tuple[str, ...], now: Micros) -> Micros | None:
    """The next moment at which it is open in every zone (now, if it is); None where there is none: hold the message."""
    if is_open(window, zones, now):
        return now
    starts = sorted({edge for zone in zones for edge in _edges(zone, window.start, now) if edge > now})
    return next((edge for edge in starts if is_open(window, zones, edge)), None)


def _minute(moment: datetime, zone: str) -> int:
    local = moment.astimezone(_zone(zone))
    return local.hour * 60 + local.minute


def _edges(zone: str, minute: int, now: Micros) -> list[Micros]:
    """The moments around now at which the zone's clock first shows `minute` of a day.

    Where clocks spring over that minute it is the moment after the gap; where they show it twice it is the first
    time for an opening and, the other candidate being later, still the first for a closing: the stricter reading
    for a closing.
    """
    info = _zone(zone)
    today = to_datetime(now).astimezone(info).date()
    edges: list[Micros] = []
    for day in range(-1, _LOOK_AHEAD_DAYS):
        date = today + timedelta(days=day + minute // WHOLE_DAY)
        local = datetime(date.year, date.month, date.day, minute % WHOLE_DAY // 60, minute % 60, tzinfo=info)
        edges.append(from_datetime(local.astimezone(UTC)))
    return edges


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
