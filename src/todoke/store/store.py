"""The store, opened: the catalogue's engine, the hot operations, and the raw ways in for bulk work."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from todoke.model.clock import SystemClock
from todoke.model.errors import Invalid
from todoke.store import engine as catalogue_engine
from todoke.store import migrations, postgres, writer
from todoke.store.address import Address, Dialect, parse_address
from todoke.store.hot.base import Hot, StoreUnavailable
from todoke.store.hot.postgres.hot import PostgresHot
from todoke.store.hot.sqlite.hot import SqliteHot
from todoke.store.postgres import Pool
from todoke.store.replication import Watch
from todoke.store.writer import Reader, Writer

POOL_SIZE = 8


class Store:
    """An open database; `async with` closes it.

    `engine` is for the catalogue: `writing()` for a transaction, `reading()` for a snapshot that blocks nobody.
    `hot` is what carries the load. Bulk work goes through `pool` (PostgreSQL) or `writer` (SQLite).
    """

    def __init__(
        self,
        url: str,
        address: Address,
        engine: AsyncEngine,
        hot: Hot,
        closers: tuple[Callable[[], Awaitable[None]], ...],
        *,
        pool: Pool | None = None,
        writer: Writer | None = None,
        reader: Reader | None = None,
        scanner: Reader | None = None,
    ) -> None:
        self.url = url
        self.address = address
        self.engine = engine
        self.hot = hot
        self._closers = closers
        self._pool = pool
        self._writer = writer
        self._reader = reader
        self._scanner = scanner

    @property
    def dialect(self) -> Dialect:
        return self.address.dialect

    @property
    def pool(self) -> Pool:
        """Raw connections to PostgreSQL; TypeError on SQLite."""
        if self._pool is None:
            raise TypeError("a SQLite store has no pool")
        return self._pool

    @property
    def writer(self) -> Writer:
        """SQLite's one writing thread; TypeError on PostgreSQL."""
        if self._writer is None:
            raise TypeError("a PostgreSQL store has no writer thread")
        return self._writer

    @property
    def reader(self) -> Reader:
        """SQLite's reading thread; TypeError on PostgreSQL."""
        if self._reader is None:
            raise TypeError("a PostgreSQL store has no reader thread")
        return self._reader

    @property
    def scanner(self) -> Reader:
        """SQLite's thread for what reads much, so that no lane waits for it; TypeError on PostgreSQL."""
        if self._scanner is None:
            raise TypeError("a PostgreSQL store has no scanner thread")
        return self._scanner

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction of the catalogue: committed at the end, rolled back where the body raises."""
        with sentences(self.address):
            async with self.engine.begin() as connection:
                watch: Watch | None = connection.info.get(catalogue_engine.WATCH)
                yield connection
            if watch is not None:
                watch.check(self.address)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A snapshot of the catalogue; what is written in it is not kept."""
        with sentences(self.address):
            async with self.engine.connect() as connection:
                await connection.execution_options(**catalogue_engine.READING)
                yield connection

    async def close(self) -> None:
        """Close every connection, in the reverse order of opening."""
        for close in self._closers:
            await close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def open_store(url: str, *, create: bool = False) -> Store:
    """Open the database at `url` (`sqlite:////path`, `postgresql://user:password@host/database`).

    It must have this version's schema; `migrate` brings it there. With `create` an empty or missing one gets it
    first. Invalid, Conflict or StoreUnavailable say what is wrong and what to do about it.
    """
    address = parse_address(url)
    _require_file(address, create=create)
    engine = catalogue_engine.create(address)
    try:
        with sentences(address):
            if create:
                await migrations.create(engine)
            await migrations.check(engine, address.shown)
        return await (_open_sqlite(url, address, engine) if address.path else _open_postgres(url, address, engine))
    except BaseException:
        await engine.dispose()
        raise


async def migrate(url: str) -> str:
    """Bring the database at `url` to this version's schema (SQLite: make the file); returns the schema's name."""
    address = parse_address(url)
    _require_file(address, create=True)
    engine = catalogue_engine.create(address)
    try:
        with sentences(address):
            await migrations.upgrade(engine)
    finally:
        await engine.dispose()
    return migrations.HEAD


async def _open_sqlite(url: str, address: Address, engine: AsyncEngine) -> Store:
    assert address.path is not None
    writing, reading, scanning = Writer(address.path), Reader(address.path), Reader(address.path)
    hot = SqliteHot(writing, reading, SystemClock())
    closers = (hot.close, engine.dispose, scanning.close, reading.close, writing.close)
    return Store(url, address, engine, hot, closers, writer=writing, reader=reading, scanner=scanning)


async def _open_postgres(url: str, address: Address, engine: AsyncEngine) -> Store:
    connection = await postgres.connect(address)
    try:
        await postgres.require_durable(connection, address)
    finally:
        await connection.close()
    pool = await postgres.create_pool(address, POOL_SIZE)
    hot = PostgresHot(address)
    return Store(url, address, engine, hot, (hot.close, engine.dispose, pool.close), pool=pool)


def _require_file(address: Address, *, create: bool) -> None:
    if address.path is None:
        return
    if not address.path.parent.is_dir():
        raise Invalid("Its folder does not exist.", where=address.shown, fix=f"Make it: mkdir -p {address.path.parent}")
    if not create and not address.path.exists():
        raise StoreUnavailable("There is no database file.", where=address.shown, fix="Run `todoke migrate`.")


@contextmanager
def sentences(address: Address) -> Generator[None]:
    """Turn a driver's error about the file, the server or the way to it into StoreUnavailable."""
    try:
        yield
    except DBAPIError as error:
        known = _known(error.orig, address) or _known(getattr(error.orig, "__cause__", None), address)
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = _known(error, address)
        if known is None:
            raise
        raise known from error


def _known(error: BaseException | None, address: Address) -> StoreUnavailable | None:
    if isinstance(error, sqlite3.Error) and address.path:
        return writer.unavailable(error, address.path)
    return None if error is None or address.path else postgres.unavailable(error, address)
