"""The tap: what an engine noted in its journal and wrote to its sockets, when, by the machine's one monotonic clock.

The simulator's ledger says what arrived. When it was *read* there says little of when it was written: a simulator that
had to wait for a processor reads in one moment what came in many. So the test build of an engine writes down each
segment just before it goes into its journal, and again just before the provider writes it to the socket.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TODOKE_TEST_TAP"

_ENTRY = struct.Struct(">cQqBHQQI")  # kind, monotonic ns, message id, segment, attempt, destination, code, pid
NOTED, WRITTEN = b"J", b"W"


class Tapped(NamedTuple):
    """One segment on its way. `at`: seconds of CLOCK_MONOTONIC, the same for every process of this machine."""

    kind: bytes
    at: float
    message_id: int
    segment: int
    attempt: int
    destination: int
    code: int
    pid: int

    @property
    def key(self) -> tuple[int, int]:
        return self.message_id, self.segment


def pack(
    kind: bytes, at_ns: int, message_id: int, segment: int, attempt: int, destination: int, code: int, pid: int
) -> bytes:
    return _ENTRY.pack(kind, at_ns, message_id, segment, attempt, destination, code, pid)


def read(path: Path) -> list[Tapped]:
    """Everything so far, in the order of time; a torn last entry is left out."""
    data = path.read_bytes() if path.exists() else b""
    whole = len(data) // _ENTRY.size * _ENTRY.size
    rows = [Tapped(row[0], row[1] / 1e9, *row[2:]) for row in _ENTRY.iter_unpack(data[:whole])]
    return sorted(rows, key=lambda row: row.at)


def fastest_second(moments: Iterable[float]) -> int:
    """The most moments (ascending) in any window of one second."""
    window: deque[float] = deque()
    most = 0
    for moment in moments:
        window.append(moment)
        while window[0] <= moment - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most
