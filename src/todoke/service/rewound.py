"""Whether the database is older than what this machine's engines had committed: a copy that was restored, a
snapshot that was rolled back, a standby that lagged and was promoted.

Such a database does not know what was sent since and would send it again. Journals and a mark beside them keep the
number of the last flush; a database that is behind them starts with every run paused, and says why.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from todoke.model.clock import Clock
from todoke.model.errors import Conflict
from todoke.model.run import RunEvent, RunState
from todoke.model.stream import Stream
from todoke.pipeline.lanes.journal import JournalBroken, seize
from todoke.store.catalogue import installations, runs, units
from todoke.store.hot.base import Hot
from todoke.store.store import Store

_log = logging.getLogger(__name__)

_STATES = ("alive", "gone", "recovered")
REASON = "the database is older than what was sent"


class Mark(msgspec.Struct, frozen=True):
    """The last engine of this folder and the number of its last flush (0 while it runs: its journal knows)."""

    engine: int
    flush: int


class Marks:
    """What this folder remembers of one database."""

    def __init__(self, folder: Path, incarnation: str) -> None:
        self._folder = folder
        self._incarnation = incarnation
        self._path = folder / f"{incarnation}.mark"

    def write(self, engine_id: int, flush: int) -> None:
        """Remember this engine, unless a later one is remembered."""
        known = self._read()
        if known is None or known.engine <= engine_id:
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(Mark(engine_id, flush)))
            new.replace(self._path)

    async def behind(self, hot: Hot) -> str | None:
        """What the database lacks, as the end of a sentence; None where it lacks nothing that we know of."""
        rows = [row for state in _STATES for row in await hot.engines(state)]
        # By name: the folder may have been moved.
        by_journal = {Path(row.journal).name: row.flush_seq for row in rows}
        for path in sorted(self._folder.glob("*.journal")):
            last = await asyncio.to_thread(self._last_flush, path)
            if last > by_journal.get(path.name, 0):
                return f"{path.name} ends with flush {last}, the database with {by_journal.get(path.name, 0)}"
        mark = self._read()
        known = next((row.flush_seq for row in rows if mark is not None and row.id == mark.engine), None)
        if mark is not None and (known is None or known < mark.flush):
            return f"engine {mark.engine} had come to flush {mark.flush}, which the database does not know"
        return None

    def forget(self) -> None:
        """The difference is dealt with: a later start does not stumble over it again."""
        self._path.unlink(missing_ok=True)
        for path in self._folder.glob("*.journal"):
            if self._last_flush(path) >= 0:
                path.replace(path.with_suffix(".rewound"))

    def _last_flush(self, path: Path) -> int:
        """Of the journal of a dead engine of this database; -1 for any other."""
        dead = seize(path)
        if dead is None:
            return -1
        try:
            record = dead.read(lambda _: False)
        except JournalBroken:
            return -1
        finally:
            dead.close()
        return record.last_flush if record.incarnation == self._incarnation else -1

    def _read(self) -> Mark | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Mark)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return None  # torn by a crash while it was new: the journals speak for themselves


async def look_back(store: Store, clock: Clock, folder: Path, lacks: str | None = None) -> None:
    """Pause everything where the database is behind what the engines of this machine had committed (`folder`: their
    journals), or where that is known already: `lacks` says what is missing. An engine does this when it starts and
    when it could not go on.
    """
    async with store.reading() as connection:
        marks = Marks(folder, await installations.incarnation(connection))
    if lacks := await marks.behind(store.hot) or lacks:
        await pause_everything(store, clock, lacks)
        await asyncio.to_thread(marks.forget)


async def pause_everything(store: Store, clock: Clock, lacks: str) -> None:
    """Pause every run: what goes on is for a person to say, also where one waits for a filter. Runs that carry answers
    are stopped: what waits in them was perhaps sent, and would come too late; the next answer makes a new one.
    """
    paused = 0
    async with store.writing() as connection:
        for unit in await units.every(connection):
            await runs.stay_paused(connection, unit)
    async with store.reading() as connection:
        found = [
            run
            for unit in await units.every(connection)
            for standing in (False, True)
            for run in await runs.every(
                connection, unit, states=frozenset({RunState.RUNNING}), limit=1_000_000, standing=standing
            )
        ]
    for run in found:
        answers = run.standing and run.stream is Stream.ANSWER
        event = RunEvent.STOP if answers else RunEvent.PAUSE
        try:
            await store.hot.control_run(run.bucket, run.id, event, REASON, clock.now())
            paused += not answers
        except Conflict:
            continue  # it ended meanwhile
    _log.error(
        "the database is older than what this machine had committed: %s. It was restored from a copy, or a standby "
        "that lagged was promoted, and what was sent since would be sent again. %d runs are paused: look at them, then "
        "resume or stop each.",
        lacks,
        paused,
        extra={"action": "rewound", "paused": paused},
    )
