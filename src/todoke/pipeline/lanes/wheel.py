"""One timer for all lanes: whatever is to be woken within a tick is woken together."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable

from todoke.model.clock import SECOND, Clock, Micros

TICK: Micros = 5_000
"""A slot is used up to so much late; hundreds of slow lanes then wake the engine 200 times a second and not
thousands of times.
"""


class Wheel:
    """`wake(keys)` is called on the event loop for keys whose moment has come; each was forgotten just before."""

    def __init__(self, clock: Clock, wake: Callable[[Iterable[int]], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._moments: dict[int, Micros] = {}  # when each key is to be woken, a whole tick
        self._ticks: dict[Micros, list[int]] = {}
        self._order: list[Micros] = []  # a heap of `_ticks`
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Micros = 0

    def at(self, key: int, moment: Micros) -> None:
        """Wake `key` at the end of the tick that `moment` lies in; an earlier call that is still to come stands where
        it is sooner.
        """
        tick = -(-moment // TICK) * TICK
        known = self._moments.get(key)
        if known is not None and known <= tick:
            return
        self._moments[key] = tick
        waiting = self._ticks.get(tick)
        if waiting is not None:
            waiting.append(key)
            return
        self._ticks[tick] = [key]
        heapq.heappush(self._order, tick)
        if self._timer is None or tick < self._timer_at:
            self._set()

    def clear(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._moments.clear()
        self._ticks.clear()
        self._order.clear()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._order:
            self._timer_at = self._order[0]
            delay = max(0.001, (self._timer_at - self._clock.now()) / SECOND)
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._clock.now()
        due: list[int] = []
        while self._order and self._order[0] <= now:
            tick = heapq.heappop(self._order)
            for key in self._ticks.pop(tick):
                if self._moments.get(key) == tick:  # else it was woken earlier, or asked for another moment
                    del self._moments[key]
                    due.append(key)
        try:
            if due:
                self._wake(due)
        finally:
            self._set()
