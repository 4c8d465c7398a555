"""Contacts on SQLite: on the one writer thread, in transactions so short that no lane misses its slots."""

from __future__ import annotations

import sqlite3
import time

import polars as pl

from todoke.store.hot.sqlite import bulk
from todoke.store.lists.base import OpenImport, TakenOver
from todoke.store.resting import is_sending, rest
from todoke.store.writer import Writer

# Nobody else writes while a transaction of an import lasts.
TARGET = 0.005  # seconds; what the commit takes comes on top
_LEAST, _FIRST, _MOST = 256, 1024, 8192  # contacts

_MINE = "SELECT 1 FROM calling_list WHERE id = ? AND state = 'importing' AND importer = ?"

_SHARED = ("bucket", "list_id")
_FEW = ("position", "destination", "zone_set", "external_id", "fields")

# The last position of the next piece to remove: contacts are kept in this order, so it is one short walk.
_PIECE = (
    "SELECT max(position) FROM (SELECT position FROM contact"
    " WHERE bucket = ? AND list_id = ? ORDER BY position LIMIT ?)"
)
_REMOVE = "DELETE FROM contact WHERE bucket = ? AND list_id = ? AND position <= ?"


class SqliteContacts:
    """Adapts the size of its transactions to the machine."""

    at_once = 1

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._size = _FIRST

    async def write(self, opened: OpenImport, contacts: pl.DataFrame) -> None:
        start = 0
        while start < contacts.height:
            piece = contacts.slice(start, self._size)
            begun = time.perf_counter()
            taken, sending = await self._writer.run(lambda connection: _insert(connection, opened, piece))  # noqa: B023
            start += piece.height
            self._adapt(piece.height, taken)
            if sending:
                await rest(begun)

    async def remove(self, opened: OpenImport) -> None:
        while taken := await self._writer.run(lambda connection: _remove(connection, opened, self._size)):
            self._adapt(self._size, taken)

    def _adapt(self, done: int, taken: float) -> None:
        # Half way to what would have fitted: a single slow disk write does not make all that follow tiny.
        fitting = done * TARGET / max(taken, 1e-6)
        self._size = int(min(_MOST, max(_LEAST, (self._size + fitting) / 2)))


def _insert(connection: sqlite3.Connection, opened: OpenImport, contacts: pl.DataFrame) -> tuple[float, bool]:
    """How long it took, and whether an engine sends over this file."""
    started = time.perf_counter()
    if connection.execute(_MINE, (opened.list_id, opened.importer)).fetchone() is None:
        raise TakenOver
    columns = [*_FEW, *(name for name in ("phones", "expires_at") if contacts[name].null_count() < contacts.height)]
    head = f"INSERT INTO contact ({', '.join((*_SHARED, *columns))})"
    row = f"(?1, ?2, {', '.join(['{}'] * len(columns))})"
    shared = (opened.bucket, opened.list_id)
    bulk.insert(connection, head, row, shared, [contacts[name].to_list() for name in columns])
    sending = is_sending(connection)
    return time.perf_counter() - started, sending


def _remove(connection: sqlite3.Connection, opened: OpenImport, size: int) -> float | None:
    """None when nothing is left."""
    started = time.perf_counter()
    last = connection.execute(_PIECE, (opened.bucket, opened.list_id, size)).fetchone()[0]
    if last is None:
        return None
    connection.execute(_REMOVE, (opened.bucket, opened.list_id, last))
    return time.perf_counter() - started
