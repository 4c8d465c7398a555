"""Starts what others wrote: needs Node and `npm ci` here. TODOKE_REQUIRE_PEERS=1 makes their lack a failure."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node, with node-smpp beside it."""
    path = shutil.which("node")
    if path is None:
        missing = "Node is not installed; node-smpp needs it"
    elif not (HERE / "node_modules" / "smpp").is_dir():
        missing = "node-smpp is not installed; run `npm ci` in tests/peers"
    else:
        return path
    if os.environ.get("TODOKE_REQUIRE_PEERS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


class Script:
    """One running script of this folder and the JSON lines that it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []

    async def hear(self, key: str, count: int = 1) -> Any:
        """What it said under `key`; with a `count`, once it said that many of them. At most ten seconds."""
        async with asyncio.timeout(10):
            while len(found := [line[key] for line in self.said if key in line]) < count:
                await self.next()
        return found[-1] if count == 1 else found

    async def next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            _, errors = await self._process.communicate()
            raise AssertionError(f"the script ended; it said {self.said} and {errors.decode()}")
        self.said.append(json.loads(line))
        return self.said[-1]

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


@pytest.fixture
async def script(node: str) -> Any:
    """Starts a script of this folder; it ends with the test."""
    running: list[Script] = []

    async def start(name: str, *arguments: object) -> Script:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            node, str(HERE / name), *map(str, arguments), stdout=pipe, stderr=pipe, cwd=HERE
        )
        running.append(Script(process))
        return running[-1]

    starter: Callable[..., Coroutine[Any, Any, Script]] = start
    yield starter
    for one in running:
        await one.stop()
