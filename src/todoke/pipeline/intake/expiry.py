"""When a contact expires: a moment as people write it in a list, by the contact's own clock."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from todoke.model.clock import Micros, from_datetime

_DATE = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_EUROPEAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_OFFSET = re.compile(r"(?:[Zz]|UTC|GMT|([+-])(\d{2}):?(\d{2})?)")


def read_expiry(text: str, zone: ZoneInfo) -> Micros:
    """The moment from which the contact is not texted any more. ValueError, with a sentence, where it cannot be read.

    A date is the whole of its day: the contact expires at the midnight after it. Without an offset it is by `zone`.
    Read are 2027-01-31, 2027/1/31, 20270131, 2027年1月31日, 1/31/2027 (month first) and 31.1.2027 (day first), each
    with a time or without one. A wall time that occurs twice is the first one; one that a clock skips is as much later.
    """
    rest = text.strip()
    day, rest = _day(rest)
    rest = rest.lstrip(" T,\t")
    if not rest:
        return from_datetime(datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC))
    found = _TIME.match(rest)
    if found is None:
        raise ValueError(f"{text!r} does not say at which time")
    clock = _clock(found)
    rest = rest[found.end() :].strip()
    if not rest:
        return from_datetime(datetime.combine(day, clock, zone).astimezone(UTC))
    offset = _OFFSET.fullmatch(rest)
    if offset is None:
        raise ValueError(f"{rest!r} is no offset such as Z or +09:00")
    ahead = timedelta(hours=int(offset[2] or 0), minutes=int(offset[3] or 0))
    moment = datetime.combine(day, clock, UTC)
    return from_datetime(moment + ahead if offset[1] == "-" else moment - ahead)


def _day(text: str) -> tuple[date, str]:
    for pattern, order in ((_DATE, (1, 3, 4)), (_AMERICAN, (3, 1, 2)), (_EUROPEAN, (3, 2, 1)), (_COMPACT, (1, 2, 3))):
        found = pattern.match(text)
        if found is not None:
            year, month, day = (int(found[group]) for group in order)
            try:
                return date(year, month, day), text[found.end() :]
            except ValueError as error:
                raise ValueError(f"{text!r} is no day of the calendar") from error
    raise ValueError(f"{text!r} is no date; write 2027-01-31, or 2027-01-31 18:00")


def _clock(found: re.Match[str]) -> time:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{found[0]!r} is no time of day")
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise ValueError(f"{found[0]!r} is no time of day") from error
