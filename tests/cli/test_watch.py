from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console
from sqlalchemy import insert, update
from tests.factories import Scene, seed, seed_run

from todoke.cli.watching import watch_run
from todoke.model.event import State
from todoke.store import schema
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.store import Store


class Running:
    """A run of ten contacts whose tallies the test moves."""

    def __init__(self, store: Store, scene: Scene, run_id: int, unit: Unit) -> None:
        self.store = store
        self.scene = scene
        self.id = run_id
        self.unit = unit

    async def tally(self, outcome: str, messages: int) -> None:
        async with self.store.writing() as connection:
            await connection.execute(
                insert(schema.tally).values(
                    bucket=self.scene.bucket,
                    run_id=self.id,
                    outcome=outcome,
                    reason="",
                    hour=1,
                    messages=messages,
                    segments=messages,
                )
            )

    async def end(self) -> None:
        async with self.store.writing() as connection:
            await connection.execute(update(schema.skill_run).values(state="finished"))


async def seen(out: io.StringIO, text: str) -> None:
    """Wait until the text was written."""
    while text not in out.getvalue():  # noqa: ASYNC110  # the console tells nobody
        await asyncio.sleep(0.02)


@pytest.fixture
async def run(store: Store) -> AsyncIterator[Running]:
    scene = await seed(store)
    run_id = await seed_run(store, scene)
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    yield Running(store, scene, run_id, unit)


async def test_plain_lines_where_there_is_no_terminal(store: Store, run: Running) -> None:
    out = io.StringIO()
    await run.tally("delivered", 8)
    await run.tally("skipped", 2)
    await run.end()
    last = await watch_run(store, run.unit, run.id, console=Console(file=out))
    assert out.getvalue() == f"run {run.id} finished, 8 of 10 sent, 8 delivered, 2 skipped\n"
    assert last.waiting == 0


async def test_a_display_that_moves_on_a_terminal(store: Store, run: Running) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=150)
    watching = asyncio.create_task(watch_run(store, run.unit, run.id, console=console))
    await seen(out, "running")
    await run.tally("delivered", 7)
    await run.tally("failed", 3)
    await run.end()
    last = await watching
    assert last.messages(State.FAILED) == 3
    assert "finished" in out.getvalue()
    assert "delivered" in out.getvalue()


async def test_receipts_that_do_not_come_are_not_waited_for_for_ever(store: Store, run: Running) -> None:
    await run.tally("sent", 10)
    await run.end()
    last = await watch_run(store, run.unit, run.id, console=Console(file=io.StringIO()), receipts=0.05)
    assert last.messages(State.SENT) == 10
