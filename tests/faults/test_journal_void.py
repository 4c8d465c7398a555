"""A journal of another boot of the machine says nothing: what was reserved and not answered is in doubt."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.faults.conftest import Spawn, kill
from tests.world import BUCKET, World, eventually, make_world

from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.service.machine import boot_id
from todoke.service.processes import Child
from todoke.store import schema
from todoke.store.store import Store

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

CONTACTS = 600
RATE = 400


def of_another_boot(journal: Path) -> None:
    """As if the machine had been started anew since."""
    data = journal.read_bytes()
    assert data.count(boot_id().encode()) == 1
    journal.write_bytes(data.replace(boot_id().encode(), str(uuid.uuid4()).encode()))


async def doubts(world: World, run: int) -> dict[str, int]:
    """Messages in doubt by reason."""
    t = schema.tally.c
    async with world.store.reading() as connection:
        rows = await connection.execute(
            select(t.reason, t.messages).where(
                t.bucket == BUCKET, t.run_id == run, t.outcome == State.IN_DOUBT.value, t.messages > 0
            )
        )
        return {row.reason: row.messages for row in rows}


@pytest.mark.parametrize("rebooted", [True, False], ids=["another boot", "the same boot"])
async def test_what_was_reserved_is_in_doubt(
    store: Store, simulator: Child, spawn: Spawn, ledger: Path, tmp_path: Path, rebooted: bool
) -> None:
    world = await make_world(store, simulator.told["smpp_port"], ledger, contacts=CONTACTS, rate=RATE)
    run = await world.start()
    child = await spawn()

    async def under_way() -> bool:
        return len(world.entries()) > CONTACTS // 4

    await eventually(under_way, "the run is under way")
    await kill(child)
    (journal,) = (tmp_path / "journals").glob("*.journal")
    if rebooted:
        of_another_boot(journal)
    await spawn()

    async def ended() -> bool:
        return await world.state(run) not in OPEN and not (await world.counts(run))[State.SENT]

    await eventually(ended, "the run ends")
    counts = await world.judge(run, CONTACTS)
    assert set(counts) <= {State.DELIVERED, State.IN_DOUBT}
    found = await doubts(world, run)
    if rebooted:  # slots are reserved ahead: there was something
        assert set(found) == {"journal_lost"}
        assert 0 < found["journal_lost"] < CONTACTS // 2
    else:
        assert set(found) <= {"engine_crashed"}
        assert len(world.sent()) >= counts[State.DELIVERED]
