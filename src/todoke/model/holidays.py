"""Holidays as rules: dates that come every year, and single days. Whose they are is said by whoever names them.

12-25                 every year on that date
12-25 observed        and on the Friday before where it is a Saturday, the Monday after where it is a Sunday
12-25 moved           and on the next Monday where it is a Saturday or Sunday
nov thu 4             the fourth Thursday of November; `may mon last` is the last Monday of May
easter-2              two days before Easter Sunday (of the Gregorian calendar); easter+1, easter
2026-06-02            that day only
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeAlias

from todoke.model.errors import Invalid

Days: TypeAlias = tuple[str, ...]
"""Rules as they are written; `check` says whether one is."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEARLY = re.compile(r"(\d{2})-(\d{2})(?: (observed|moved))?", re.ASCII)
_NTH = re.compile(rf"({'|'.join(MONTHS)}) ({'|'.join(WEEKDAYS)}) ([1-5]|last)")
_EASTER = re.compile(r"easter([+-]\d{1,3})?", re.ASCII)
_SINGLE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_LEAP = 2000


def check(rule: str) -> str:
    """The rule as it is kept; Invalid where it is none."""
    plain = " ".join(rule.split()).casefold()
    try:
        if match := _YEARLY.fullmatch(plain):
            date(_LEAP, int(match[1]), int(match[2]))
            return plain
        if match := _SINGLE.fullmatch(plain):
            date(int(match[1]), int(match[2]), int(match[3]))
            return plain
    except ValueError:
        raise Invalid(f"There is no day {rule!r}.", fix="Write the month before the day: 12-25.") from None
    if _NTH.fullmatch(plain) or _EASTER.fullmatch(plain):
        return plain
    raise Invalid(
        f"{rule!r} is not a holiday.",
        fix='Write "2026-12-24", "12-25" (every year), "nov thu 4", "may mon last" or "easter-2".',
    )


@lru_cache(maxsize=4096)
def in_year(days: Days, year: int) -> frozenset[date]:
    """The days of that year on which these holidays fall."""
    # The New Year's Day of the year after may be observed in this one.
    return frozenset(day for near in (year - 1, year, year + 1) for rule in days for day in _of(rule, near))


def is_holiday(days: Days, day: date) -> bool:
    """Whether one of these holidays is on that day."""
    return bool(days) and day in in_year(days, day.year)


def _of(rule: str, year: int) -> Iterator[date]:
    if match := _YEARLY.fullmatch(rule):
        month, day = int(match[1]), int(match[2])
        if (month, day) == (2, 29) and not _is_leap(year):
            return
        yield from _with_substitute(date(year, month, day), match[3])
    elif match := _NTH.fullmatch(rule):
        yield from _nth(year, MONTHS.index(match[1]) + 1, WEEKDAYS.index(match[2]), match[3])
    elif match := _EASTER.fullmatch(rule):
        yield easter(year) + timedelta(days=int(match[1] or 0))
    elif match := _SINGLE.fullmatch(rule):
        yield date(int(match[1]), int(match[2]), int(match[3]))


def _with_substitute(day: date, how: str | None) -> Iterator[date]:
    """The day itself always: who must not be texted on a holiday is not texted on either of the two."""
    yield day
    if how is not None and day.weekday() == 5:
        yield day + timedelta(days=-1 if how == "observed" else 2)
    elif how is not None and day.weekday() == 6:
        yield day + timedelta(days=1)


def _nth(year: int, month: int, weekday: int, which: str) -> Iterator[date]:
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.weekday()) % 7)
    found = [day + timedelta(weeks=week) for week in range(5) if (day + timedelta(weeks=week)).month == month]
    if which == "last":
        yield found[-1]
    elif int(which) <= len(found):
        yield found[int(which) - 1]


def easter(year: int) -> date:
    """Easter Sunday, by the reckoning of Meeus, Jones and Butcher."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    skipped, leap = divmod(century, 4)
    moon = (19 * golden + century - skipped - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * leap + 2 * (of_century // 4) - moon - of_century % 4) % 7
    shift = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
