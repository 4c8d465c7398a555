"""Sorting more contacts than memory holds: in a file of its own, by SQLite's merge sort, whatever the store is."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import msgspec

from todoke.model.filter import Order

_MEMORY = 64 * 1024  # KiB that SQLite keeps in memory
_positions = msgspec.json.Decoder(list[int])


class Sorter:
    """`add` what `Scan.ranked` gives, `sort`, then read the positions by their places. Every call but `close` may take
    long, and is for a thread of its own; `close` breaks off the one that runs.
    """

    def __init__(self, order: Order) -> None:
        self._turn = Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="todoke-order-")
        self._db = sqlite3.connect(Path(self._folder.name) / "order.db", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", f"cache_size=-{_MEMORY}"):
            self._db.execute(f"PRAGMA {pragma}")
        width = 3 * len(order)
        names = ["position", *(f"k{number}" for number in range(width))]
        self._db.execute(f"CREATE TABLE ranked ({', '.join(names)})")
        values = ", ".join(f"value ->> {number}" for number in range(width + 1))
        self._add = f"INSERT INTO ranked SELECT {values} FROM json_each(?)"
        keys: list[str] = []
        for number, key in enumerate(order):
            down = " DESC" if key.descending else ""
            keys += [f"k{3 * number}", f"k{3 * number + 1}{down}", f"k{3 * number + 2}{down}"]
        self._sort = f"CREATE TABLE sorted AS SELECT position FROM ranked ORDER BY {', '.join([*keys, 'position'])}"

    def add(self, ranked: str) -> None:
        """A page of contacts with what they are compared by."""
        with self._turn:
            self._db.execute(self._add, (ranked,))

    def sort(self) -> int:
        """How many there are."""
        with self._turn:
            self._db.execute(self._sort)
            self._db.execute("DROP TABLE ranked")
            return self._db.execute("SELECT count(*) FROM sorted").fetchone()[0]

    def read(self, first: int, count: int) -> list[int]:
        """The positions at these places, from 0, in order."""
        # One row: a row a step would wait for the event loop at every row.
        rows = "SELECT position FROM sorted WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
        with self._turn:
            found = self._db.execute(f"SELECT json_group_array(position) FROM ({rows})", (first + 1, first + count))
            return _positions.decode(found.fetchone()[0])

    def close(self) -> None:
        self._db.interrupt()
        with self._turn:
            self._db.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
