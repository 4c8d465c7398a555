"""Hours that were widened: what waits in `due` for the old opening goes at the new one. So does what waits for a
frequency cap that lets go earlier.

The opening moments of a run's places by the hours of before and of now tell which rows that are; a cap holds each
number until a moment of its own, so all that waits is looked at. They are moved in small transactions, with rests
between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from todoke.model.clock import Clock, Micros
from todoke.model.stream import Stream
from todoke.pipeline.lanes.runs import LaneRun
from todoke.store.hot.forwarding import Forwarding, Span

_STORED = 1.0
"""Seconds in which what was composed by the old hours comes to `due`."""
_REST = 0.05
"""Seconds between two transactions: some 40,000 rows a second at the most."""
_SLICE = 64


class _Key(NamedTuple):
    bucket: int
    transport_code_id: int
    stream: Stream
    to: Micros
    until: Micros


class Widened:
    """Gathers runs whose hours or caps changed; `work` brings forward what they hold too long."""

    def __init__(
        self, hot: Forwarding, clock: Clock, patiently: Callable[[Callable[[], Awaitable[int]]], Awaitable[int]]
    ) -> None:
        self._hot = hot
        self._clock = clock
        self._patiently = patiently
        self._changed: list[tuple[LaneRun, LaneRun]] = []
        self.working = False

    def __bool__(self) -> bool:
        return bool(self._changed)

    def add(self, before: LaneRun, after: LaneRun) -> None:
        """The same run as it was and as it is."""
        if not after.data.standing:
            self._changed.append((before, after))

    async def work(self) -> None:
        """Until nothing is left of what was added."""
        self.working = True
        try:
            while self._changed:
                await asyncio.sleep(_STORED)
                changed, self._changed = self._changed, []
                for span in await _spans(changed, self._clock.now()):
                    await self._move(span)
        finally:
            self.working = False

    async def _move(self, span: Span) -> None:
        while True:
            moved = await self._patiently(lambda: self._hot.bring_forward(span, self._clock.now()))
            if not moved:
                return
            await asyncio.sleep(_REST)


async def _spans(changed: list[tuple[LaneRun, LaneRun]], now: Micros) -> list[Span]:
    """The earliest opening first: so no row is moved to the opening of other places on its way."""
    found: dict[_Key, set[int]] = {}
    for before, after in changed:
        data = after.data
        if after.loosened(before.data):
            key = _Key(data.bucket, data.transport_code_id, data.stream, now, data.expires_at)
            found.setdefault(key, set()).add(data.id)
        for zone_set in range(len(before.zones)):
            if not zone_set % _SLICE:
                await asyncio.sleep(0)
            old, new = before.opens_at(zone_set, now), after.opens_at(zone_set, now)
            until = data.expires_at if old is None else old
            if new is not None and new < until:
                key = _Key(data.bucket, data.transport_code_id, data.stream, new, until)
                found.setdefault(key, set()).add(data.id)
    return [Span(*key, tuple(sorted(found[key]))) for key in sorted(found, key=lambda key: (key.to, key.until))]
