"""When something ends, as people write it: a date, a moment, or so long from now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from todoke.model.clock import HOUR, Micros, from_datetime
from todoke.model.errors import Invalid

_SPAN = re.compile(r"(\d{1,5})\s*(h|hours?|d|days?)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", re.ASCII)
_FIX = "Write a date such as 2027-12-31, a moment such as 2027-12-31T18:00Z, or a span such as 90d or 24h."


def span(text: str) -> Micros | None:
    """`24h` or `90d` in microseconds; None for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1]) * HOUR * (24 if match[2][0] in "dD" else 1)


def parse(text: str, now: Micros) -> Micros:
    """The moment; Invalid for what is none. A date counts to its end in UTC, a moment without a zone is in UTC."""
    tidy = text.strip()
    after = span(tidy)
    if after is not None:
        return now + after
    try:
        if _DATE.fullmatch(tidy):
            year, month, day = map(int, re.split(r"[-/.]", tidy))
            return from_datetime(datetime.combine(date(year, month, day) + timedelta(days=1), time(), UTC))
        moment = datetime.fromisoformat(tidy)
    except (ValueError, OverflowError):
        raise Invalid(f"{text!r} is no moment.", fix=_FIX) from None
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
