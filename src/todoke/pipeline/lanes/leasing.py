"""How much more work a lane asks for: enough for its look-ahead, of each stream, in few and large blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from todoke.model.clock import Micros
from todoke.model.stream import RANKS, Stream
from todoke.pipeline.lanes.runs import LaneRun
from todoke.store.hot.base import Lane, Lease

LOOK_AHEAD = 1.0
"""Seconds of work that a lane holds composed or leased, of each stream: what goes first is never shut out by what is
held of the others.
"""
MOST_AHEAD = 24_576
LARGEST_BLOCK = 8_192
_LEAST_AHEAD = 8
_FEW_AHEAD = 32
_LOOK_FAR_AHEAD = 4.0
"""Seconds of work, but at most _FEW_AHEAD messages, that a slow lane holds: its blocks would be tiny otherwise."""
_MOST_DUE = 2_048


def lease(
    row: Lane, runs: Iterable[LaneRun], slotted: int, waiting: Callable[[Stream], int], now: Micros
) -> Lease | None:
    """What to take for the lane of these runs; None where it has enough. `slotted` segments have slots or had them,
    `waiting` tells how many messages of a stream are composed.
    """
    rate = row.rate
    most = min(MOST_AHEAD, max(_LEAST_AHEAD, min(_FEW_AHEAD, int(rate * _LOOK_FAR_AHEAD)), int(rate * LOOK_AHEAD)))
    # A block for every message that left would be many small ones.
    enough = most * 3 // 4 if most > _FEW_AHEAD else most // 2
    asked = Lease(row.bucket, row.transport_code_id, row.epoch)
    by_stream: dict[Stream, list[LaneRun]] = {}
    for run in runs:
        by_stream.setdefault(run.data.stream, []).append(run)
    for stream in sorted(by_stream, key=RANKS.__getitem__):
        of_stream = by_stream[stream]
        ahead = slotted + waiting(stream) + sum(run.composing for run in of_stream)
        running = [run for run in of_stream if run.running and run.wanted(now)]
        if running and ahead <= enough:
            _add(asked, stream, running, most - ahead, now)
    return asked if asked.due else None


def _add(asked: Lease, stream: Stream, running: Sequence[LaneRun], want: int, now: Micros) -> None:
    """`want` more of these runs, first of those that had least for their weight."""
    asked.due[stream] = min(want, _MOST_DUE)
    for run in sorted(running, key=lambda run: run.served):
        for cursor in run.open_cursors(now):
            limit = min(LARGEST_BLOCK, want, cursor.last_position - cursor.next_position + 1)
            if limit <= 0:
                return
            asked.cursors.append(run.ask(cursor, limit))
            run.served += limit / run.data.weight
            want -= limit
