"""A simulator that comes back on the port of the one that was killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from todoke.service.processes import Child, simulator


@asynccontextmanager
async def restarted(killed: Child, ledger: Path) -> AsyncIterator[Child]:
    """The same port, the same ledger, no memory of what it had accepted."""
    options = ("--ledger", str(ledger), "--receipt-delay", "0.02")
    child = await simulator(*options, port=killed.told["smpp_port"])
    try:
        yield child
    finally:
        await child.stop()
