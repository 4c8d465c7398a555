"""The store in the tests: every test that takes `store` or `database_url` runs on SQLite and on PostgreSQL, each
time on a fresh database.

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

from todoke.store.store import Store, migrate, open_store

T = TypeVar("T")


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine from a fixture that is not one, without touching the test's own event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


class PostgresServer:
    """Makes databases, each a copy of one that was migrated once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stem = f"todoke_test_{os.getpid()}"
        self._count = itertools.count(1)

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    async def command(self, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def start(self) -> None:
        _run(lambda: self.command(f"CREATE DATABASE {self._stem}_template"))
        _run(lambda: migrate(self.url(f"{self._stem}_template")))

    def stop(self) -> None:
        _run(lambda: self.command(f"DROP DATABASE IF EXISTS {self._stem}_template WITH (FORCE)"))

    async def create(self, *, empty: bool = False) -> str:
        """The name of a new database."""
        name = f"{self._stem}_{next(self._count)}"
        template = "template0" if empty else f"{self._stem}_template"
        await self.command(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    async def drop(self, name: str) -> None:
        await self.command(f"DROP DATABASE {name} WITH (FORCE)")


async def _answering() -> str | None:
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
    url = _run(_answering)
    if url is None:
        sentence = "no PostgreSQL answers on 127.0.0.1:5432 and TODOKE_TEST_POSTGRES_URL is not set"
        if os.environ.get("TODOKE_REQUIRE_POSTGRES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    server = PostgresServer(url)
    server.start()
    yield server
    server.stop()


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
    name = await server.create()
    yield server.url(name)
    await server.drop(name)


@pytest.fixture
async def empty_database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database without any table (SQLite: without a file)."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = await server.create(empty=True)
    yield server.url(name)
    await server.drop(name)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a fresh, migrated database."""
    async with await open_store(database_url) as opened:
        yield opened
