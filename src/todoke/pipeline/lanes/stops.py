"""The stop set: numbers that asked us to stop, pushed here the moment their opt-out is stored.

What is already reserved is looked up here once more before each write. A number stays for a while only: later work is
scrubbed against the store.
"""

from __future__ import annotations

from collections import deque

from todoke.model.clock import SECOND, Micros

_KEEP = 600 * SECOND


class StopSet:
    """(DNC group, number) pairs of the last ten minutes."""

    def __init__(self) -> None:
        self._added: dict[tuple[int, int], Micros] = {}
        self._phones: dict[int, int] = {}
        self._order: deque[tuple[Micros, tuple[int, int]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._added)

    def add(self, group: int, phone: int, now: Micros) -> None:
        """The number is on this group from now on."""
        self._forget(now)
        pair = (group, phone)
        if pair not in self._added:
            self._phones[phone] = self._phones.get(phone, 0) + 1
        self._added[pair] = now
        self._order.append((now, pair))

    def lift(self, group: int, phone: int, before: Micros | None = None) -> None:
        """An opt-in: the number may be texted again. `before`: an entry has expired; what was said after that moment
        stays.
        """
        if before is None or self._added.get((group, phone), before) < before:
            self._drop((group, phone))

    def pairs(self) -> list[tuple[int, int]]:
        """All of them."""
        return list(self._added)

    def has(self, groups: tuple[int, ...], phone: int) -> bool:
        """Whether the number is on one of the groups."""
        return phone in self._phones and any((group, phone) in self._added for group in groups)

    def _forget(self, now: Micros) -> None:
        while self._order and self._order[0][0] < now - _KEEP:
            at, pair = self._order.popleft()
            if self._added.get(pair) == at:  # it was not added again since
                self._drop(pair)

    def _drop(self, pair: tuple[int, int]) -> None:
        if self._added.pop(pair, None) is not None:
            left = self._phones[pair[1]] - 1
            if left:
                self._phones[pair[1]] = left
            else:
                del self._phones[pair[1]]
