"""Requests on their way: whose response is awaited since when, and which ones were given up."""

from __future__ import annotations

from ..pdu import MAX_SEQUENCE
from .events import StrayResponse, Timeout


class Window:
    """Every token that comes in goes out exactly once: answered, timed out, or drained at the end.

    `sent` holds the messages of the hot path (submit_sm or deliver_sm), `others` every other request with its command.
    Both keep the order of sending, so the oldest is always in front.
    """

    __slots__ = ("_hot_command", "_late", "_remember", "_sequence", "others", "sent", "size")

    def __init__(self, size: int, hot_command: int, remember: int) -> None:
        self.size = size
        self.sent: dict[int, tuple[object, float]] = {}
        self.others: dict[int, tuple[object, float, int]] = {}
        self._late: dict[int, object] = {}
        self._remember = remember
        self._hot_command = hot_command
        self._sequence = 0

    @property
    def free(self) -> int:
        """Requests that may still be sent before a response must come."""
        return self.size - len(self.sent) - len(self.others)

    def next_sequence(self) -> int:
        """1, 2, ... 0x7FFFFFFF, 1 (SMPP 3.4, 5.1.4)."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        return self._sequence

    def take_sequences(self, count: int) -> int | None:
        """The first of `count` sequence numbers in a row, or None when they would run over the end of the range."""
        first = self._sequence + 1
        if first + count - 1 > MAX_SEQUENCE:
            return None
        self._sequence += count
        return first

    def start_at(self, sequence: int) -> None:
        """Let the next sequence number be `sequence`."""
        self._sequence = (sequence - 2) % MAX_SEQUENCE + 1

    def oldest(self) -> float | None:
        """When the request that waits longest was sent, or None."""
        times = [entries[next(iter(entries))][1] for entries in (self.sent, self.others) if entries]
        return min(times, default=None)

    def expire(self, after: float, now: float) -> list[Timeout]:
        """Give up what was sent `after` seconds ago or earlier."""
        expired: list[Timeout] = []
        while self.sent:
            sequence = next(iter(self.sent))
            token, at = self.sent[sequence]
            if at + after > now:
                break
            del self.sent[sequence]
            expired.append(Timeout(token, self._hot_command, sequence))
        while self.others:
            sequence = next(iter(self.others))
            token, at, command = self.others[sequence]
            if at + after > now:
                break
            del self.others[sequence]
            expired.append(Timeout(token, command, sequence))
        for timeout in expired:
            self._late[timeout.sequence] = timeout.token
        while len(self._late) > self._remember:
            del self._late[next(iter(self._late))]
        return expired

    def stray(self, command: int, sequence: int, status: int, message_id: str) -> StrayResponse:
        """What to report for a response that nothing waits for."""
        late = sequence in self._late
        return StrayResponse(command, sequence, status, message_id, late, self._late.pop(sequence, None))

    def drain(self) -> list[object]:
        """All tokens still waiting, which wait no more."""
        tokens = [token for token, _ in self.sent.values()]
        tokens += [token for token, _, _ in self.others.values()]
        self.sent.clear()
        self.others.clear()
        return tokens
