"""Looks between two flushes whether numbers are on do-not-call groups: those whose texts have their slots, when many
were put there at once; and those of the stop set, which may be free again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from todoke.model.clock import Clock
from todoke.pipeline.lanes.stops import StopSet
from todoke.store.hot.looking import Looking

_REST = 0.5
"""Seconds between two looks, while an import says many times a second that there are more."""


class Relook:
    """Puts into the stop set what must not be written of what is reserved. No slot is lost by it."""

    def __init__(
        self,
        hot: Looking,
        clock: Clock,
        stops: StopSet,
        reserved: Callable[[], Iterable[tuple[tuple[int, ...], int]]],
        patiently: Callable[[Callable[[], Awaitable[set[tuple[int, int]]]]], Awaitable[set[tuple[int, int]]]],
    ) -> None:
        """`reserved` tells the groups and the number of each text that has its slots."""
        self._hot = hot
        self._clock = clock
        self._stops = stops
        self._reserved = reserved
        self._patiently = patiently
        self._wanted = False
        self.working = False

    def want(self) -> bool:
        """There may be more numbers; whether `work` is to be started."""
        self._wanted = True
        return not self.working

    async def work(self) -> None:
        """Until nobody wanted it any more meanwhile."""
        self.working = True
        try:
            while self._wanted:
                self._wanted = False
                pairs = {(group, phone) for groups, phone in self._reserved() for group in groups}
                if pairs:
                    for group, phone in await self._patiently(lambda p=pairs: self._hot.listed(p)):
                        self._stops.add(group, phone, self._clock.now())
                await asyncio.sleep(_REST)
        finally:
            self.working = False


async def lift_freed(hot: Looking, stops: StopSet, clock: Clock) -> None:
    """What is in the stop set and on no group any more is lifted: who freed it may have been another process, of which
    nothing was heard. StoreUnavailable.
    """
    asked = clock.now()
    pairs = stops.pairs()
    if pairs:
        for group, phone in set(pairs) - await hot.listed(pairs):
            stops.lift(group, phone, asked)
