"""The mail on its way over one connection: what was written and not acknowledged yet."""

from __future__ import annotations

from collections import deque

from todoke.providers.simulator.inbound import Mail
from todoke.smpp.pdu import HEADER, HEADER_SIZE, MAX_SEQUENCE

_SLACK = 0.001


class InboundWindow:
    """At most `limit` requests at a time; sequence numbers from 1. Times are monotonic seconds, given by the caller."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sequence = 0
        self._written: dict[int, tuple[float, Mail]] = {}

    def fill(self, waiting: deque[Mail], now: float) -> list[bytes]:
        """Take from the left of `waiting` what there is room for; the PDUs to write."""
        pdus: list[bytes] = []
        for _ in range(min(self._limit - len(self._written), len(waiting))):
            mail = waiting.popleft()
            self._sequence = self._sequence % MAX_SEQUENCE + 1
            self._written[self._sequence] = now, mail
            pdus.append(HEADER.pack(HEADER_SIZE + len(mail.body), mail.command, 0, self._sequence) + mail.body)
        return pdus

    def acknowledge(self, sequence: int) -> bool:
        """The client has it: True when this was news."""
        return self._written.pop(sequence, None) is not None

    def overdue(self, timeout: float, now: float) -> list[Mail]:
        """Take out what was written `timeout` ago or earlier; the oldest first."""
        late = [sequence for sequence, (at, _) in self._written.items() if at + timeout <= now + _SLACK]
        return [self._written.pop(sequence)[1] for sequence in late]

    def oldest(self) -> float | None:
        """When the oldest was written; None when there is none."""
        return next(iter(self._written.values()))[0] if self._written else None

    def clear(self) -> list[Mail]:
        """Take everything out; the oldest first."""
        mail = [one for _, one in self._written.values()]
        self._written.clear()
        return mail
