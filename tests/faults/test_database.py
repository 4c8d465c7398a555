"""The database goes away and comes back while an engine sends: nobody is texted twice, nobody is forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from tests.faults.conftest import Spawn
from tests.world import eventually, make_world

from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.service.processes import Child
from todoke.store.store import Store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS = 2_000
TIMES = 5

# Every session of the database but the one that asks: commits under way are answered by nobody.
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = $1 AND pid <> pg_backend_pid()
"""


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_sessions_that_are_cut_lose_and_double_nothing(
    store: Store, simulator: Child, spawn: Spawn, ledger: Path
) -> None:
    world = await make_world(store, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=800)
    parts = urlsplit(store.url)
    server = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        run = await world.start()
        child = await spawn()
        for part in range(1, TIMES + 1):

            async def so_far(wanted: int = part * CONTACTS // (TIMES + 1)) -> bool:
                return len(world.entries()) >= wanted

            await eventually(so_far, "the run goes on")
            await server.fetchval(CUT, parts.path[1:])

        async def ended() -> bool:
            try:
                return await world.state(run) not in OPEN and not (await world.counts(run))[State.SENT]
            except Exception:  # this test's own sessions were cut, too
                await asyncio.sleep(0.1)
                return False

        await eventually(ended, "the run ends", 90)
        assert child.process.returncode is None  # the engine lived through all of it
    finally:
        await server.close()
    assert await world.judge(run, CONTACTS) == {State.DELIVERED: CONTACTS}
