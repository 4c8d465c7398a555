"""SQLite's threads: one that writes, one that reads.

SQLite has one writer at a time. All of a process's hot writes go through one thread with one connection, in the
order in which they were asked for, so that they never wait for each other's locks. Other processes on the same
file are waited for (`busy_timeout`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from todoke.store.hot.base import StoreUnavailable

T = TypeVar("T")

BUSY_TIMEOUT = 10_000  # milliseconds to wait for another process's transaction

# Said once for every connection to the file, whoever opens it.
PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)

# Primary result codes that say something about the machine, not about a statement of ours.
_SENTENCES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "The database file is locked by another process.",
        "Wait for its import to end, or stop the program that keeps it locked.",
    ),
    sqlite3.SQLITE_LOCKED: ("The database file is locked.", "Stop the program that keeps it locked."),
    sqlite3.SQLITE_FULL: ("The disk is full: nothing was written.", "Free some space; the work goes on from there."),
    sqlite3.SQLITE_READONLY: (
        "The database file cannot be written.",
        "Give this user write access to the file and to its folder.",
    ),
    sqlite3.SQLITE_IOERR: ("The disk does not take or give the data.", "Look at the system's log for disk errors."),
    sqlite3.SQLITE_CANTOPEN: (
        "The database file cannot be opened.",
        "Check that its folder exists and that this user may read and write it.",
    ),
    sqlite3.SQLITE_NOTADB: ("The file is not a SQLite database.", "Give the path of another file."),
    sqlite3.SQLITE_CORRUPT: (
        "The database file is damaged.",
        "Stop every process that uses it and restore it from a copy.",
    ),
}


def unavailable(error: sqlite3.Error, path: Path) -> StoreUnavailable | None:
    """The sentence for a person where `error` is about the file or the machine; None for a fault of ours."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    known = None if code is None else _SENTENCES.get(code & 0xFF)
    if known is None:
        return None
    sentence, fix = known
    return StoreUnavailable(sentence, where=str(path), fix=fix)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that leaves transactions to us; StoreUnavailable where the file is no database or is read-only."""
    with _told(path):
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma)
            _verify(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _told(path: Path) -> Generator[None]:
    """SQLite's errors as sentences, where there is one."""
    try:
        yield
    except sqlite3.Error as error:
        sentence = unavailable(error, path)
        if sentence is None:
            raise
        raise sentence from error


def _verify(connection: sqlite3.Connection, path: Path) -> None:
    """Durability is not a setting: a write-ahead log, and every commit on the disk before it counts."""
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != 2:
        raise StoreUnavailable(
            f"SQLite does not keep a durable write-ahead log here (journal mode {mode}, synchronous {synchronous}).",
            where=str(path),
            fix="Put the file on a local disk that this user may write.",
        )


class _Thread:
    """One connection on a thread of its own."""

    begin = "BEGIN"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"todoke-{type(self).__name__.lower()}")
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, after its transaction is committed; rolled back where it raises.

        A caller that is cancelled while it waits does not know whether the transaction took place.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._transact, work)

    async def look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads, outside of any transaction: it takes no lock that another process waits for."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, work)

    async def close(self) -> None:
        """Close the connection when what was asked for is done."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._disconnect)
        self._executor.shutdown()

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with _told(self._path):
            return work(self._connected())

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with _told(self._path):
            connection = self._connected()
            connection.execute(self.begin)
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return result

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Writer(_Thread):
    """The one thread that writes: `await writer.run(work)` is one transaction, durable when it returns.

    `work` is given the connection and must keep to about 20 ms, since nobody else writes meanwhile.
    """

    begin = "BEGIN IMMEDIATE"


class Reader(_Thread):
    """Reads beside the writer: one snapshot a call; it cannot write."""

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.execute("PRAGMA query_only=ON")
        return connection
