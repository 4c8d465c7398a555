"""What an engine must know of the machine it runs on."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from todoke.model.clock import SystemClock
from todoke.model.errors import Conflict
from todoke.store.hot.base import Hot


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


class DatabaseClock(SystemClock):
    """The database's time, counted on by this machine's monotonic clock: a change of the time of day does not touch
    it.
    """

    def align(self, database_now: int) -> None:
        """The database says that it is now so late."""
        self._offset += database_now - self.now()


async def database_clock(hot: Hot) -> DatabaseClock:
    """A clock that shows the database's time, as well as the answer's way allows."""
    clock = DatabaseClock()
    asked = clock.now()
    told = await hot.database_now()
    clock.align(told + (clock.now() - asked) // 2)
    return clock


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
