"""A disk that is full: for the journal, and for SQLite's file. The kernel refuses, as it would on a full one.

The limit on the size of files (RLIMIT_FSIZE) is set on the running engine from outside, and lifted: this needs no
privileges and no file system of its own. The tap goes through a pipe, which it does not touch.
"""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from pathlib import Path

import pytest
from tests.faults.lab import Lab
from tests.world import eventually

from todoke.model.event import State
from todoke.service.processes import Child

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS, RATE = 900, 300


class PipedTap:
    """A pipe in the place of the tap, and a thread that empties it into a file."""

    def __init__(self, lab: Lab) -> None:
        self.pipe = lab.folder / "tap.pipe"
        self.file = lab.tapped
        os.mkfifo(self.pipe)
        # Open for both: there is always a reader, and the end is ours to say.
        self._descriptor = os.open(self.pipe, os.O_RDWR)
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self.file.open("ab", buffering=0) as file:
            while data := os.read(self._descriptor, 65_536):
                if data.endswith(b"END"):
                    file.write(data[:-3])
                    return
                file.write(data)

    def close(self) -> None:
        os.write(self._descriptor, b"END")
        self._thread.join(10)
        os.close(self._descriptor)


def limit(child: Child, size: int) -> None:
    """No file of the process grows beyond `size` octets."""
    hard = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, hard))


def journal(lab: Lab) -> Path:
    (found,) = (lab.folder / "journals").glob("*.journal")
    return found


async def until_still(lab: Lab) -> int:
    """Wait until nothing arrives any more; how much has."""
    seen = -1

    async def still() -> bool:
        nonlocal seen
        before, seen = seen, len(lab.world.entries())
        await asyncio.sleep(0.7)
        return before == seen

    await eventually(still, "nothing is sent any more")
    return seen


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_what_a_full_disk_keeps_out_of_the_journal_is_not_sent(lab: Lab) -> None:
    """In the middle of an entry, too. With room it goes on by itself, and nothing is in doubt."""
    piped = PipedTap(lab)
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    child = await lab.engine(tapped=piped.pipe)
    await lab.taken(100)
    limit(child, journal(lab).stat().st_size + 16 * 40 + 7)
    sent = await until_still(lab)
    assert sent < CONTACTS
    assert child.process.returncode is None
    limit(child, resource.RLIM_INFINITY)
    await lab.until_over()
    await lab.stop_engines()
    piped.close()
    found = await lab.verdict()
    assert found.counts == {State.DELIVERED: CONTACTS}


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_kill_on_a_full_disk(lab: Lab) -> None:
    """The torn end of the journal is no obstacle for who recovers from it."""
    piped = PipedTap(lab)
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    child = await lab.engine(tapped=piped.pipe)
    await lab.taken(100)
    limit(child, journal(lab).stat().st_size + 16 * 40 + 7)
    await until_still(lab)
    child.process.kill()
    await child.process.wait()
    await lab.engine(tapped=piped.pipe)
    await lab.until_over()
    await lab.stop_engines()
    piped.close()
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_full_disk_under_the_database_stops_sending_and_loses_nothing(lab: Lab) -> None:
    """What was handed over gets its answers stored when there is room; nothing is reserved meanwhile."""
    piped = PipedTap(lab)
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    child = await lab.engine(tapped=piped.pipe)
    await lab.taken(100)
    wal = lab.folder / "todoke.db-wal"
    limit(child, wal.stat().st_size // 2)
    sent = await until_still(lab)
    assert sent < CONTACTS
    assert child.process.returncode is None
    limit(child, resource.RLIM_INFINITY)
    await lab.until_over()
    await lab.stop_engines()
    piped.close()
    found = await lab.verdict()
    assert found.counts == {State.DELIVERED: CONTACTS}
