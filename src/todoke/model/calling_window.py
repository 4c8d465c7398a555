"""A calling window as text and as minutes: at what hours of the contact's own day a text may go out."""

from __future__ import annotations

import re
from typing import NamedTuple

from todoke.model.errors import Invalid

WHOLE_DAY = 24 * 60
_FORM = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2})(?::(\d{2}))?", re.ASCII)


class Window(NamedTuple):
    """Minutes after local midnight, from `start` up to but not including `end`."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"


def parse(text: str) -> Window:
    """A window from `08:00-21:00` or `00-24`; Invalid where it is none."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise Invalid(f"{text!r} is not a calling window.", fix="Write it as 08:00-21:00; 00:00-24:00 is all day.")
    start, end = _minutes(match[1], match[2]), _minutes(match[3], match[4])
    if start is None or end is None:
        raise Invalid(f"The calling window {text!r} has an hour that no clock shows.", fix="Use 00:00 to 24:00.")
    if start >= end:
        raise Invalid(f"The calling window {text!r} ends before it starts.", fix="It must lie within one day.")
    return Window(start, end)


def _minutes(hours: str, minutes: str | None) -> int | None:
    total = int(hours) * 60 + int(minutes or "0")
    return total if total <= WHOLE_DAY and int(minutes or "0") < 60 else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
