"""What the simulator does later: one heap of due actions, one timer."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A timer that was set and can be taken back."""

    def cancel(self) -> None:
        """Do not fire."""
        ...


class Timeline:
    """Runs actions when they are due, together; after each round `settled` is called once: writes can be joined.

    `clock` gives monotonic seconds; `set_timer(delay, callback)` arranges one call.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        set_timer: Callable[[float, Callable[[], None]], Timer],
        settled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._set_timer = set_timer
        self._settled = settled
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._timer: Timer | None = None
        self._timer_due = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, delay: float, action: Callable[[], None]) -> None:
        """Run `action` in `delay` seconds; equal times keep their order."""
        due = self._clock() + delay
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, action))
        if self._timer is None or due < self._timer_due:
            self._arm(due)

    def stop(self) -> None:
        """Forget everything."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._set_timer(max(0.0, due - self._clock()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._clock()
        # What an action adds belongs to the next round: one that re-adds itself cannot starve the loop.
        due: list[Callable[[], None]] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        try:
            for action in due:
                action()
        finally:
            self._settled()
            if self._heap and (self._timer is None or self._heap[0][0] < self._timer_due):
                self._arm(self._heap[0][0])
