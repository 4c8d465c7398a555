"""Running counts of a simulator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    """Since the start of the process; `connections`, `bound` and `waiting` are of this moment."""

    connections: int = 0
    bound: int = 0
    binds_refused: int = 0
    submits: int = 0
    accepted: int = 0
    dropped: int = 0
    """Connections that a fault or the control port dropped."""
    inbound_sent: int = 0
    """Receipts and replies written, repeats included."""
    inbound_acknowledged: int = 0
    inbound_repeated: int = 0
    waiting: int = 0
    """Receipts and replies that are not acknowledged yet."""
