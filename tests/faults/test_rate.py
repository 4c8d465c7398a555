"""The one-second rate, measured where it is promised: at the engine's own sockets, on a machine that has no time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator

import pytest
from tests.faults.lab import Lab, kill

from todoke.model.event import State

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]


def _busy() -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


@pytest.fixture
def crowd() -> Iterator[None]:
    """Four processes that never wait: what is left of two cores comes in pieces."""
    processes = [multiprocessing.get_context("spawn").Process(target=_busy, daemon=True) for _ in range(4)]
    for process in processes:
        process.start()
    yield
    for process in processes:
        process.kill()
        process.join()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rate", [5, 40, 1_000])
async def test_no_second_is_over_the_rate_on_a_busy_machine(lab: Lab, crowd: None, rate: float) -> None:
    """`verdict` fails where a second of the tap is over the rate; kills in between must not make one."""
    await lab.prepare(contacts=max(25, int(rate * 2.5)), rate=rate)
    child = await lab.engine()
    await lab.taken(max(4, int(rate)))
    await kill(child)
    await lab.engine()
    found = await lab.verdict()
    assert found.fastest <= rate
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}
