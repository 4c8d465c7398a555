"""A skill run: one start of a skill over a list; its states as a table."""

from __future__ import annotations

from enum import StrEnum

from todoke.model.errors import Conflict


class RunState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"  # no more is handed over; what is with the provider is waited for
    STOPPED = "stopped"
    FINISHED = "finished"


class RunEvent(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    FORCE_STOP = "force_stop"
    SETTLE = "settle"  # nothing is open any more
    REOPEN = "reopen"  # a person sends again what is in doubt


TRANSITIONS: dict[RunState, dict[RunEvent, RunState]] = {
    RunState.RUNNING: {
        RunEvent.PAUSE: RunState.PAUSED,
        RunEvent.STOP: RunState.STOPPING,
        RunEvent.FORCE_STOP: RunState.STOPPING,
        RunEvent.SETTLE: RunState.FINISHED,
    },
    RunState.PAUSED: {
        RunEvent.PAUSE: RunState.PAUSED,  # by a person, of one that would go on by itself when its filter is applied
        RunEvent.RESUME: RunState.RUNNING,
        RunEvent.STOP: RunState.STOPPING,
        RunEvent.FORCE_STOP: RunState.STOPPING,
        RunEvent.SETTLE: RunState.FINISHED,  # all that was left of it expired
    },
    RunState.STOPPING: {RunEvent.FORCE_STOP: RunState.STOPPING, RunEvent.SETTLE: RunState.STOPPED},
    RunState.STOPPED: {},
    RunState.FINISHED: {RunEvent.REOPEN: RunState.RUNNING},
}

OPEN = frozenset({RunState.RUNNING, RunState.PAUSED, RunState.STOPPING})

_INNER = frozenset({RunEvent.SETTLE, RunEvent.REOPEN})  # no command of their own


def step(state: RunState, event: RunEvent) -> RunState:
    """The state after `event`; Conflict, saying what is possible, where it does not apply."""
    after = TRANSITIONS[state].get(event)
    if after is None:
        possible = [e.value.replace("_", " ") for e in TRANSITIONS[state] if e not in _INNER]
        raise Conflict(
            f"A run that is {state.value} cannot be made to {event.value.replace('_', ' ')}.",
            fix=f"Possible now: {', '.join(possible)}."
            if possible
            else "It has ended; start the skill again for a new run.",
        )
    return after
