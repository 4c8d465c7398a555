"""What is expected to go wrong ends in a sentence and a status other than 0, never in a traceback."""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Awaitable[Any]]


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_no_database_yet(todoke: Command, folder: Path) -> None:
    result = await todoke("run", "list")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("todoke-data/todoke.db: There is no database yet. Make it with todoke migrate")
    assert list(folder.iterdir()) == []


async def test_a_file_that_is_no_database(todoke: Command, folder: Path) -> None:
    (folder / "notes.txt").write_text("nothing of a database " * 100)
    result = await todoke("--database", "sqlite:///notes.txt", "run", "list")
    assert result.status == 1
    assert result.err == "notes.txt: The file is not a SQLite database. Give the path of another file.\n"


async def test_a_server_that_does_not_answer(todoke: Command, closed_port: int) -> None:
    result = await todoke("--database", f"postgresql://me:s3cret@127.0.0.1:{closed_port}/todoke", "run", "list")
    assert result.status == 1
    assert f"todoke on 127.0.0.1:{closed_port}: PostgreSQL does not answer" in result.err
    assert "s3cret" not in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_database_that_is_not_there(todoke: Command, empty_database_url: str) -> None:
    result = await todoke("--database", f"{empty_database_url}_gone", "run", "list")
    assert (result.status, "PostgreSQL has no such database." in result.err) == (1, True)
    result = await todoke("--database", empty_database_url, "run", "list")
    assert (result.status, "todoke migrate" in result.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("--database", "mysql://x/y", "run", "list"), "--database: "),
        (("--log-level", "loud", "run", "list"), "--log-level: "),
        (("--config", "gone.toml", "run", "list"), "gone.toml: "),
        (("run", "list"), "todoke.toml: databse: There is no such setting. Did you mean database?"),
    ],
)
async def test_a_setting_that_cannot_be_used(
    todoke: Command, folder: Path, arguments: tuple[str, ...], where: str
) -> None:
    if where.startswith("todoke.toml"):
        (folder / "todoke.toml").write_text('databse = "sqlite:///x.db"')
    result = await todoke(*arguments)
    assert result.status == 1
    assert result.err.startswith(where)


async def test_an_unknown_variable(todoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODOKE_DATABSE", "x")
    result = await todoke("run", "list")
    assert result.status == 1
    assert result.err == ("environment: TODOKE_DATABSE: There is no such setting. Did you mean TODOKE_DATABASE?\n")


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("run",), ("run", "show"), ("run", "show", "x"), ("--nonsense",), ("send", "--list", "x")],
)
async def test_wrong_usage_is_status_2(todoke: Command, arguments: tuple[str, ...]) -> None:
    result = await todoke(*arguments)
    assert result.status == 2
    assert "Usage: todoke" in result.err + result.out


async def test_help_needs_no_settings(todoke: Command, folder: Path) -> None:
    (folder / "todoke.toml").write_text("nonsense = 1")
    for arguments in (["--help"], ["run", "--help"], ["apply", "--help"], ["import", "--help"], ["simulate", "--help"]):
        result = await todoke(*arguments)
        assert (result.status, result.err) == (0, "")
        assert "sage: todoke" in result.out


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.db"), "x.db: The disk is full."),
        (PermissionError(errno.EACCES, "Permission denied", "x.db"), "x.db: This user may not do that here."),
        (OSError(errno.EIO, "Input/output error"), "Input/output error."),
    ],
)
async def test_what_the_system_refuses(
    todoke: Command, monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("todoke.store.store.open_store", refuse)
    result = await todoke("--database", "postgresql://127.0.0.1/x", "run", "list")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(sentence)


async def test_an_interrupt_is_status_130(todoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("todoke.store.store.open_store", interrupt)
    assert (await todoke("--database", "postgresql://127.0.0.1/x", "run", "list")).status == 130
