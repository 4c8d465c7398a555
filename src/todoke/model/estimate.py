"""What sending a text to a list would take: who gets it, segments, money and time. Pure.

Where only some texts were measured it scales them up, and says so. What it takes for granted it says, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from todoke.model.allowance import SHARED
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.transport_code import PACE_SHARE
from todoke.sms.measuring import Measured

_DAY = 24 * 3600


class Terms(NamedTuple):
    """On what terms a skill sends. Rates in segments a second; `caps` in segments a day, by whose they are. `price` of
    a segment in `currency`, None where it is not known. `expiry_hours`: when a run ends at the latest.
    """

    code: str
    rate: float
    window: Window
    provider_rate: float | None = None
    unit_rate: float | None = None
    caps: tuple[tuple[str, int], ...] = ()
    price: Decimal | None = None
    currency: str | None = None
    expiry_hours: int | None = None

    @property
    def pace(self) -> float:
        """Segments a second that a lane alone really reaches."""
        others = [rate * SHARED for rate in (self.provider_rate, self.unit_rate) if rate is not None]
        return min([self.rate * PACE_SHARE, *others])


class Binding(StrEnum):
    """What makes it take as long as it takes."""

    PACE = "pace"
    WINDOW = "window"
    CAP = "daily_cap"


class SendingTime(NamedTuple):
    """`sending`: seconds in which segments go out. `elapsed`: seconds from the first to the last, nights included.
    `days`: on how many days something is sent.
    """

    sending: float
    elapsed: float
    days: int
    binding: Binding


class Foreseen(NamedTuple):
    """Of the `contacts` of a list: `skipped` by the reason, `filtered` for those that the filter does not take. The
    others get a text, if there is one for them; who of these must wait for it is `waiting`, by what for.
    """

    contacts: int
    skipped: Mapping[str, int]
    waiting: Mapping[str, int]

    @property
    def texted(self) -> int:
        return self.contacts - sum(self.skipped.values())


class Estimate(NamedTuple):
    """`messages` to `contacts` that get one, the others are `skipped`, by reason; `waiting` get one later, by what for:
    `window`, `suppressed` or `cap`. `exact`: all texts were measured, else `measured` of them, and only what the text
    does not decide was counted. `fewest`, `mean` and `most` are segments of a message, `ucs2` is the share of messages
    in that encoding. `cost` and `time` are None where the terms are not known. `assumptions` are sentences.
    """

    contacts: int
    measured: int
    exact: bool
    messages: int
    skipped: dict[str, int]
    waiting: dict[str, int]
    segments: int
    fewest: int
    mean: float
    most: int
    ucs2: float
    cost: Decimal | None
    currency: str | None
    time: SendingTime | None
    assumptions: tuple[str, ...]


def estimate(foreseen: Foreseen, measured: Measured, terms: Terms | None) -> Estimate:
    """Of those who would be texted, all or some were measured."""
    rows, texted = measured.rows, foreseen.texted
    exact = rows == texted
    scale = texted / rows if rows else 0.0
    unsent = {reason: round(count * scale) for reason, count in measured.skipped.items()}
    waiting = {what: count - round(measured.unwaited[what] * scale) for what, count in foreseen.waiting.items()}
    messages = texted - sum(unsent.values()) if rows else 0
    mean = measured.total / measured.texts if measured.texts else 0.0
    segments = measured.total if exact else round(messages * mean)
    cost = None if terms is None or terms.price is None else (terms.price * segments).quantize(Decimal("0.01"))
    time = None if terms is None else sending_time(segments, terms)
    return Estimate(
        foreseen.contacts,
        rows,
        exact,
        messages,
        _most_first({**foreseen.skipped, **unsent}),
        _most_first(waiting),
        segments,
        min(measured.segments, default=0),
        mean,
        max(measured.segments, default=0),
        measured.ucs2 / measured.texts if measured.texts else 0.0,
        cost,
        None if cost is None or terms is None else terms.currency,
        time,
        tuple(_assumptions(terms, time)),
    )


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((key, count) for key, count in counts.items() if count), key=lambda one: (-one[1], one[0])))


def sending_time(segments: int, terms: Terms) -> SendingTime:
    """How long so many segments take, when nothing else uses the code and it begins as the window opens."""
    pace = terms.pace
    sending = segments / pace
    open_for = 60 * (terms.window.end - terms.window.start)
    in_window = max(1, math.floor(pace * open_for))
    cap = min((cap for _, cap in terms.caps), default=None)
    a_day = in_window if cap is None else min(in_window, cap)
    always = terms.window.end - terms.window.start >= WHOLE_DAY
    if (always and a_day == in_window) or segments <= a_day:
        return SendingTime(sending, sending, max(1, math.ceil(sending / _DAY)) if segments else 0, Binding.PACE)
    full, rest = divmod(segments, a_day)
    if not rest:
        full, rest = full - 1, a_day
    binding = Binding.CAP if cap is not None and cap <= in_window else Binding.WINDOW
    return SendingTime(sending, full * _DAY + rest / pace, full + 1, binding)


def _assumptions(terms: Terms | None, time: SendingTime | None) -> Iterator[str]:
    if terms is None or time is None:
        return
    yield f"Nothing else uses the code {terms.code} meanwhile, and every segment is accepted at its first attempt."
    hours = (terms.window.end - terms.window.start) / 60
    if hours < 24:
        yield (
            f"It is sent in {hours:g} hours a day, as if all contacts were in one time zone and nothing restricted "
            f"their hours but the window {terms.window}; it begins as that opens."
        )
    if time.binding is Binding.CAP:
        name, cap = min(terms.caps, key=lambda found: found[1])
        yield f"The daily cap of {name}, {cap:,} segments, decides how long it takes."
    if terms.price is None:
        yield "What a segment costs is not declared: `price` of the provider or the transport code."
    if terms.expiry_hours is not None and time.elapsed > terms.expiry_hours * 3600:
        yield f"The run would expire after {terms.expiry_hours} hours, before everything is sent."
