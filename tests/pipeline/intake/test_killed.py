"""Imports killed in the middle, as real processes: nothing of them can be run, and the next one clears it away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.factories import NOW, seed_unit

from todoke.model.errors import Conflict
from todoke.pipeline.intake.importing import import_list
from todoke.store.schema import calling_list, contact, list_range
from todoke.store.store import Store, open_store

pytestmark = pytest.mark.fault

ROWS = 50_000

# Prints the stage and the rows of every step, so that the test can kill it where it wants.
SCRIPT = """
import asyncio, sys
from pathlib import Path
from todoke.pipeline.intake.importing import import_list
from todoke.store.store import open_store

async def main(url, path, rejects):
    async with await open_store(url) as store:
        await import_list(
            store, business_unit="unit", name="agents", path=Path(path), rejects_dir=Path(rejects), now=1,
            progress=lambda step: print(step.stage.value, step.rows, flush=True) or sys.stdin.readline(),
        )
        print("done", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class Importing:
    """An import in a process of its own, which goes a step each time it is told to."""

    def __init__(self, url: str, path: Path, rejects: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url, str(path), str(rejects)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def step(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")

    def run_to(self, stage: str, steps: int) -> None:
        seen = 0
        while seen < steps:
            line = self.step()
            assert line, "the import ended early"
            seen += line.startswith(stage)
            if seen < steps:
                self.go()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


async def count(store: Store) -> tuple[int, int, int]:
    """Lists, contacts, ranges."""
    async with store.reading() as connection:
        columns = (calling_list.c.id, contact.c.list_id, list_range.c.list_id)
        lists, contacts, ranges = [await connection.scalar(select(func.count(column))) or 0 for column in columns]
    return lists, contacts, ranges


@pytest.mark.parametrize(("stage", "steps"), [("checking", 1), ("writing", 2), ("writing", 3)])
async def test_a_killed_import_is_cleared_away_by_the_next(
    database_url: str, tmp_path: Path, stage: str, steps: int
) -> None:
    path = tmp_path / "agents.csv"
    path.write_text("id,Mobile\nx,12345\n" + "".join(f"{i},+1212{i % 8 + 2}{i:06d}\n" for i in range(ROWS)))
    rejects = tmp_path / "rejected"
    async with await open_store(database_url) as store:
        await seed_unit(store, name="unit")

        async def again() -> int:
            done = await import_list(
                store, business_unit="unit", name="agents", path=path, rejects_dir=rejects, now=NOW
            )
            return done.contacts

        importing = Importing(database_url, path, rejects)
        try:
            importing.run_to(stage, steps)
            with pytest.raises(Conflict, match="being imported right now"):
                await again()
        finally:
            importing.kill()

        lists, left, ranges = await count(store)
        assert (lists, ranges) == (1, 0)
        assert (left > 0) == (stage == "writing")
        assert left < ROWS
        async with store.reading() as connection:
            assert await connection.scalar(select(calling_list.c.state)) == "importing"

        contacts = await again()

        assert await count(store) == (1, contacts, 1)
        async with store.reading() as connection:
            assert await connection.scalar(select(calling_list.c.state)) == "ready"
            positions = select(func.min(contact.c.position), func.max(contact.c.position), func.count())
            assert (await connection.execute(positions)).one() == (0, contacts - 1, contacts)


async def test_a_frozen_import_that_was_taken_over_writes_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agents.csv"
    path.write_text("id,Mobile\n" + "".join(f"{i},+1212{i % 8 + 2}{i:06d}\n" for i in range(ROWS)))
    async with await open_store(database_url) as store:
        await seed_unit(store, name="unit")
        importing = Importing(database_url, path, tmp_path / "rejected")
        try:
            importing.run_to("writing", 1)
            os.kill(importing.process.pid, signal.SIGSTOP)
            monkeypatch.setattr("todoke.pipeline.intake.importing.is_alive", lambda _: False)
            done = await import_list(
                store, business_unit="unit", name="agents", path=path, rejects_dir=tmp_path / "rejected", now=NOW
            )
            os.kill(importing.process.pid, signal.SIGCONT)
            importing.go()
            assert "writing" not in importing.step()
            assert importing.process.wait() != 0
        finally:
            importing.kill()

        assert await count(store) == (1, done.contacts, 1)
