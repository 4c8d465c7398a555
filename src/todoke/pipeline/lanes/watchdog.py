"""The watchdog: a lane that has work, may send and does not. It should never bark; when it does, something of ours or
of the carrier's hangs in a way that nothing else noticed.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from todoke.model.clock import SECOND, Micros

_PATIENCE = 20 * SECOND
_SLOTS = 20  # of the lane's own pace, for very slow codes
_RESET_AFTER = 3  # patiences


class Verdict(Enum):
    """What to do: nothing; say it; make the lane anew; cut the provider's links as well."""

    FINE = auto()
    ALARM = auto()
    REBUILD = auto()
    RESET = auto()


class Watched(NamedTuple):
    """`sent` was that much at `since`; since then the lane has had work and has sent nothing. `barks`: so often."""

    sent: int
    since: Micros
    barks: int = 0


def watch(
    known: Watched | None, sent: int, *, backlog: bool, able: bool, rate: float, now: Micros
) -> tuple[Watched, Verdict]:
    """What to do about a lane of `rate` segments a second that has sent `sent` altogether, and what to know next time.

    `backlog`: it has work whose time has come. `able`: the lease holds, the provider is up, nothing rests, there is
    room in the window. Without that a lane is only spoken of: links come back by themselves, and what is unanswered
    ends with the response time-out.
    """
    if known is None or known.sent != sent or not backlog:
        return Watched(sent, now), Verdict.FINE
    patience = max(_PATIENCE, int(_SLOTS * SECOND / rate))
    if now - known.since < patience * (known.barks + 1):
        return known, Verdict.FINE
    after = known._replace(barks=known.barks + 1)
    if after.barks >= _RESET_AFTER:
        return Watched(sent, now), Verdict.RESET
    return after, Verdict.REBUILD if able else Verdict.ALARM
