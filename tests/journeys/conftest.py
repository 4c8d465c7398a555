"""The engine in this process, the simulator too, a real socket between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from todoke.config import Settings
from todoke.providers.simulator import Behaviour, Simulator
from todoke.providers.simulator import Settings as SimulatorSettings
from todoke.service.engine import Engine
from todoke.store.store import Store

EngineContext = Callable[[], AbstractAsyncContextManager[Engine]]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "simulator.ledger"


@pytest.fixture
async def simulator(ledger: Path) -> AsyncIterator[Simulator]:
    """A simulator that answers at once, its receipts soon after."""
    settings = SimulatorSettings(port=0, control_port=0, ledger=ledger, behaviour=Behaviour(receipt_delay=0.02))
    async with Simulator(settings) as running:
        yield running


@pytest.fixture
def engine(store: Store, tmp_path: Path) -> EngineContext:
    """`async with engine():` runs one until the block's end, and stops it cleanly."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Engine]:
        one = Engine(Settings(database=store.url, data_dir=tmp_path), store)
        up = asyncio.Event()
        task = asyncio.create_task(one.run(up.set))
        ready = asyncio.create_task(up.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            if task.done():
                task.result()
            yield one
        finally:
            one.stop()
            await task

    return running
