"""A lane's owner is frozen for longer than its lease; another engine takes the lane over; the first one wakes up.

PostgreSQL only: a SQLite file has one engine.
"""

from __future__ import annotations

import random
import time

import pytest
from tests.faults import tap
from tests.faults.lab import ROUNDS, Lab, dead, freeze, thaw
from tests.world import eventually

from todoke.model.event import State
from todoke.service.processes import Child

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("dialect", ["postgresql"], indirect=True),
]

LEASE = 2.0
RATE = 100


async def taken_over(lab: Lab, frozen: Child, successor: Child) -> None:
    """Wait until the successor writes."""

    async def writes() -> bool:
        return any(one.pid == successor.pid and one.kind == tap.WRITTEN for one in tap.read(lab.tapped))

    assert frozen.process.returncode is None
    await eventually(writes, "the second engine sends", 40)


def late(lab: Lab, frozen: Child, woken: float) -> int:
    """How many segments the frozen engine wrote after it woke up."""
    return sum(
        1 for one in tap.read(lab.tapped) if one.pid == frozen.pid and one.kind == tap.WRITTEN and one.at > woken
    )


@pytest.mark.parametrize("seed", range(max(1, ROUNDS // 4)))
async def test_a_frozen_owner_writes_nothing_when_it_wakes(lab: Lab, seed: int) -> None:
    rng = random.Random(seed)
    await lab.prepare(contacts=400, rate=RATE, text="Hello {FirstName}")
    first = await lab.engine(lease=LEASE)
    await lab.taken(40)
    second = await lab.engine(lease=LEASE)
    await lab.taken(60 + rng.randrange(40))
    freeze(first)
    await taken_over(lab, first, second)
    woken = time.monotonic()
    thaw(first)
    found = await lab.verdict()
    # Where it was frozen between the last check and the write, what it had in hand there leaves late.
    assert late(lab, first, woken) <= 1
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


# Frozen after the last check: one batch of one slot leaves late. Frozen before it, or in a transaction: none.
LATE = {"before_journal": 1, "before_wire": 1, "in_flush": 0, "after_reserve_commit": 0}


@pytest.mark.parametrize("point", LATE)
async def test_an_owner_that_is_frozen_at_a_point_writes_at_most_what_it_had_in_hand(lab: Lab, point: str) -> None:
    await lab.prepare(contacts=350, rate=RATE, text="Hello {FirstName}")
    first = await lab.engine(f"{point}=stop@9", lease=LEASE)
    await lab.struck()
    second = await lab.engine(lease=LEASE)
    await taken_over(lab, first, second)
    woken = time.monotonic()
    thaw(first)
    found = await lab.verdict()
    assert late(lab, first, woken) <= LATE[point]
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


async def test_an_owner_that_is_killed_frozen_is_recovered_by_its_successor(lab: Lab) -> None:
    """Its journal is locked while it is frozen, and free when it is dead."""
    await lab.prepare(contacts=400, rate=RATE)
    first = await lab.engine("before_wire=stop@60", lease=LEASE)
    await lab.struck()
    second = await lab.engine(lease=LEASE)
    await taken_over(lab, first, second)
    first.process.kill()
    await dead(first)
    found = await lab.verdict()
    assert found.doubts["engine_crashed"] >= 1  # noted, not written, and nobody can know
    assert found.counts.total() == 400
