"""When a record expires: what stands in its ExpirationDate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from todoke.model.clock import Micros
from todoke.sms.places import read_place

_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_expiry(text: str, places: Sequence[str]) -> Micros | None:
    """The moment, or None where the text is no date: `2026-11-30`, `2026/11/30 18:00`, `2026-11-30T18:00+09:00`.

    A date alone ends with its day. What names no offset is meant where the contact is, in one of the `places`; of
    several the earliest counts, and UTC where none is known.
    """
    found = _YEAR_FIRST.match(text)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[3]), int(found[4]))
        rest = text[found.end() :].strip()
        if not rest:
            moment = datetime.combine(day, datetime.min.time()) + timedelta(days=1)
        else:
            moment = datetime.fromisoformat(f"{day.isoformat()}T{rest.removeprefix('T').strip()}")
        if moment.tzinfo is not None:
            return _micros(moment)
        zones: list[tzinfo] = [ZoneInfo(read_place(place).zone) for place in places] or [UTC]
        return min(_micros(moment.replace(tzinfo=zone)) for zone in zones)
    except (ValueError, OverflowError):
        return None


def _micros(moment: datetime) -> Micros:
    return (moment - _EPOCH) // timedelta(microseconds=1)
