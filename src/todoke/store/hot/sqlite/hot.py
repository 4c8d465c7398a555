"""The hot operations on SQLite."""

from __future__ import annotations

from todoke.store.writer import Reader, Writer


class SqliteHot:
    """Hot on one file: writes on the one writer thread, reads beside it."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader
