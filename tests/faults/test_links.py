"""What a carrier's side can do: answers that are lost, late or doubled, receipts before answers, half-open links."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.faults.lab import ROUNDS, Lab, kill, texts
from tests.world import eventually, let_policies_decide

from todoke.model.event import State

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS, RATE = 250, 500
QUICK: dict[str, Any] = {"response_timeout": 1.0, "enquire_link": 1.0}

BEHAVIOURS: dict[str, dict[str, object]] = {
    "lost": {"lose_response_ratio": 0.05},
    "late": {"late_response_ratio": 0.05, "late_response_delay": 1.6},
    "doubled": {"duplicate_response_ratio": 0.2},
    "early": {"early_receipt_ratio": 0.5, "receipt_repeat_ratio": 0.3, "round_trip": 0.05},
    "dropped": {"drop_ratio": 0.01},
    "full": {"queue_full_ratio": 0.02},
    "all": {
        "lose_response_ratio": 0.01,
        "late_response_ratio": 0.01,
        "late_response_delay": 1.6,
        "duplicate_response_ratio": 0.05,
        "early_receipt_ratio": 0.2,
        "receipt_repeat_ratio": 0.2,
        "drop_ratio": 0.003,
        "round_trip": 0.03,
        "round_trip_jitter": 0.05,
    },
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", BEHAVIOURS)
async def test_answers_that_go_wrong_double_nothing(lab: Lab, kind: str) -> None:
    await lab.prepare(contacts=CONTACTS, rate=RATE, text="Hello {FirstName}", **QUICK)
    await lab.control("/faults", BEHAVIOURS[kind])
    await lab.engine()
    if kind in ("lost", "doubled", "early", "late", "full"):  # a late answer, or a receipt, ends the doubt
        await lab.counted(State.DELIVERED, CONTACTS)
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_answers_that_are_lost_without_receipts_leave_doubts_that_were_sent(lab: Lab) -> None:
    await lab.prepare(contacts=CONTACTS, rate=RATE, text="Hello {FirstName}", **QUICK)
    await lab.control("/faults", {**BEHAVIOURS["lost"], "receipts": False})
    await lab.engine()
    found = await lab.verdict(receipts=False)
    assert set(found.counts) == {State.SENT, State.IN_DOUBT}
    assert found.counts[State.IN_DOUBT] == found.doubts["response_timeout"] == found.doubts_sent > 0


@pytest.mark.parametrize("seed", range(max(1, ROUNDS // 4)))
async def test_kills_while_answers_go_wrong(lab: Lab, seed: int) -> None:
    rng = random.Random(seed)
    await lab.prepare(contacts=CONTACTS, rate=RATE, text=texts(rng), **QUICK)
    await lab.control("/faults", BEHAVIOURS["all"])
    for _ in range(2):
        child = await lab.engine()
        await lab.taken(len(lab.world.entries()) + rng.randrange(1, 100))
        await kill(child)
    await lab.engine()
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_half_open_link_leaves_doubts_that_its_late_answers_end(lab: Lab, comes_back: bool) -> None:
    """Nothing is read, nothing answered, the connection stays up: what is in its window is in doubt after
    `response_timeout`. It comes back with the answers, or the engine gives it up for another one.
    """
    timeouts: dict[str, Any] = {"response_timeout": 1.0, "enquire_link": 60.0 if comes_back else 1.0}
    await lab.prepare(contacts=CONTACTS, rate=RATE, window=20, **timeouts)
    await lab.engine()
    await lab.taken(50)
    await lab.control("/pause")
    await lab.counted(State.IN_DOUBT, 20)  # all that was in the window
    await lab.control("/resume")
    if comes_back:
        await lab.counted(State.DELIVERED, CONTACTS)
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_at_least_once_sends_only_doubts_again(lab: Lab) -> None:
    await lab.prepare(contacts=60, rate=RATE, **QUICK)
    await lab.policy("at_least_once")
    await lab.control("/faults", {"lose_response_ratio": 0.2, "receipts": False})
    await lab.engine()

    async def all_told() -> bool:
        counts = await lab.world.counts(lab.run)
        return counts.total() == 60 and counts[State.IN_DOUBT] > 0

    await eventually(all_told, "every contact is sent or in doubt")
    doubts = (await lab.world.counts(lab.run))[State.IN_DOUBT]
    await lab.control("/faults", {"lose_response_ratio": 0.0})
    await let_policies_decide(lab.store)
    found = await lab.verdict(at_least_once=True, receipts=False)
    assert found.counts == {State.SENT: 60}
    assert sorted(lab.world.sent().values()) == [1] * (60 - doubts) + [2] * doubts


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_killed_simulator_leaves_doubts_and_no_duplicates_by_all_three_books(lab: Lab) -> None:
    await lab.prepare(contacts=CONTACTS, rate=RATE, text="Hello {FirstName}")
    await lab.engine()
    await lab.taken(60)
    port = lab.simulator.told["smpp_port"]
    await kill(lab.simulator)
    await lab.simulate(port=port)
    found = await lab.verdict(receipts=False)
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT, State.SENT}
    assert set(found.doubts) <= {"link_dropped"}
