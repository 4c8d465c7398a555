"""Rows to measure, evenly spread over however many there come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from todoke.sms.measuring import Measured, Meter

MOST_MEASURED = 40_000
"""Rows that count at the most. They are measured one by one up to here, then every second of them counts, and so on."""


class Sample:
    """Call `take` for the next rows, and `add` for each that it names. What does not count any more is forgotten, so
    that nobody must know beforehand how many rows there will be.
    """

    def __init__(self, meter: Callable[[], Meter], most: int | None = None) -> None:
        self._meter = meter
        self._most = MOST_MEASURED if most is None else most
        self._meters: dict[int, Meter] = {}  # by the largest step on which their rows stand
        self._measured = 0
        self._step = 1
        self.rows = 0  # there were

    def take(self, count: int) -> list[tuple[int, int]]:
        """Of the next so many rows those that are to be measured: place among them, from 0, and number among all."""
        first = self.rows + 1
        self.rows += count
        return [(place, first + place) for place in range(-first % self._step, count, self._step)]

    def add(self, number: int, row: Sequence[str], waits: str = "") -> None:
        """Measure the row of that number. `waits`: what its text would have to wait for."""
        step = number & -number
        if step < self._step:
            return
        meter = self._meters.get(step)
        if meter is None:
            meter = self._meters[step] = self._meter()
        meter.add(row, waits)
        self._measured += 1
        while self._measured > self._most:
            dropped = self._meters.pop(self._step, None)
            self._measured -= 0 if dropped is None else dropped.measured.rows
            self._step *= 2

    @property
    def measured(self) -> Measured:
        """What counts: of all rows, or of every second, fourth, ..."""
        found = Measured()
        for meter in self._meters.values():
            found.segments.update(meter.measured.segments)
            found.skipped.update(meter.measured.skipped)
            found.unwaited.update(meter.measured.unwaited)
            found.ucs2 += meter.measured.ucs2
        return found
