"""SIGKILL at every named point of the hand-over, on both databases; see `seams.py`."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.factories import phone_of
from tests.faults import tap
from tests.faults.failpoints import Rule, parse
from tests.faults.lab import Lab, dead, kill
from tests.faults.seams import POINTS
from tests.world import eventually

from todoke.model.event import State
from todoke.model.ids import address

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

CONTACTS, RATE = 120, 600
LONG = "Hello {FirstName}. " + "A long text. " * 20

# The pass that strikes: points of the start and of recovery are passed once or a few times, others many times.
NTH = {
    "before_flush": 9,
    "in_flush": 6,
    "before_commit": 6,
    "after_commit": 8,
    "before_journal": 20,
    "in_journal": 21,
    "before_wire": 22,
    "in_wire": 23,
    "after_wire": 24,
    "before_receipts_stored": 3,
    "after_receipts_stored": 3,
    "before_acknowledgement": 2,
    "after_acknowledgement": 2,
}
RECOVERY = ("after_engine_marked", "before_block_recovered", "after_block_recovered", "before_intent_recovered")
# Where the two databases do the same, or have no part in it, one is enough.
ASIDE = (
    *("before_journal", "in_journal", "before_wire", "in_wire", "after_wire", "in_composing", "before_renewal"),
    *("after_registration", "before_flush", "after_acknowledgement", "after_reply_stored", "after_finish"),
)
STOPPING = ("after_finish", "before_release", "after_release")


def rule(point: str, action: str) -> str:
    return f"{point}={action}@{NTH.get(point, 1)}"


async def strike(lab: Lab, point: str, action: str) -> None:
    """Bring an engine to the point; it dies there."""
    if point in RECOVERY:
        # What it recovers from: positions and due rows of an engine that was killed in the middle.
        if point == "before_intent_recovered":
            await dead(await lab.engine("after_lease_commit=kill", ready=False))  # all it took goes to `due`
            await dead(await lab.engine("after_lease_commit=kill", ready=False))  # and is taken from there
        else:
            first = await lab.engine()
            await lab.taken(30)
            await kill(first)
    child = await lab.engine(rule(point, action), ready=False)
    if point in ("after_reply_stored", "after_opt_out"):
        await lab.taken(10)
        await lab.says(phone_of(CONTACTS - 1), "Stop")
    if point in STOPPING:
        await lab.taken(30)
        child.process.terminate()
    assert await dead(child) == (-9 if action == "kill" else 1)
    assert any(line.startswith(f"{point} ") for line in lab.strikes())


@pytest.mark.parametrize(
    ("dialect", "point"),
    [("sqlite", point) for point in POINTS] + [("postgresql", point) for point in POINTS if point not in ASIDE],
    indirect=["dialect"],
)
async def test_a_kill_at_a_point_loses_and_doubles_nothing(lab: Lab, point: str) -> None:
    await lab.prepare(contacts=CONTACTS, rate=RATE, text=LONG if len(point) % 2 else "Hello {FirstName}")
    await strike(lab, point, "kill")
    await lab.engine()
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT, State.SKIPPED}
    if point in ("after_reply_stored", "after_opt_out"):
        # The reply was not acknowledged: it came again, and the number was on the list before its turn.
        assert found.counts[State.SKIPPED] <= 1
        (contact,) = await lab.store.hot.read_contacts(
            lab.world.scene.bucket, lab.world.scene.list, CONTACTS - 1, CONTACTS - 1, (lab.world.scene.group,)
        )
        assert contact.on_dnc
        await confirmed_once(lab, phone_of(CONTACTS - 1))


async def confirmed_once(lab: Lab, phone: int) -> None:
    """The opt-out was confirmed once, whatever died in between; or nobody knows whether it was."""
    outcomes: Counter[str] = Counter()
    for run, messages in await lab.world.standing():
        outcomes += await lab.world.counts(run)
        assert messages == (await lab.world.counts(run)).total()
    assert outcomes.total() == 1
    assert set(outcomes) <= {State.DELIVERED, State.IN_DOUBT}
    texts = [one for one in tap.read(lab.tapped) if one.kind == tap.WRITTEN and one.destination == phone]
    assert sum(address(one.message_id).run != lab.run for one in texts) <= 1


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", ["in_flush", "before_journal", "before_wire", "after_block_recovered"])
async def test_a_mistake_of_ours_at_a_point_ends_the_engine_and_loses_nothing(lab: Lab, point: str) -> None:
    """What raises in the middle of the hand-over must not be swallowed: the process ends, and the next one recovers."""
    await lab.prepare(contacts=CONTACTS, rate=RATE)
    await strike(lab, point, "raise")
    await lab.engine()
    found = await lab.verdict()
    assert set(found.counts) <= {State.DELIVERED, State.IN_DOUBT}


async def test_every_point_is_passed(lab: Lab) -> None:
    """A point that nothing passes tests nothing. Points of a second engine and of a clean stop are among them."""
    await lab.prepare(contacts=CONTACTS, rate=RATE, text=LONG)
    await dead(await lab.engine("after_lease_commit=kill", ready=False))
    await dead(await lab.engine("after_lease_commit=kill", ready=False))
    await lab.engine(lease=2.0)
    await lab.taken(10)
    await lab.says(phone_of(CONTACTS - 1), "Stop")

    async def renewed() -> bool:
        return "before_renewal" in lab.passed_file.read_text()

    await eventually(renewed, "the lease is renewed")
    await lab.verdict()
    assert set(lab.passed_file.read_text().split()) == set(POINTS)


def test_rules_are_read_and_mistakes_are_said() -> None:
    assert parse("a=kill; b=stop@7;a=delay/0.5:0.25", "ab") == [
        Rule("a", "kill"),
        Rule("b", "stop", nth=7),
        Rule("a", "delay", seconds=0.5, ratio=0.25),
    ]
    for wrong in ("c=kill", "a=explode", "a"):
        with pytest.raises(ValueError, match="no failpoint"):
            parse(wrong, "ab")
