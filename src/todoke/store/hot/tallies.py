"""How the live counts move: new fold minus old fold, gathered for one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from todoke.model.clock import hour_of
from todoke.model.event import Event, Folded, State, fold
from todoke.model.ids import address


class TallyRow(NamedTuple):
    """By how much one row of `tally` changes."""

    bucket: int
    run_id: int
    outcome: str
    reason: str
    hour: int
    messages: int
    segments: int


class Tallies:
    """Changes of counts, by the key of the row that they belong to."""

    def __init__(self) -> None:
        self._changes: dict[tuple[int, int, str, str, int], tuple[int, int]] = {}

    def add(
        self, bucket: int, run_id: int, outcome: State, reason: str, hour: int, messages: int, segments: int
    ) -> None:
        """So many more (or fewer) messages, of so many segments together."""
        key = (bucket, run_id, outcome.value, reason, hour)
        before = self._changes.get(key, (0, 0))
        self._changes[key] = (before[0] + messages, before[1] + segments)

    def move(self, message_id: int, old: Folded, new: Folded) -> None:
        """One message went from `old` to `new`; what waits is not counted."""
        if old == new:
            return
        bucket, run_id, _ = address(message_id)
        if old.state is not State.WAITING:
            self.add(bucket, run_id, old.state, old.reason, hour_of(old.at), -1, -old.segments)
        if new.state is not State.WAITING:
            self.add(bucket, run_id, new.state, new.reason, hour_of(new.at), 1, new.segments)

    def rows(self) -> list[TallyRow]:
        """What changes, in the order of the key, so that two transactions never wait for each other crosswise."""
        return [TallyRow(*key, *change) for key, change in sorted(self._changes.items()) if change != (0, 0)]


def add_events(stored: Iterable[Event], offered: Iterable[Event], tallies: Tallies) -> list[Event]:
    """Those of `offered` that are not stored yet, each once; `tallies` moves by what they change.

    `stored` must hold every event of every message that `offered` speaks of.
    """
    before: dict[int, list[Event]] = {}
    for event in stored:
        before.setdefault(event.message_id, []).append(event)
    fresh: dict[int, dict[tuple[int, int, int], Event]] = {}
    for event in offered:
        fresh.setdefault(event.message_id, {}).setdefault((event.segment, event.attempt, event.kind), event)
    new: list[Event] = []
    for message_id, candidates in fresh.items():
        known = before.get(message_id, [])
        for event in known:
            candidates.pop((event.segment, event.attempt, event.kind), None)
        if candidates:
            new.extend(candidates.values())
            tallies.move(message_id, fold(known), fold([*known, *candidates.values()]))
    return new
