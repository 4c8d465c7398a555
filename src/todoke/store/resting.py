"""Bulk work on SQLite leaves the writer to others between its transactions, where an engine sends."""

from __future__ import annotations

import asyncio
import time
from sqlite3 import Connection

# Seconds at least: who waits for the writer looks again after 1, 2, 5, 10, ... ms, and would hardly ever find it free.
REST = 0.01

_SENDING = "SELECT 1 FROM engine WHERE state = 'alive' AND lease_until > ? LIMIT 1"


def is_sending(db: Connection) -> bool:
    """Whether an engine works over this file now."""
    return db.execute(_SENDING, (time.time_ns() // 1000,)).fetchone() is not None


async def rest(begun: float) -> None:
    """As long as the transaction took that was asked for at that moment of `time.perf_counter`."""
    await asyncio.sleep(max(REST, time.perf_counter() - begun))
