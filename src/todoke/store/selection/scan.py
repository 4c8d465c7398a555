"""Going through a list for the contacts that a filter wants: a page of positions at a time, each in a transaction of
its own, so that neither database keeps anything for its length.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any as Bound
from typing import NamedTuple

import msgspec

from todoke.model.filter import Expression, Order
from todoke.store import postgres
from todoke.store.selection.on_postgres import PostgresCompiler
from todoke.store.selection.on_sqlite import SqliteCompiler
from todoke.store.selection.query import ALWAYS, Query
from todoke.store.store import Store

PAGE = 4_000
"""Positions looked at in one statement: some 20 ms."""

_positions = msgspec.json.Decoder(list[int])


class Source(NamedTuple):
    """A list, as far as a filter must know it. `size`: its positions are 0 to size - 1."""

    bucket: int
    list_id: int
    fields: Sequence[str]
    zone_sets: Sequence[Sequence[str]]
    size: int


class Scan:
    """`wanted` is resolved; None wants every contact. Its fields that the list does not have are empty."""

    def __init__(self, store: Store, source: Source, wanted: Expression | None, order: Order = ()) -> None:
        self._store = store
        self._source = source
        expression = ALWAYS if wanted is None else wanted
        known = (source.fields, source.zone_sets)
        compiler = SqliteCompiler if store.dialect == "sqlite" else PostgresCompiler
        self._page = compiler(*known).compile(expression)
        self._ranked = compiler(*known).compile(expression, order) if order else self._page
        self._chosen = compiler(*known, chosen=True).compile(expression)

    async def positions(self, first: int, last: int) -> list[int]:
        """Of these positions the wanted ones, in order."""
        return _decoded(await self._fetch(self._page, first, last))

    async def among(self, positions: Sequence[int]) -> list[int]:
        """Of these the wanted ones, in order."""
        chosen: object = list(positions)
        if self._store.dialect == "sqlite":
            chosen = msgspec.json.encode(chosen).decode()
        return _decoded(await self._fetch(self._chosen, chosen, None))

    async def ranked(self, first: int, last: int) -> str:
        """The wanted ones with what the order compares, as JSON: what `Sorter` takes."""
        return str(await self._fetch(self._ranked, first, last) or "[]")

    async def pages(self, first: int, last: int) -> AsyncGenerator[tuple[int, list[int]]]:
        """Page by page: the last position that was looked at, and the wanted ones among them."""
        while first <= last:
            end = min(first + PAGE - 1, last)
            yield end, await self.positions(first, end)
            first = end + 1

    async def _fetch(self, query: Query, first: object, last: object) -> Bound:
        source = self._source
        given: tuple[Bound, ...] = (source.bucket, source.list_id, first, last, *query.parameters)
        if self._store.dialect == "sqlite":
            return await self._store.scanner.run(lambda db: db.execute(query.sql, given).fetchone()[0])
        try:
            async with self._store.pool.acquire() as connection:
                return await connection.fetchval(query.sql, *given)
        except postgres.LOST as error:
            raise postgres.unavailable(error, self._store.address) or error from error


def _decoded(found: Bound) -> list[int]:
    if isinstance(found, str):
        return _positions.decode(found)
    return list(found or ())
