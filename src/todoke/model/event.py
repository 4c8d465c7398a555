"""What happened to a message, as events; and its state, as the fold of them.

Events are only ever appended, one row a (message, segment, attempt, kind). Segment 0 speaks of the whole message.
The fold looks at the last attempt of each segment and goes by rank, so that a late or repeated event never takes a
message backwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

from todoke.model.clock import Micros


class Kind(IntEnum):
    """The kinds of event; within one attempt of one segment the higher one wins."""

    DEFERRED = 10  # a later attempt follows through `due`: after a temporary error, or of what is in doubt
    IN_DOUBT = 20  # handed over, result not known
    ACCEPTED = 30  # the provider has it, and gave it an id
    UNDELIVERED = 40  # a receipt said no, for good
    REJECTED = 50  # the provider refused it for good
    DELIVERED = 60  # a receipt said yes
    # Of the whole message (segment 0): it went no further, for a reason.
    SKIPPED = 70
    STOPPED = 71
    EXPIRED = 72


WHOLE = frozenset({Kind.SKIPPED, Kind.STOPPED, Kind.EXPIRED})
RECEIPTS = frozenset({Kind.DELIVERED, Kind.UNDELIVERED})


class State(StrEnum):
    """The state of a message. WAITING is not tallied: what waits is what the others do not count."""

    WAITING = "waiting"
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"
    EXPIRED = "expired"


HANDED_OVER = frozenset({State.SENT, State.IN_DOUBT, State.DELIVERED, State.FAILED})


class Event(NamedTuple):
    """One event. `segments` is how many the message has (0 where it was never composed). `reason` is a short code, see
    `model/reason.py`.
    """

    message_id: int
    segment: int
    attempt: int
    kind: int
    at: Micros
    segments: int = 0
    provider_id: int | None = None
    provider_message_id: str | None = None
    reason: str = ""


class Folded(NamedTuple):
    """The state of a message, the reason for it, since when, and how many segments count."""

    state: State
    reason: str
    at: Micros
    segments: int


NOTHING = Folded(State.WAITING, "", 0, 0)


def fold(events: Iterable[Event]) -> Folded:
    """The state of ONE message from all its events, in any order.

    One segment failed for good: the message has FAILED. Else a segment without a word, or deferred: it is WAITING.
    Else one in doubt: IN_DOUBT. Else all delivered: DELIVERED. Else SENT. A segment that was delivered at any
    attempt is delivered. A word on the whole message says that it goes no further: where every segment was handed
    over before, it only ended another attempt, and changes nothing.
    """
    whole: Event | None = None
    last: dict[int, Event] = {}
    total = 0
    for event in events:
        total = max(total, event.segments)
        if event.segment == 0:
            if whole is None or (event.attempt, event.kind) > (whole.attempt, whole.kind):
                whole = event
            continue
        best = last.get(event.segment)
        if best is None or _beats(event, best):
            last[event.segment] = event
    if whole is None and not last:
        return NOTHING
    known = last.values()
    failed = [e for e in known if e.kind in (Kind.REJECTED, Kind.UNDELIVERED)]
    if failed:
        first = min(failed, key=lambda e: (e.at, e.segment))
        return Folded(State.FAILED, first.reason, first.at, total)
    if whole is not None and (not last or len(last) < total or any(e.kind == Kind.DEFERRED for e in known)):
        if any(e.kind != Kind.DEFERRED for e in known):  # cut short after a part of it had left
            return Folded(State.FAILED, whole.reason, whole.at, total)
        return Folded(_WHOLE_STATES[whole.kind], whole.reason, whole.at, total)
    if len(last) < total or any(e.kind == Kind.DEFERRED for e in known):
        return NOTHING
    doubtful = [e for e in known if e.kind == Kind.IN_DOUBT]
    if doubtful:
        first = min(doubtful, key=lambda e: (e.at, e.segment))
        return Folded(State.IN_DOUBT, first.reason, first.at, total)
    latest = max(known, key=lambda e: (e.at, e.segment))
    if all(e.kind == Kind.DELIVERED for e in known):
        return Folded(State.DELIVERED, "", latest.at, total)
    first_sent = max((e for e in known if e.kind == Kind.ACCEPTED), key=lambda e: (e.at, e.segment))
    return Folded(State.SENT, "", first_sent.at, total)


def in_doubt(events: Iterable[Event]) -> set[tuple[int, int]]:
    """The (segment, attempt) of ONE message that are in doubt: nothing said later, of the same or a later attempt of
    the segment, how it ended. A delivery at any attempt ends them all.
    """
    doubted: set[tuple[int, int]] = set()
    ended: dict[int, int] = {}  # by segment, the last attempt that came to an end
    for event in events:
        if event.kind == Kind.IN_DOUBT:
            doubted.add((event.segment, event.attempt))
        elif event.kind == Kind.DELIVERED:
            ended[event.segment] = _ANY
        elif event.kind in _ENDS:
            ended[event.segment] = max(event.attempt, ended.get(event.segment, 0))
    return {(segment, attempt) for segment, attempt in doubted if ended.get(segment, -1) < attempt}


_ANY = 1 << 15
_ENDS = frozenset({Kind.ACCEPTED, Kind.UNDELIVERED, Kind.REJECTED})
_WHOLE_STATES: dict[int, State] = {
    Kind.SKIPPED: State.SKIPPED,
    Kind.STOPPED: State.STOPPED,
    Kind.EXPIRED: State.EXPIRED,
}


def _beats(event: Event, best: Event) -> bool:
    if Kind.DELIVERED in (event.kind, best.kind) and event.kind != best.kind:
        return event.kind == Kind.DELIVERED
    return (event.attempt, event.kind) > (best.attempt, best.kind)
