"""Commands that run until they are told to end, as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Awaitable[Any]]


async def start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """`todoke ARGUMENTS` in the folder."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "todoke", *arguments, cwd=folder, stdout=pipe, stderr=pipe, env=dict(os.environ)
    )


async def first_line(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await asyncio.wait_for(stream.readline(), 30)).decode()


async def end(process: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> tuple[int | None, str]:
    """Its exit status, and what was left on standard error."""
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_simulator_tells_its_ports_and_ends_when_told(folder: Path, number: int) -> None:
    process = await start(folder, "simulate", "--port", "0")
    ports = json.loads(await first_line(process.stdout))
    assert ports["smpp_port"] > 0
    assert await end(process, number) == (0, "")


@pytest.mark.parametrize("options", [("--port", "x"), ("--nonsense",), ("--account", "no-colon")])
async def test_wrong_options_of_the_simulator_are_status_2(todoke: Command, options: tuple[str, ...]) -> None:
    result = await todoke("simulate", *options)
    assert (result.status, result.out) == (2, "")
    assert "usage: todoke simulate" in result.err


async def test_an_engine_tells_that_it_is_ready_and_is_the_only_one_on_its_file(todoke: Command, folder: Path) -> None:
    assert (await todoke("migrate")).status == 0
    process = await start(folder, "engine")
    assert json.loads(await first_line(process.stdout)) == {"pid": process.pid}
    second = await start(folder, "engine")
    _, err = await asyncio.wait_for(second.communicate(), 30)
    assert (second.returncode, err.decode().count("\n")) == (1, 1)
    assert "Another engine uses this database file." in err.decode()
    status, err = await end(process)
    assert (status, "Traceback" in err) == (0, False)


async def test_up_makes_what_is_missing_and_ends_clean(folder: Path) -> None:
    process = await start(folder, "up")
    assert "engine 1 runs" in await first_line(process.stderr)
    status, err = await end(process)
    assert (status, "Traceback" in err) == (0, False)
    assert (folder / "todoke-data" / "todoke.db").is_file()
