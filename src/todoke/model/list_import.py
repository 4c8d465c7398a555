"""An import: one file on its way into a calling list; its states as a table."""

from __future__ import annotations

from enum import StrEnum

from todoke.model.errors import Conflict


class ImportState(StrEnum):
    RUNNING = "running"  # or its process was killed: then another one can go on with it
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportEvent(StrEnum):
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    RESUME = "resume"


TRANSITIONS: dict[ImportState, dict[ImportEvent, ImportState]] = {
    ImportState.RUNNING: {
        ImportEvent.FINISH: ImportState.DONE,
        ImportEvent.FAIL: ImportState.FAILED,
        ImportEvent.CANCEL: ImportState.CANCELLED,
        ImportEvent.RESUME: ImportState.RUNNING,  # by another process
    },
    ImportState.FAILED: {ImportEvent.RESUME: ImportState.RUNNING, ImportEvent.CANCEL: ImportState.CANCELLED},
    ImportState.DONE: {},
    ImportState.CANCELLED: {},
}

RESUMABLE = tuple(state for state, events in TRANSITIONS.items() if ImportEvent.RESUME in events)


def step(state: ImportState, event: ImportEvent) -> ImportState:
    """The state after `event`; Conflict where it does not apply."""
    after = TRANSITIONS[state].get(event)
    if after is None:
        raise Conflict(f"An import that is {state.value} cannot be made to {event.value}.", fix="Import the file anew.")
    return after
