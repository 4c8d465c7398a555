"""When something ends, as people write it: a date, a moment, or so long from now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from todoke.model.clock import HOUR, Micros
from todoke.model.errors import Invalid

_SPAN = re.compile(r"(\d{1,5})\s*(h|hours?|d|days?)", re.ASCII | re.IGNORECASE)
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIX = "Write a date such as 2027-12-31, a moment such as 2027-12-31T18:00Z, or a span such as 90d or 24h."


def span(text: str) -> Micros | None:
    """`24h` or `90d` in microseconds; None for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1]) * HOUR * (24 if match[2][0] in "dD" else 1)


def moment(text: str, zones: Sequence[tzinfo] = ()) -> Micros | None:
    """The moment, or None for what is none: `2027-12-31`, `2027/12/31 18:00`, `2027-12-31T18:00+09:00`. The year stands
    first; whether a day or a month does elsewhere nobody can tell.

    A date alone ends with its day. What names no offset is meant in one of the `zones`; of several the earliest counts,
    and UTC where there are none.
    """
    found = _YEAR_FIRST.match(text)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[3]), int(found[4]))
        rest = text[found.end() :].strip()
        if not rest:
            at = datetime.combine(day, time()) + timedelta(days=1)
        else:
            at = datetime.fromisoformat(f"{day.isoformat()}T{rest.removeprefix('T').strip()}")
        if at.tzinfo is not None:
            return _micros(at)
        return min(_micros(at.replace(tzinfo=zone)) for zone in zones or (UTC,))
    except (ValueError, OverflowError):
        return None


def read(text: str, now: Micros) -> Micros | None:
    """The moment, or the end of a span from now; None for what is neither. What names no offset is in UTC."""
    tidy = text.strip()
    after = span(tidy)
    return moment(tidy) if after is None else now + after


def parse(text: str, now: Micros) -> Micros:
    """The same; Invalid for what is neither."""
    at = read(text, now)
    if at is None:
        raise Invalid(f"{text!r} is no moment.", fix=_FIX)
    return at


def _micros(at: datetime) -> Micros:
    return (at - _EPOCH) // timedelta(microseconds=1)
