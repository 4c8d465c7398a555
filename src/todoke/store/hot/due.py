"""What becomes of a row that is given to `due`, by the state of its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
