"""Whether the process that imports a list still runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from todoke.store.lists.importer import is_alive, this_process


def test_this_process_is_alive() -> None:
    assert is_alive(this_process())


def test_a_process_that_ended_is_not(tmp_path: object) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "from todoke.store.lists.importer import *; print(this_process(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    importer = child.stdout.readline().strip()
    assert is_alive(importer)

    child.kill()
    child.wait()

    assert not is_alive(importer)
    child.stdin.close()
    child.stdout.close()


@pytest.mark.parametrize("part", [0, 1, 3])
def test_another_host_boot_or_start_is_another_process(part: int) -> None:
    parts = this_process().split(":")
    parts[part] += "1"

    assert not is_alive(":".join(parts))


@pytest.mark.parametrize("importer", ["", "a", "a:b", "a:b:c", f"::{os.getpid()}", ":::"], ids=range(6))
def test_what_is_no_process_is_not_alive(importer: str) -> None:
    assert not is_alive(importer)
