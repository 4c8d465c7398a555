"""What the first statement of a flush finds out."""

from __future__ import annotations

from enum import Enum, auto

from todoke.store.hot.base import EngineLost, Flush, FlushOverlap, Rewound


class Passed(Enum):
    """ALONE: nobody else writes events, so that what is known by heart is true. BEFORE: it was applied already."""

    ALONE = auto()
    AMONG_OTHERS = auto()
    BEFORE = auto()


def explain(flush: Flush, flush_seq: int | None, state: str | None) -> Passed:
    """Why the flush was not counted: BEFORE, or Rewound, FlushOverlap or EngineLost."""
    if (flush_seq or 0) < flush.seq - 1:  # an engine's row is never deleted
        knows = "does not know this engine" if flush_seq is None else f"knows its flush {flush_seq}"
        raise Rewound(
            f"The database has lost what it had confirmed: engine {flush.engine_id} had come to flush {flush.seq - 1}, "
            f"and it {knows}.",
            fix="Start the engine again: every run is paused then, for a person to look at.",
        )
    if flush_seq is None or state != "alive":
        raise EngineLost(f"Engine {flush.engine_id} was declared dead.", fix="It must stop; a new one takes over.")
    if flush_seq == flush.seq:
        return Passed.BEFORE
    raise FlushOverlap(
        f"Engine {flush.engine_id} is at flush {flush_seq}, not at {flush.seq - 1}.",
        fix="Stop the other process that writes under its id.",
    )
