"""What becomes of a row that is given to `due`, by the state of its run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from todoke.model.clock import Micros
from todoke.model.event import Event, Kind
from todoke.model.run import RunState
from todoke.store.hot.base import DueRow

RunKey = tuple[int, int]  # bucket, run id

KINDS: dict[str, Kind] = {"stopped": Kind.STOPPED, "expired": Kind.EXPIRED}


class Placed(NamedTuple):
    """A due row and the state it is stored in."""

    row: DueRow
    state: Literal["ready", "parked"]


def cut_short(message_id: int, attempt: int, reason: str, now: Micros) -> Event:
    """The message goes no further because its run was `stopped` or `expired`."""
    return Event(message_id, 0, attempt, KINDS[reason], now, reason=reason)


def place(rows: Iterable[DueRow], states: Mapping[RunKey, RunState], now: Micros) -> tuple[list[Placed], list[Event]]:
    """Rows of a running run are ready, of a paused one parked; of any other they become STOPPED events."""
    placed: list[Placed] = []
    stopped: list[Event] = []
    for row in rows:
        match states.get((row.bucket, row.run_id)):
            case RunState.RUNNING:
                placed.append(Placed(row, "ready"))
            case RunState.PAUSED:
                placed.append(Placed(row, "parked"))
            case _:
                stopped.append(cut_short(row.message_id, row.attempt, "stopped", now))
    return placed, stopped


JOURNAL_LOST = "journal_lost"


def without(events: Iterable[Event], waiting: Collection[int]) -> list[Event]:
    """What a void journal puts in doubt, but for messages that have a row in `due` or an intent at that attempt or a
    later one: they were certainly not sent.
    """
    return [event for event in events if event.reason != JOURNAL_LOST or event.message_id not in waiting]


def left_over(rows: Iterable[DueRow], told: Iterable[Event], under_way: Collection[int]) -> list[DueRow]:
    """Of what a dead engine seems to have left, what nobody else has in hand.

    A message that it had given to `due` before may have been taken by another engine since, and sent. `told`: the
    events of these messages as they are now; `under_way`: those of them that have an intent, or a due row of a
    later attempt.
    """
    known: dict[int, list[Event]] = {}
    for event in told:
        known.setdefault(event.message_id, []).append(event)
    left: list[DueRow] = []
    for row in rows:
        events = known.get(row.message_id, [])
        if row.message_id in under_way or any(event.attempt > row.attempt for event in events):
            continue
        answered = {event.segment for event in events if event.attempt == row.attempt}
        if 0 in answered or (answered and not row.segments):
            continue
        unsent = [number for number in row.segments.split(",") if number and int(number) not in answered]
        if unsent or not row.segments:
            left.append(row._replace(segments=",".join(unsent)))
    return left
