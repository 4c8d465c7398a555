"""A fresh database of each kind for each measurement: a SQLite file, and one on a PostgreSQL server if one answers."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_count = itertools.count(1)


def databases() -> Iterator[tuple[str, Callable[[], AbstractContextManager[str]]]]:
    """Name and maker of each; the maker's context gives the address and removes the database at its end."""
    yield "SQLite", _sqlite
    server = asyncio.run(_server())
    if server is not None:
        yield "PostgreSQL", lambda: _postgres(server)


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'bench.db'}"


@contextmanager
def _postgres(server: str) -> Iterator[str]:
    name = f"todoke_bench_{os.getpid()}_{next(_count)}"
    asyncio.run(_command(server, f"CREATE DATABASE {name}"))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_command(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _server() -> str | None:
    given = os.environ.get("TODOKE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    try:
        await _command(given, "SELECT 1")
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return None
    return given


async def _command(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
