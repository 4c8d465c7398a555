"""Calling windows: whether a text may go out now, until when, and when it may next.

A contact has *candidate* places, so it must be open in every one of them: by the hours of the business unit, the skill
and the phone type of the number that is texted, by those of the place's jurisdiction, and by the contact's own. One
without any place, or in a zone that no clock knows, has hours that we cannot tell: it is never open, unless nothing
restricts it. `places` are those of the contact's set, which may name the phone type.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from todoke.compliance.hours import Hours
from todoke.model import schedule
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, SECOND, Micros, from_datetime, to_datetime
from todoke.model.errors import Invalid
from todoke.model.schedule import Ranges, Schedule
from todoke.sms.phone_type import phone_type_of, places_of
from todoke.sms.places import Places, read_place

MARGIN: Micros = 60 * SECOND
"""A text is not handed over in the last minute of a window: the carrier has to try within what is left, and its clock
need not be ours.
"""
LOOK_AHEAD_DAYS = 32
_DAY: Micros = 24 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()
_TRIES = 64


class Opening(NamedTuple):
    """From `opens` on a text may be handed over, as long as there is more than MARGIN before `closes`; None: always."""

    opens: Micros
    closes: Micros | None


def is_open(hours: Hours, places: Places, now: Micros) -> bool:
    """Whether a text may reach now a contact who is in one of these places."""
    spots = _spots(hours, places)
    return spots is not None and _open(spots, now)


def closes_at(hours: Hours, places: Places, now: Micros) -> Micros | None:
    """When the window that is open now closes at the first of the places; None where nothing restricts. The end of the
    days that are looked ahead, where it does not close before.
    """
    spots = _spots(hours, places)
    if spots is None or not spots:
        return None if spots is not None else now
    turns = _turns(spots, now)
    return next((turn for turn in turns if not _open(spots, turn)), now + LOOK_AHEAD_DAYS * _DAY)


def opens_at(hours: Hours, places: Places, now: Micros) -> Micros | None:
    """The next moment at which it is open at every place (now, if it is); None where there is none in the days that
    are looked ahead: hold the message.
    """
    spots = _spots(hours, places)
    if spots is None:
        return None
    if _open(spots, now):
        return now
    return next((turn for turn in _turns(spots, now) if _open(spots, turn)), None)


def opening(hours: Hours, places: Places, now: Micros) -> Opening | None:
    """The window in which a text can be handed over next, with more than MARGIN before its end; None as `opens_at`."""
    at = now
    for _ in range(_TRIES):  # windows that are shorter than that are passed over
        opens = opens_at(hours, places, at)
        if opens is None:
            return None
        closes = closes_at(hours, places, opens)
        if closes is None or closes - opens > MARGIN:
            return Opening(opens, closes)
        at = closes
    return None


class _Spot:
    """A place with all the hours that hold there. Compared by identity: a key of caches."""

    __slots__ = ("schedules", "zone")

    def __init__(self, zone: ZoneInfo, schedules: tuple[Schedule, ...]) -> None:
        self.zone = zone
        self.schedules = schedules


@lru_cache(maxsize=65_536)
def _spots(hours: Hours, places: Places) -> tuple[_Spot, ...] | None:
    """The places to be looked at; none where nothing restricts; None where it cannot be told where the contact is."""
    hours, places = hours.of_number(phone_type_of(places)), places_of(places)
    if hours.unrestricted and not any(read_place(place).window for place in places):
        return ()
    found: list[_Spot] = []
    for place in places:
        spot = _spot(hours, place)
        if spot is None:
            return None
        found.append(spot)
    return tuple(found) or None


@lru_cache(maxsize=16_384)
def _spot(hours: Hours, text: str) -> _Spot | None:
    place = read_place(text)
    zone = _zone(place.zone)
    own = _own(place.window)
    if zone is None or own is None:
        return None
    rules: tuple[Schedule, ...] = ()
    if hours.rules is not None:
        jurisdiction = place.jurisdiction or hours.rules.of_zone(place.zone)
        rules = hours.rules.schedules(jurisdiction) if jurisdiction else ()
    return _Spot(zone, tuple(dict.fromkeys((*hours.schedules, *rules, *own))))


def _own(window: str) -> tuple[Schedule, ...] | None:
    """The contact's own hours; None where nobody can read them any more."""
    try:
        return (schedule.parse(window),) if window else ()
    except Invalid:
        return None


def _open(spots: tuple[_Spot, ...], now: Micros) -> bool:
    moment = to_datetime(now)
    for spot in spots:
        local = moment.astimezone(spot.zone)
        minute = local.hour * 60 + local.minute
        if not any(window.start <= minute < window.end for window in _ranges(spot, local.toordinal())):
            return False
    return True


@lru_cache(maxsize=131_072)
def _ranges(spot: _Spot, ordinal: int) -> Ranges:
    """The open hours of that day at the place: those in which all its schedules are open."""
    return intersect(tuple(hours.on(date.fromordinal(ordinal)) for hours in spot.schedules))


@lru_cache(maxsize=4096)
def intersect(all_of: tuple[Ranges, ...]) -> Ranges:
    """The hours that are in all of these."""
    left: Ranges = schedule.OPEN
    for ranges in all_of:
        both = (Window(max(a.start, b.start), min(a.end, b.end)) for a in left for b in ranges)
        left = tuple(window for window in both if window.start < window.end)
    return left


def _turns(spots: tuple[_Spot, ...], now: Micros) -> Iterator[Micros]:
    """Every moment after now, for some days, at which the answer may change; in order."""
    today = now // _DAY
    for day in range(today, today + LOOK_AHEAD_DAYS + 1):
        found = {turn for spot in spots for turn in _turns_of(spot, day)}
        yield from sorted(turn for turn in found if turn > now)


@lru_cache(maxsize=65_536)
def _turns_of(spot: _Spot, day: int) -> tuple[Micros, ...]:
    """The moments of this day (UTC, since 1970) at which the place's answer may change.

    Between two changes of a zone's clock the answer changes only when that clock shows a start or an end. An hour that
    the clock shows twice gives both its moments. One that it leaves out gives moments that mean nothing, but then the
    change of the clock itself is one of these.
    """
    first, last = day * _DAY, (day + 1) * _DAY
    found = set(_changes(spot.zone, day))
    for ordinal in range(_EPOCH + day - 1, _EPOCH + day + 2):
        for window in _ranges(spot, ordinal):
            found.update(_shown(spot.zone, ordinal, window.start))
            found.update(_shown(spot.zone, ordinal, window.end))
    return tuple(sorted(turn for turn in found if first <= turn < last))


@lru_cache(maxsize=65_536)
def _shown(zone: ZoneInfo, ordinal: int, minute: int) -> tuple[Micros, Micros]:
    """When the zone's clock shows this minute of a day, and when again; `minute` may be that at the end of the day.

    Kept by zone: hundreds of places have the same few clocks, and the same few hours.
    """
    day = date.fromordinal(ordinal + minute // WHOLE_DAY)
    hour, minute = minute % WHOLE_DAY // 60, minute % 60
    first = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    again = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=1)
    return from_datetime(first.astimezone(UTC)), from_datetime(again.astimezone(UTC))


@lru_cache(maxsize=65_536)
def _changes(zone: ZoneInfo, day: int) -> tuple[Micros, ...]:
    """When the zone's clock is put forward or back on this day (UTC), to the second."""
    step = 3 * HOUR // SECOND
    first = day * _DAY // SECOND
    found: list[Micros] = []
    for before, after in pairwise(range(first, first + _DAY // SECOND + step, step)):
        if _offset(zone, before) != _offset(zone, after):
            low, high = before, after
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, middle) == _offset(zone, before):
                    low = middle
                else:
                    high = middle
            found.append(high * SECOND)
    return tuple(found)


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return to_datetime(second * SECOND).astimezone(zone).utcoffset()


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    """None for a name that no clock knows."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
