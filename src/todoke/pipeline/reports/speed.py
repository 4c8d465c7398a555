"""How fast a run goes, from looks at its counts."""

from __future__ import annotations

from collections import deque

_SPAN = 5.0  # seconds that the rate is taken over


class Speed:
    """Feed it looks in order of time; it keeps those of the last seconds."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque()

    def add(self, at: float, handed_over: int, skipped: int = 0) -> None:
        """A look at monotonic time `at`, in seconds."""
        self._looks.append((at, handed_over, skipped))
        while len(self._looks) > 2 and self._looks[1][0] <= at - _SPAN:
            self._looks.popleft()

    @property
    def rate(self) -> float:
        """Messages handed over a second."""
        return self._difference(1)

    def time_left(self, waiting: int) -> float | None:
        """Seconds until `waiting` messages are through; None where nothing moves."""
        pace = self._difference(1) + self._difference(2)
        return waiting / pace if pace > 0 else None

    def _difference(self, index: int) -> float:
        if len(self._looks) < 2:
            return 0.0
        first, last = self._looks[0], self._looks[-1]
        seconds = last[0] - first[0]
        return max(0.0, (last[index] - first[index]) / seconds) if seconds > 0 else 0.0
