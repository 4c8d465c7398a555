"""`todoke doctor` as a person runs it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Command

from todoke.store.migrations import HEAD


async def test_an_installation_as_it_should_be(acme: Command) -> None:
    result = await acme("doctor", "--json")
    found = result.json["findings"]
    assert (result.status, result.json["errors"]) == (0, 0), found
    assert {"rule packs", "erasure key"} <= {finding["check"] for finding in found}
    assert {"disk", "durability", "schema", "providers", "engines", "journals", "in doubt", "receipts"} <= {
        finding["check"] for finding in found
    }
    (schema,) = [finding for finding in found if finding["check"] == "schema"]
    assert schema == {"check": "schema", "level": "ok", "sentence": f"{HEAD}, as this version needs it.", "fix": ""}
    said = (await acme("doctor")).out
    assert said.splitlines()[-1].startswith("0 wrong")


async def test_a_run_that_no_engine_sends(agents: Command) -> None:
    assert (await agents("skill", "start", "bonus-shift", "--list", "Agents")).status == 0
    result = await agents("doctor")
    assert result.status == 0  # a warning
    assert "No engine runs, and 1 run would go on." in result.out
    assert "-> Start todoke engine." in result.out


async def test_no_database_is_an_error_and_makes_none(todoke: Command, folder: Path) -> None:
    result = await todoke("doctor")
    assert result.status == 1
    assert "There is no file todoke-data/todoke.db." in result.out
    assert not list(folder.iterdir())


async def test_no_server_is_an_error(todoke: Command) -> None:
    result = await todoke("--database", "postgresql://u:secret@127.0.0.1:1,127.0.0.1:2/x", "doctor")
    assert result.status == 1
    assert "x on 127.0.0.1:1: PostgreSQL does not answer" in result.out
    assert "x on 127.0.0.1:2: PostgreSQL does not answer" in result.out
    assert "secret" not in result.out


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_another_schema_is_an_error(at_database: Command, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "todoke.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    result = await at_database("doctor")
    assert result.status == 1
    assert "The database has schema 9999" in result.out
