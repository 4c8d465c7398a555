"""The store in the tests: every test that takes `store` or `database_url` runs on SQLite and on PostgreSQL, each
time on a fresh database (on PostgreSQL one a process, made clean).

PostgreSQL is used when TODOKE_TEST_POSTGRES_URL names a server or one answers on 127.0.0.1:5432; with
TODOKE_REQUIRE_POSTGRES=1 a missing server is a failure.
"""

from __future__ import annotations

import asyncio
import getpass
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from todoke.store.schema import metadata
from todoke.store.store import Store, migrate, open_store

T = TypeVar("T")


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine from a fixture that is not one, without touching the test's own event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


class PostgresServer:
    """Makes databases for this process. One of them is migrated once and made clean for every test."""

    def __init__(self, url: str, stem: str = "todoke_test") -> None:
        self._url = url
        self._stem = f"{stem}_{os.getpid()}"
        self._count = itertools.count(1)
        self._shared: str | None = None

    async def clean(self) -> str:
        """The address of a migrated database without a row but the installation's."""
        if self._shared is None:
            self._shared = await self.create()
            await migrate(self._shared)
            return self._shared
        connection = await asyncpg.connect(self._shared)
        try:
            await connection.execute("SET lock_timeout = '20s'")
            for row in await connection.fetch(
                "SELECT inhrelid::regclass::text FROM pg_inherits i, pg_class c"
                " WHERE i.inhparent = 'event'::regclass AND c.oid = i.inhrelid"
                " AND c.relkind = 'r'"
            ):
                await connection.execute(f"DROP TABLE {row[0]}")
            tables = [t.name for t in reversed(metadata.sorted_tables) if t.name not in ("installation", "event")]
            await connection.execute("; ".join(f'DELETE FROM "{name}"' for name in tables))
            await connection.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
        finally:
            await connection.close()
        return self._shared

    async def create(self) -> str:
        """The address of a new database without any table."""
        name = f"{self._stem}_{next(self._count)}"
        await self._command(f"CREATE DATABASE {name} TEMPLATE template0")
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    async def drop(self, url: str) -> None:
        await self._command(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")

    async def close(self) -> None:
        if self._shared is not None:
            await self.drop(self._shared)

    async def _command(self, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def answering() -> str | None:
    """The address of a server to make databases on, if one answers."""
    given = os.environ.get("TODOKE_TEST_POSTGRES_URL")
    if given:
        return given
    for user in ("postgres", getpass.getuser()):
        url = f"postgresql://{user}@127.0.0.1:5432/postgres"
        try:
            connection = await asyncpg.connect(url, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            continue
        await connection.close()
        return url
    return None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server where databases can be made; the test is skipped (or fails, see above) where there is none."""
    url = _run(answering)
    if url is None:
        sentence = "no PostgreSQL answers on 127.0.0.1:5432 and TODOKE_TEST_POSTGRES_URL is not set"
        if os.environ.get("TODOKE_REQUIRE_POSTGRES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    server = PostgresServer(url)
    yield server
    _run(server.close)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "todoke.db"
    _run(lambda: migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return request.param


@pytest.fixture
async def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    if dialect == "sqlite":
        path = tmp_path / "todoke.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    yield await server.clean()


@pytest.fixture
async def empty_database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database without any table (SQLite: without a file)."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = await server.create()
    yield url
    await server.drop(url)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a fresh, migrated database."""
    async with await open_store(database_url) as opened:
        yield opened
