"""The migrations make the schema, and opening any other one says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from tests.factories import seed, seed_run

from todoke.model.errors import Conflict
from todoke.store import engine as catalogue_engine
from todoke.store import migrations, postgres
from todoke.store.address import Address, parse_address
from todoke.store.hot.base import StoreUnavailable
from todoke.store.schema import metadata
from todoke.store.store import migrate, open_store


def differences(connection: Connection) -> list[Any]:
    def wanted(_: Any, name: str | None, kind: str, *__: Any) -> bool:
        return not (kind == "table" and str(name).startswith("event_b"))

    options = {"include_object": wanted, "compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def test_the_migrated_schema_equals_the_metadata(empty_database_url: str) -> None:
    assert await migrate(empty_database_url) == migrations.HEAD
    async with await open_store(empty_database_url) as store:
        await seed_run(store, await seed(store))  # makes a partition of `event`
        async with store.reading() as connection:
            assert await connection.run_sync(differences) == []


async def test_what_the_comparison_does_not_see(empty_database_url: str) -> None:
    """Tables clustered by their keys (SQLite), the partitioning (PostgreSQL), the conditions of partial indexes."""
    await migrate(empty_database_url)
    async with await open_store(empty_database_url) as store, store.reading() as connection:
        if store.dialect == "sqlite":
            rows = await connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
            sql = {row.name: row.sql for row in rows}
            clustered = {name for name, statement in sql.items() if "WITHOUT ROWID" in statement}
            assert clustered == {
                t.name for t in metadata.sorted_tables if t.dialect_options["sqlite"]["with_rowid"] is False
            }
            assert sql["ix_event_provider_message"].endswith("WHERE provider_message_id IS NOT NULL")
        else:
            query = text("SELECT pg_get_partkeydef('event'::regclass)")
            assert (await connection.execute(query)).scalar() == "RANGE (message_id)"
            query = text("SELECT pg_get_indexdef('ix_event_provider_message'::regclass)")
            assert str((await connection.execute(query)).scalar()).endswith("WHERE (provider_message_id IS NOT NULL)")


def test_the_known_revisions_are_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    assert tuple(script.revision for script in reversed(scripts)) == migrations.REVISIONS


async def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    async def installation() -> Any:
        async with await open_store(empty_database_url) as store, store.reading() as connection:
            return (await connection.execute(text("SELECT id, incarnation FROM installation"))).all()

    await migrate(empty_database_url)
    first = await installation()
    await migrate(empty_database_url)
    assert await installation() == first
    assert first[0].id == 1
    assert len(first[0].incarnation) == 32


async def stamp(url: str, revision: str) -> None:
    engine = catalogue_engine.create(parse_address(url))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    await engine.dispose()


async def test_a_newer_database_is_left_alone(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    await stamp(empty_database_url, "9999")
    with pytest.raises(Conflict, match=r"9999, which a newer version .* Install the newer version"):
        await open_store(empty_database_url)
    with pytest.raises(Conflict, match="newer version"):
        await open_store(empty_database_url, create=True)
    with pytest.raises(Conflict, match="newer version"):
        await migrate(empty_database_url)


async def test_an_older_database_asks_for_migrate(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(empty_database_url)
    monkeypatch.setattr(migrations, "REVISIONS", (*migrations.REVISIONS, "9999"))
    monkeypatch.setattr(migrations, "HEAD", "9999")
    with pytest.raises(Conflict, match=rf"older schema {migrations.REVISIONS[-2]}; .* run `todoke migrate`"):
        await open_store(empty_database_url)


class _Settings:
    """A server that answers with these settings."""

    def __init__(self, *off: str) -> None:
        self._off = off

    async def fetch(self, query: str) -> list[tuple[str]]:
        assert "setting = 'off'" in query
        return [(name,) for name in self._off]


async def test_a_server_that_may_forget_is_refused() -> None:
    address = Address("postgresql", "todoke on db.example:5432")
    await postgres.require_durable(_Settings(), address)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="fsync, synchronous_commit are off"):
        await postgres.require_durable(_Settings("fsync", "synchronous_commit"), address)  # type: ignore[arg-type]


async def test_a_database_whose_sessions_do_not_wait_for_the_disk_is_refused(postgres_server: Any) -> None:
    url = await postgres_server.create()
    await migrate(url)
    name = parse_address(url).shown.split()[0]
    engine = catalogue_engine.create(parse_address(url))
    async with engine.begin() as connection:
        await connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    await engine.dispose()
    with pytest.raises(StoreUnavailable, match="synchronous_commit is off"):
        await open_store(url)
    await postgres_server.drop(url)


async def test_a_path_with_a_percent_sign(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/100%25 sure.db"
    await migrate(url)
    async with await open_store(url):
        assert (tmp_path / "100% sure.db").exists()
