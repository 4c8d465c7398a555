"""How many numbers of a list are on do-not-call groups of its business unit, for the report of an import.

The groups are read once, as one text that the database makes, which costs a fifth of reading rows: 5 million numbers
are 40 MB here. What counts when a message is sent is another look, at that moment.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Iterator

import polars as pl

from todoke.store.lists.base import OpenImport
from todoke.store.postgres import LOST, unavailable
from todoke.store.store import Store

_PIECE = 100_000  # numbers that SQLite puts into one text

_GROUPS = "SELECT id FROM dnc_group WHERE business_unit_id = {}"
_SQLITE = (
    "SELECT group_concat(phone, char(10)), max(phone) FROM (SELECT phone FROM dnc_entry"
    " WHERE bucket = ? AND dnc_group_id = ? AND phone > ? ORDER BY phone LIMIT ?)"
)
_POSTGRES = "SELECT phone FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = ANY($2)"
_PHONES = pl.Schema({"key": pl.Int64()})


class Scrub:
    """Counts while the keys of a list pass in order. `found` is how many were on a group."""

    def __init__(self, phones: pl.DataFrame) -> None:
        self._phones = phones
        self.found = 0

    @classmethod
    async def begin(cls, store: Store, opened: OpenImport) -> Scrub:
        """With the groups as they are now."""
        read = _read_sqlite if store.dialect == "sqlite" else _read_postgres
        texts = await read(store, opened)
        frames = [_parsed(text) for text in texts if text]
        return cls(pl.concat([_PHONES.to_frame(), *frames]).unique())

    def counted(self, keys: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same keys, counted as they pass."""
        for frame in keys:
            if not self._phones.is_empty():
                self.found += frame.join(self._phones, on="key", how="semi").height
            yield frame


async def _read_sqlite(store: Store, opened: OpenImport) -> list[bytes]:
    def groups(connection: sqlite3.Connection) -> list[int]:
        return [row[0] for row in connection.execute(_GROUPS.format("?"), (opened.business_unit_id,))]

    texts: list[bytes] = []
    for group in await store.reader.look(groups):
        after = 0
        while True:
            wanted = (opened.bucket, group, after, _PIECE)
            text, last = await store.reader.look(lambda connection: connection.execute(_SQLITE, wanted).fetchone())  # noqa: B023
            if last is None:
                break
            texts.append(text.encode())
            after = last
    return texts


async def _read_postgres(store: Store, opened: OpenImport) -> list[bytes]:
    out = io.BytesIO()
    try:
        async with store.pool.acquire() as connection:
            rows = await connection.fetch(_GROUPS.format("$1"), opened.business_unit_id)
            groups = [row[0] for row in rows]
            await connection.copy_from_query(_POSTGRES, opened.bucket, groups, output=out)
    except LOST as error:
        raise unavailable(error, store.address) or error from error
    return [out.getvalue()]


def _parsed(text: bytes) -> pl.DataFrame:
    return pl.read_csv(text, has_header=False, schema=_PHONES)
