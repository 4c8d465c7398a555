"""The way from any earlier schema to this one. `todoke migrate` runs it; nothing else changes tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from todoke.model.errors import Conflict
from todoke.store.hot.base import StoreUnavailable

# Oldest first; tested equal to the scripts.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
HEAD = REVISIONS[-1]


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the database to this version's schema; nothing happens where it is there already. One at a time."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def create(engine: AsyncEngine) -> None:
    """The same for a database that has nothing in it yet; any other is left as it is."""
    async with engine.connect() as connection:
        found = await connection.run_sync(_revision)
    if found is None:
        await upgrade(engine)


async def check(engine: AsyncEngine, shown: str) -> None:
    """Raises, saying what to do, where the database has not exactly this version's schema."""
    async with engine.connect() as connection:
        found = await connection.run_sync(_revision)
    if found == HEAD:
        return
    if found is None:
        raise StoreUnavailable("The database is empty.", where=shown, fix="Run `todoke migrate`.")
    if found in REVISIONS:
        raise Conflict(
            f"The database has the older schema {found}; this version needs {HEAD}.",
            where=shown,
            fix="Stop every todoke process on it, then run `todoke migrate`.",
        )
    raise _newer(found, shown)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7430501)"))
    found = _revision(connection)
    if found is not None and found not in REVISIONS:
        raise _newer(found)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _newer(found: str, shown: str | None = None) -> Conflict:
    return Conflict(
        f"The database has schema {found}, which a newer version of Todoke made; this one knows {HEAD}.",
        where=shown,
        fix="Install the newer version.",
    )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(text("version_num")).select_from(text("alembic_version"))).scalar()
