"""Contacts on SQLite: on the one writer thread, in transactions so short that no lane misses its slots."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from itertools import chain

from todoke.store.lists.base import NewContact, OpenImport, TakenOver
from todoke.store.writer import Writer

# Nobody else writes while a transaction of an import lasts.
TARGET = 0.005  # seconds; what the commit takes comes on top
_LEAST, _FIRST, _MOST = 256, 1024, 8192  # contacts

_MINE = "SELECT 1 FROM calling_list WHERE id = ? AND state = 'importing' AND importer = ?"

# Many rows a statement: `executemany` gives the interpreter away at every row, and where another thread is busy gets
# it back 5 ms later (measured: 430 µs a row beside one busy thread, 10 µs this way; 3.0 and 1.9 µs alone). A few
# sizes, so that the statements stay prepared.
_INSERT = "INSERT INTO contact (bucket, list_id, position, destination, zone_set, external_id, fields) VALUES"
_SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_INSERTS = {size: f"{_INSERT} {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * size)}" for size in _SIZES}

# The last position of the next piece to remove: contacts are kept in this order, so it is one short walk.
_PIECE = (
    "SELECT max(position) FROM (SELECT position FROM contact"
    " WHERE bucket = ? AND list_id = ? ORDER BY position LIMIT ?)"
)
_REMOVE = "DELETE FROM contact WHERE bucket = ? AND list_id = ? AND position <= ?"


class SqliteContacts:
    """Adapts the size of its transactions to the machine."""

    alone = True  # at every statement the interpreter is given away, and comes back 5 ms later

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._size = _FIRST

    async def write(self, opened: OpenImport, contacts: Sequence[NewContact]) -> None:
        ordered = sorted(contacts)  # neighbours go to the same pages
        start = 0
        while start < len(ordered):
            piece = ordered[start : start + self._size]
            taken = await self._writer.run(lambda connection: _insert(connection, opened, piece))  # noqa: B023
            start += len(piece)
            self._adapt(len(piece), taken)

    async def remove(self, opened: OpenImport) -> None:
        while taken := await self._writer.run(lambda connection: _remove(connection, opened, self._size)):
            self._adapt(self._size, taken)

    def _adapt(self, done: int, taken: float) -> None:
        # Half way to what would have fitted: a single slow disk write does not make all that follow tiny.
        fitting = done * TARGET / max(taken, 1e-6)
        self._size = int(min(_MOST, max(_LEAST, (self._size + fitting) / 2)))


def _insert(connection: sqlite3.Connection, opened: OpenImport, contacts: Sequence[NewContact]) -> float:
    started = time.perf_counter()
    if connection.execute(_MINE, (opened.list_id, opened.importer)).fetchone() is None:
        raise TakenOver
    start = 0
    for size in _SIZES:
        while len(contacts) - start >= size:
            values = list(chain.from_iterable(contacts[start : start + size]))
            connection.execute(_INSERTS[size], values)
            start += size
    return time.perf_counter() - started


def _remove(connection: sqlite3.Connection, opened: OpenImport, size: int) -> float | None:
    """None when nothing is left."""
    started = time.perf_counter()
    last = connection.execute(_PIECE, (opened.bucket, opened.list_id, size)).fetchone()[0]
    if last is None:
        return None
    connection.execute(_REMOVE, (opened.bucket, opened.list_id, last))
    return time.perf_counter() - started
