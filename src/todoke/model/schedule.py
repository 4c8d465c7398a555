"""A schedule: the calling window of each day of the week, and of holidays, as a person writes it.

    08:00-21:00                                              the same every day
    mon-fri 09:00-20:00; sat 10:00-17:00; sun closed
    mon-fri 09:00-12:00, 13:00-19:00                         closed on the days that it does not name
    09:00-20:00; sun closed; holidays closed                 hours without a day: all days that nothing else names
    mon-sat 09:00-21:00; sun 12:00-21:00; holidays as sun

It is read by the contact's own clock. A holiday has the hours of its weekday unless the schedule says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from todoke.model import calling_window
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.errors import Invalid
from todoke.model.holidays import WEEKDAYS, Days, is_holiday

Ranges: TypeAlias = tuple[Window, ...]
"""The open hours of a day, in order, apart from each other; none for a day that is closed."""

OPEN: Ranges = (Window(0, WHOLE_DAY),)
_FIX = "Write it as mon-fri 09:00-20:00; sat 10:00-17:00; sun closed."
_NAMES = {
    **{name: (number,) for number, name in enumerate(WEEKDAYS)},
    "weekdays": (0, 1, 2, 3, 4),
    "weekday": (0, 1, 2, 3, 4),
    "weekends": (5, 6),
    "weekend": (5, 6),
    "daily": (0, 1, 2, 3, 4, 5, 6),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LONG: dict[str, str] = {**dict(zip(_DAYS, WEEKDAYS, strict=True)), "tues": "tue", "thur": "thu", "thurs": "thu"}
_HOLIDAYS = ("holidays", "holiday")
_CLAUSE = re.compile(r"(?P<days>[^\d]*?)\s*(?P<hours>closed|\d.*)?", re.ASCII)


class Schedule(NamedTuple):
    """`week` begins with Monday. `holiday`: the hours of `days`, None for those of their weekday. It holds from the day
    `since` up to but not including `until`; outside of that it restricts nothing.
    """

    week: tuple[Ranges, ...]
    holiday: Ranges | None = None
    days: Days = ()
    since: date | None = None
    until: date | None = None

    def on(self, day: date) -> Ranges:
        """The open hours of that day."""
        if (self.since is not None and day < self.since) or (self.until is not None and day >= self.until):
            return OPEN
        if self.holiday is not None and is_holiday(self.days, day):
            return self.holiday
        return self.week[day.weekday()]

    @property
    def always(self) -> bool:
        """Open at any hour of any day, so that the place does not matter."""
        return all(ranges == OPEN for ranges in self.week) and (self.holiday is None or self.holiday == OPEN)

    @property
    def span(self) -> Window:
        """From the earliest hour to the latest, on any day. It must be open at all."""
        windows = [window for ranges in (*self.week, self.holiday or ()) for window in ranges]
        return Window(min(window.start for window in windows), max(window.end for window in windows))

    @property
    def never(self) -> bool:
        return not any(self.week) and not self.holiday

    def __str__(self) -> str:
        groups = list(_grouped(self.week))
        if len(groups) == 1:
            clauses = [_hours(self.week[0])]
        else:
            clauses = [f"{days} {_hours(ranges)}" for days, ranges in groups]
        if self.holiday is not None:
            clauses.append(f"holidays {_hours(self.holiday)}")
        return "; ".join(clauses)


def every_day(window: Window) -> Schedule:
    """The same hours on all days."""
    return Schedule(((window,),) * 7)


ALWAYS = every_day(Window(0, WHOLE_DAY))
NEVER = Schedule(((),) * 7)


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """A schedule from its text; Invalid, saying what is wrong, where it is none."""
    named: dict[int, Ranges] = {}
    others: Ranges | None = None
    holiday: Ranges | str | None = None
    clauses = [clause.strip() for clause in re.split(r"[;\n]", text.casefold()) if clause.strip()]
    if not clauses:
        raise Invalid("The calling window is empty.", fix=_FIX)
    for clause in clauses:
        if same := re.fullmatch(r"holidays?\s+as\s+(\w+)", clause):
            _once(holiday is None, "holidays", text)
            holiday = _LONG.get(same[1], same[1])
            continue
        match = _CLAUSE.fullmatch(clause)
        if match is None or match["hours"] is None:
            raise Invalid(f"{clause!r} in the calling window says no hours.", fix=_FIX)
        ranges = _ranges(match["hours"])
        words = match["days"].strip()
        if words in _HOLIDAYS:
            _once(holiday is None, words, text)
            holiday = ranges
        elif not words:
            _once(others is None, "a window without a day", text)
            others = ranges
        else:
            for number in _numbers(words):
                _once(number not in named, WEEKDAYS[number], text)
                named[number] = ranges
    week = tuple(named.get(number, others or ()) for number in range(7))
    if isinstance(holiday, str):
        if holiday not in WEEKDAYS:
            raise Invalid(f"There is no day {holiday!r}.", fix="Write holidays as sun, for example.")
        holiday = week[WEEKDAYS.index(holiday)]
    return Schedule(week, holiday)


@lru_cache(maxsize=4096)
def kept(text: str) -> str | None:
    """A contact's own calling window as its place keeps it, empty for none; None where it is not one, or never open."""
    if not text.strip():
        return ""
    try:
        schedule = parse(text)
    except Invalid:
        return None
    return None if schedule.never else str(schedule)


def by_name(texts: Mapping[str, str]) -> dict[str, str]:
    """Schedules by what they are for, each in the form in which schedules are kept; Invalid as `parse`."""
    return {name: str(parse(text)) for name, text in texts.items()}


def _once(first: bool, what: str, text: str) -> None:
    if not first:
        raise Invalid(f"The calling window {text!r} names {what} twice.", fix="Put its hours into one place.")


def _ranges(hours: str) -> Ranges:
    if hours == "closed":
        return ()
    windows = sorted(calling_window.parse(part) for part in hours.split(","))
    joined: list[Window] = []
    for window in windows:
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return tuple(joined)


def _numbers(words: str) -> Iterator[int]:
    """Weekdays by number, of `mon-fri`, `sat, sun`, `weekend`."""
    for word in re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*", "-", words)):
        first, dash, last = (_LONG.get(part, part) for part in word.partition("-"))
        if dash and first in WEEKDAYS and last in WEEKDAYS:
            start, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
            yield from ((start + step) % 7 for step in range((end - start) % 7 + 1))
        elif not dash and first in _NAMES:
            yield from _NAMES[first]
        else:
            raise Invalid(f"{word!r} in the calling window is no day.", fix=f"The days are {', '.join(WEEKDAYS)}.")


def _grouped(week: tuple[Ranges, ...]) -> Iterator[tuple[str, Ranges]]:
    first = 0
    for number in range(1, 8):
        if number == 7 or week[number] != week[first]:
            last = number - 1
            days = WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"
            yield days, week[first]
            first = number


def _hours(ranges: Ranges) -> str:
    return ", ".join(map(str, ranges)) or "closed"
