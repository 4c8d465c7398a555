"""Commands as a person gives them: `await todoke("run", "list")`, in a folder and on a database of the test."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from todoke.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "acme.toml"

AGENTS = """Id,First name,Mobile,Zone
a1,Ann,+1 (202) 555-0143,America/New_York
a2,Bob,202-555-0144,America/New_York
a3,,202-555-0145,America/New_York
a4,Dan,not a number,America/New_York
a1,Eve,202-555-0146,America/New_York
"""


class Result(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Awaitable[Result]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no setting from outside."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in list(os.environ):
        if name.startswith("TODOKE_") and not name.startswith(("TODOKE_TEST_", "TODOKE_REQUIRE_")):
            monkeypatch.delenv(name)
    return here


@pytest.fixture
def todoke(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command without any database given."""

    async def run(*arguments: str) -> Result:
        capsys.readouterr()
        status = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Result(status, said.out, said.err)

    return run


@pytest.fixture
def at_database(todoke: Command, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command on a fresh, migrated database."""
    monkeypatch.setenv("TODOKE_DATABASE", database_url)
    return todoke


@pytest.fixture
async def acme(at_database: Command) -> Command:
    """Run a command where the example declaration was applied."""
    assert (await at_database("apply", EXAMPLE)).status == 0
    return at_database


@pytest.fixture
async def agents(acme: Command, folder: Path) -> Command:
    """... and a list of three contacts was imported as `Agents`."""
    (folder / "agents.csv").write_text(AGENTS, encoding="utf-8")
    result = await acme("import", "agents.csv", "--list", "Agents")
    assert result.status == 0, result.err
    return acme


@pytest.fixture
async def besto(acme: Command, folder: Path) -> Command:
    """... and there is a second business unit, Besto, that has nothing."""
    (folder / "besto.toml").write_text('[[business_unit]]\nname = "Besto"\ndefault_region = "JP"\n', encoding="utf-8")
    assert (await acme("apply", "besto.toml")).status == 0
    return acme
