"""Real processes: an engine that can be killed, a simulator that outlives it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.faults.lab import Lab, kill

from todoke.config import Settings
from todoke.service.processes import Child, engine
from todoke.service.processes import simulator as spawn_simulator
from todoke.store.store import Store

__all__ = ["Spawn", "kill"]

Spawn = Callable[[], Awaitable[Child]]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "simulator.ledger"


@pytest.fixture
async def simulator(ledger: Path) -> AsyncIterator[Child]:
    """A simulator process; receipts come soon after."""
    child = await spawn_simulator("--ledger", str(ledger), "--receipt-delay", "0.02", "--control-port", "0")
    yield child
    await child.stop()


@pytest.fixture
async def spawn(store: Store, tmp_path: Path) -> AsyncIterator[Spawn]:
    """Starts an engine process; what still runs at the end of the test is stopped."""
    children: list[Child] = []

    async def start() -> Child:
        child = await engine(Settings(database=store.url, data_dir=tmp_path, log_level="warning"))
        children.append(child)
        return child

    yield start
    for child in children:
        await child.stop()


@pytest.fixture
async def lab(store: Store, tmp_path: Path) -> AsyncIterator[Lab]:
    """A laboratory with a simulator; see `lab.py`."""
    one = Lab(store, tmp_path)
    try:
        await one.simulate()
        yield one
    finally:
        await one.close()
