"""The PostgreSQL server itself dies under an engine that sends: a backend is killed, the server is restarted."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.faults.lab import Lab, kill
from tests.faults.server import Server, binaries

from todoke.model.event import State
from todoke.store.store import open_store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS, RATE = 1_200, 400


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A cluster of this test's own."""
    programs = binaries()
    if programs is None:
        if os.environ.get("TODOKE_REQUIRE_POSTGRES") == "1":
            pytest.fail("initdb is not there")
        pytest.skip("initdb is not there")
    with tempfile.TemporaryDirectory(prefix="todoke-pg-", ignore_cleanup_errors=True) as folder:
        one = Server(Path(folder), programs)
        try:
            await one.create()
            yield one
        finally:
            await one.stop(signal.SIGQUIT)


@pytest.fixture
async def lab(server: Server, tmp_path: Path) -> AsyncIterator[Lab]:
    async with await open_store(server.url) as store:
        one = Lab(store, tmp_path)
        try:
            await one.simulate()
            yield one
        finally:
            await one.close()


async def test_kills_of_backends_and_restarts_lose_and_double_nothing(lab: Lab, server: Server) -> None:
    """Commits under way are answered by nobody; the engine lives through all of it, and nothing is in doubt."""
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    child = await lab.engine()
    await lab.taken(100)
    await server.crash()
    await lab.taken(300)
    await server.restart(signal.SIGINT)
    await lab.taken(500)
    await server.restart(signal.SIGQUIT)
    await lab.taken(700)
    await server.crash()
    found = await lab.verdict()
    assert child.process.returncode == 0
    assert found.counts == {State.DELIVERED: CONTACTS}


async def test_an_engine_that_is_killed_while_the_server_is_away(lab: Lab, server: Server) -> None:
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    child = await lab.engine()
    await lab.taken(100)
    await server.stop(signal.SIGQUIT)
    await asyncio.sleep(0.1)  # a moment in which it may still write what it had reserved
    await kill(child)
    await server.start()
    await lab.engine()
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}
