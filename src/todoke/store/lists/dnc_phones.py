"""How many numbers of a list are on do-not-call groups of its business unit, for the report of an import.

The groups are read once, as one text that the database makes, which costs a fifth of reading rows: 5 million numbers
are 40 MB here. What counts when a message is sent is another look, at that moment.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator

import polars as pl

from todoke.store.hot.postgres.dnc import MOMENT as POSTGRES_MOMENT
from todoke.store.hot.sqlite.dnc import MOMENT as SQLITE_MOMENT
from todoke.store.lists.base import OpenImport
from todoke.store.postgres import LOST, unavailable
from todoke.store.store import Store

_PIECE = 100_000  # numbers that SQLite puts into one text

_GROUPS = "SELECT id FROM dnc_group WHERE business_unit_id = {}"
_SQLITE = (
    "SELECT group_concat(phone, char(10)), max(phone) FROM (SELECT phone FROM dnc_entry"
    f" WHERE bucket = ? AND dnc_group_id = ? AND phone > ? AND (expires_at IS NULL OR expires_at > {SQLITE_MOMENT})"
    " ORDER BY phone LIMIT ?)"
)
_POSTGRES = (
    "SELECT phone FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = ANY($2)"
    f" AND (expires_at IS NULL OR expires_at > {POSTGRES_MOMENT})"
)
_PHONES = pl.Schema({"phone": pl.Int64()})
_TEXT = 4 << 20  # bytes of text that become numbers at once


class Scrub:
    """Counts while the keys of a list pass in order. `found` is how many were on a group."""

    def __init__(self, phones: Iterable[pl.Series]) -> None:
        self._phones = pl.concat([pl.Series(dtype=pl.Int64), *phones], rechunk=True).sort()
        self.found = 0

    @classmethod
    async def begin(cls, store: Store, opened: OpenImport) -> Scrub:
        """With the groups as they are now."""
        read = _read_sqlite if store.dialect == "sqlite" else _read_postgres
        return cls(await read(store, opened))

    def counted(self, keys: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same keys, counted as they pass."""
        last = len(self._phones) - 1
        for frame in keys:
            if last >= 0:
                wanted = frame.get_column("key")
                places = self._phones.search_sorted(wanted).clip(upper_bound=last)
                self.found += int((self._phones.gather(places) == wanted).sum())
            yield frame


async def _read_sqlite(store: Store, opened: OpenImport) -> list[pl.Series]:
    def groups(connection: sqlite3.Connection) -> list[int]:
        return [row[0] for row in connection.execute(_GROUPS.format("?"), (opened.business_unit_id,))]

    found: list[pl.Series] = []
    for group in await store.reader.look(groups):
        after = 0
        while True:
            wanted = (opened.bucket, group, after, _PIECE)
            text, last = await store.reader.look(lambda connection: connection.execute(_SQLITE, wanted).fetchone())  # noqa: B023
            if last is None:
                break
            found.append(_parsed(text.encode()))
            after = last
    return found


async def _read_postgres(store: Store, opened: OpenImport) -> list[pl.Series]:
    found: list[pl.Series] = []
    waiting = bytearray()

    async def take(data: bytes) -> None:
        waiting.extend(data)
        if len(waiting) >= _TEXT:
            whole = waiting.rfind(b"\n") + 1
            found.append(await asyncio.to_thread(_parsed, bytes(waiting[:whole])))
            del waiting[:whole]

    try:
        async with store.pool.acquire() as connection:
            rows = await connection.fetch(_GROUPS.format("$1"), opened.business_unit_id)
            groups = [row[0] for row in rows]
            await connection.copy_from_query(_POSTGRES, opened.bucket, groups, output=take)
    except LOST as error:
        raise unavailable(error, store.address) or error from error
    if waiting:
        found.append(_parsed(bytes(waiting)))
    return found


def _parsed(text: bytes) -> pl.Series:
    return pl.read_csv(text, has_header=False, schema=_PHONES).get_column("phone")
