"""`todoke up` and its engine: an engine that dies is started again, a killed parent takes its children with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.world import eventually

from todoke.store import schema
from todoke.store.store import Store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.fixture
async def up(store: Store, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "todoke", "up"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TODOKE_DATABASE": store.url, "TODOKE_DATA_DIR": str(tmp_path)},
    )
    yield process
    if process.returncode is None:
        process.terminate()
        await process.wait()


async def engines(store: Store) -> list[int]:
    """The process ids of the engines there were, in order."""
    async with store.reading() as connection:
        return [row[0] for row in await connection.execute(select(schema.engine.c.pid).order_by(schema.engine.c.id))]


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


async def test_a_killed_engine_is_started_again(store: Store, up: asyncio.subprocess.Process) -> None:
    async def so_many(wanted: int) -> bool:
        return len(await engines(store)) >= wanted

    await eventually(lambda: so_many(1), "the first engine runs")
    os.kill((await engines(store))[0], signal.SIGKILL)
    await eventually(lambda: so_many(2), "the second engine runs")
    assert up.returncode is None


async def test_a_killed_parent_takes_its_engine_with_it(store: Store, up: asyncio.subprocess.Process) -> None:
    async def one() -> bool:
        return bool(await engines(store))

    await eventually(one, "the engine runs")
    (pid,) = await engines(store)
    assert alive(pid)
    up.kill()
    await up.wait()

    async def gone() -> bool:
        return not alive(pid)

    await eventually(gone, "the engine is gone")
