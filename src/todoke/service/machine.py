"""What an engine must know of the machine it runs on."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from pathlib import Path

from todoke.model.clock import SECOND, Micros, SystemClock
from todoke.model.errors import Conflict
from todoke.store.hot.base import Hot

_log = logging.getLogger(__name__)


class EngineAlreadyRuns(Conflict):
    """Another engine uses this database file."""


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def boot_id() -> str:
    """Another one after each boot; what was in the page cache of an earlier boot is lost."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


_FAR = 5 * SECOND
_STEP = 20_000  # microseconds by which a small difference is mended at a time
_NOISE = 2_000


class DatabaseClock(SystemClock):
    """The database's time, counted on by this machine's monotonic clock: a change of the time of day does not touch
    it.
    """

    def align(self, database_now: Micros) -> None:
        """The database says that it is now so late."""
        self._offset += database_now - self.now()

    def follow(self, database_now: Micros, uncertain: Micros) -> Micros:
        """Two clocks drift apart by seconds in a week: go a small step towards what the database says, give or take
        `uncertain`. Returns the difference that there was.

        A jump back, and a jump ahead that is not long, would make slots too dense or make lanes wait: so steps are
        shorter than what a slot may be late. Only far ahead (this machine slept) it goes at once: what had its slot
        meanwhile is forfeited.
        """
        difference = database_now - self.now()
        if difference > _FAR:
            self._offset += difference
        elif abs(difference) > uncertain + _NOISE:
            self._offset += max(-_STEP, min(_STEP, difference))
        return difference


async def database_clock(hot: Hot) -> DatabaseClock:
    """A clock that shows the database's time, as well as the answer's way allows."""
    clock = DatabaseClock()
    told, _ = await _ask(hot, clock)
    clock.align(told)
    return clock


async def follow_database(hot: Hot, clock: DatabaseClock) -> None:
    """Keep the clock with the database's; called every few seconds."""
    told, way = await _ask(hot, clock)
    difference = clock.follow(told, way)
    if abs(difference) > SECOND:
        _log.warning(
            "the database's clock is %.1f s from ours: it is followed slowly",
            difference / SECOND,
            extra={"action": "clock", "difference_s": difference / SECOND},
        )


async def _ask(hot: Hot, clock: DatabaseClock) -> tuple[Micros, Micros]:
    """The database's time at this moment, and how wrong that may be."""
    asked = clock.now()
    told = await hot.database_now()
    way = (clock.now() - asked) // 2
    return told + way, way


class FileLock:
    """One engine process a SQLite file: a second one could only wait for the first."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".engine")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise EngineAlreadyRuns(
                where=str(database), fix="Stop it first; for several engines put the data into PostgreSQL."
            ) from None

    def release(self) -> None:
        """The next engine may start."""
        os.close(self._fd)
