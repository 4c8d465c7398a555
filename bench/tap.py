"""An engine process with a tap on its socket: `python -m bench.tap` instead of `todoke engine`, with the settings from
the environment. When it ends it writes to the file that BENCH_TAP names, for each segment: the transport code's id, the
moment of the write (microseconds, monotonic) and how late that was after its slot; and for each slot that was missed or
given up the same with a lateness of -1.

The moment is taken right after the call that gave the bytes to the socket.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from todoke.cli.commands import main
from todoke.config import Settings
from todoke.pipeline.lanes import owner
from todoke.pipeline.lanes.lane import Lane
from todoke.pipeline.lanes.message import Submission
from todoke.pipeline.lanes.reserved import Reserved
from todoke.service.processes import Child, spawn
from todoke.smpp import link
from todoke.smpp.connection import Connection

_ROW = struct.Struct("<iqi")
GIVEN_UP = -1


class Written(NamedTuple):
    """One segment, or a slot that was not used."""

    code: int
    at: int
    late: int


class Tap:
    """What is noted."""

    def __init__(self) -> None:
        self.rows = bytearray()
        self.now = 0  # the engine's clock, as a lane last saw it
        self.looked = 0  # when it did, monotonic
        self.late: dict[int, tuple[int, int]] = {}  # of what is about to be written: code, how late it was then

    def given_up(self, code: int, count: int) -> None:
        """So many slots are not used."""
        self.rows += _ROW.pack(code, _monotonic(), GIVEN_UP) * count


tap = Tap()


class TappedLane(Lane):
    """Notes the slots that have come, and those that it does not use."""

    def pump(self, now: int, certain: bool, clock: Callable[[], int] | None = None) -> None:
        tap.now, tap.looked = now, _monotonic()
        super().pump(now, certain, clock)

    def _write(self, submissions: list[Submission], batch: Reserved, clock: Callable[[], int] | None) -> None:
        slots, first = batch.slots, batch.next
        for index, submission in enumerate(submissions):
            tap.late[id(submission)] = (self.key, tap.now - slots.at(first + index))
        super()._write(submissions, batch, clock)
        tap.late.clear()

    def _forfeit(self, batch: Reserved, end: int) -> None:
        tap.given_up(self.key, end - batch.next)
        super()._forfeit(batch, end)

    def _too_late(self, noted: list[Submission], late: list[Submission]) -> list[Submission]:
        tap.given_up(self.key, len(late))
        return super()._too_late(noted, late)


class TappedConnection(Connection):
    """Notes when it has written."""

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        super().submit(batch)
        now = _monotonic()
        for _, submission in batch:
            code, late = tap.late[id(submission)]
            tap.rows += _ROW.pack(code, now, late + now - tap.looked)


def _monotonic() -> int:
    return time.monotonic_ns() // 1000


def rows(path: Path) -> list[Written]:
    """What a tap wrote."""
    return [Written(*row) for row in _ROW.iter_unpack(path.read_bytes())]


async def tapped_engine(settings: Settings, path: Path) -> Child:
    """`todoke.service.processes.engine` with a tap that writes to `path` when it ends."""
    values = {
        "TODOKE_DATABASE": settings.database,
        "TODOKE_DATA_DIR": str(settings.data_dir),
        "TODOKE_LOG_LEVEL": settings.log_level,
        "TODOKE_FLUSH_MS": str(settings.flush_ms),
        "TODOKE_LEASE_S": str(settings.lease_s),
        "BENCH_TAP": str(path),
    }
    child = await spawn("engine", ["-m", "bench.tap", "engine"], values)
    await child.ready()
    return child


def fullest(moments: Sequence[int]) -> int:
    """The most segments in any window of one second; `moments` in microseconds, in order."""
    most = start = 0
    for end, at in enumerate(moments):
        while moments[start] <= at - 1_000_000:
            start += 1
        most = max(most, end - start + 1)
    return most


if __name__ == "__main__":
    try:
        with patch.object(owner, "Lane", TappedLane), patch.object(link, "Connection", TappedConnection):
            main()
    finally:
        Path(os.environ["BENCH_TAP"]).write_bytes(tap.rows)
