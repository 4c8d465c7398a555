"""The simulator as a process: its ready line, its exit status, its errors."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

PYTHON = (sys.executable, "-m", "todoke.providers.simulator")


async def _process(*arguments: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *PYTHON, *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def _ready(process: asyncio.subprocess.Process) -> dict[str, int]:
    assert process.stdout is not None
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 20))


async def test_it_says_its_ports_and_ends_well(tmp_path: Path) -> None:
    process = await _process("--port", 0, "--ledger", tmp_path / "ledger", "--account", "me:you")
    ports = await _ready(process)
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["smpp_port"])
    writer.write(b"\0\0\0\x1c\0\0\0\x09\0\0\0\0\0\0\0\x01me\0you\0\0\x34\0\0\0")
    answer = await asyncio.wait_for(reader.read(100), 20)
    assert answer[4:12] == b"\x80\0\0\x09\0\0\0\0"
    process.terminate()
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    writer.close()
    assert (process.returncode, errors) == (0, b"")


async def test_a_taken_port(tmp_path: Path) -> None:
    first = await _process("--port", 0)
    try:
        second = await _process("--port", (await _ready(first))["smpp_port"])
        _, errors = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 1
        assert b"Cannot listen on 127.0.0.1:" in errors
        assert b"Traceback" not in errors
    finally:
        first.terminate()
        await first.communicate()


async def test_a_ledger_in_use(tmp_path: Path) -> None:
    first = await _process("--port", 0, "--ledger", tmp_path / "ledger")
    try:
        await _ready(first)
        second = await _process("--port", 0, "--ledger", tmp_path / "ledger")
        _, errors = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 1
        assert b"Another simulator writes this ledger." in errors
    finally:
        first.terminate()
        await first.communicate()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--behaviour", '{"throttle": 0}'], "throttle"),
        (["--behaviour", "[]"], "not a JSON object"),
        (["--behaviour", "{"], "not JSON"),
        (["--phone", "8190:sleepy"], "sleepy"),
        (["--account", "no password"], "NAME:VALUE"),
        (["--account", "me:much too long"], "8 for a password"),
        (["--code", "100:stranger"], "not among the accounts"),
        (["--receipt-delay", "-1"], "receipt_delay"),
    ],
)
async def test_wrong_options(arguments: list[str], expected: str) -> None:
    process = await _process(*arguments)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert expected in errors.decode()
