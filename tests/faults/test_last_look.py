"""The last look: pause, stop, force stop, an opt-out, a window that closes. Counted at the engine's own sockets."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.factories import phone_of
from tests.faults import tap
from tests.faults.lab import Lab
from tests.world import BUCKET, eventually

from todoke.model.clock import SystemClock
from todoke.model.event import State
from todoke.model.ids import address
from todoke.model.run import RunEvent, RunState
from todoke.pipeline.lanes.pace import HORIZON, LATEST

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

RATE = 300
ONE_BATCH = (HORIZON + LATEST) / 1e6
"""Seconds of slots that the flush before may have reserved, and how late the last of them may be written."""


async def control(lab: Lab, event: RunEvent) -> float:
    """Change the run; by when, at the latest, the change was committed."""
    await lab.store.hot.control_run(BUCKET, lab.run, event, "a test", SystemClock().now())
    return time.monotonic()


def written_after(lab: Lab, moment: float) -> list[tap.Tapped]:
    return [one for one in tap.read(lab.tapped) if one.kind == tap.WRITTEN and one.at > moment]


async def quiet(lab: Lab) -> None:
    """Wait until a second has passed without a write: more than three batches."""

    async def silent() -> bool:
        await asyncio.sleep(0.1)
        return not written_after(lab, time.monotonic() - 1.0)

    await eventually(silent, "nothing is written any more")


async def test_a_pause_takes_effect_within_one_batch(lab: Lab) -> None:
    """What was reserved before the pause goes out, at its slots; no flush after the pause reserves anything."""
    await lab.prepare(contacts=3_000, rate=RATE)
    await lab.engine()
    await lab.taken(100)
    paused = await control(lab, RunEvent.PAUSE)
    await quiet(lab)
    late = written_after(lab, paused)
    assert len(late) <= RATE * ONE_BATCH
    assert all(one.at - paused <= ONE_BATCH + 0.1 for one in late)  # a flush under way may commit just after it
    before = len(lab.world.entries())
    await control(lab, RunEvent.RESUME)
    await lab.taken(before + 100)
    await control(lab, RunEvent.STOP)
    found = await lab.verdict()
    assert set(found.counts) == {State.DELIVERED, State.STOPPED}


@pytest.mark.parametrize("event", [RunEvent.STOP, RunEvent.FORCE_STOP])
async def test_a_stop_lets_finish_what_is_handed_over(lab: Lab, event: RunEvent) -> None:
    """What is with the carrier gets its answer and its receipt. A force stop withdraws what has a slot, too."""
    await lab.prepare(contacts=3_000, rate=RATE)
    await lab.control("/faults", {"round_trip": 0.3, "receipt_delay": 0.5})
    await lab.engine()
    await lab.taken(100)
    stopped = await control(lab, event)
    found = await lab.verdict()
    late = written_after(lab, stopped)
    assert len(late) <= RATE * ONE_BATCH
    assert found.counts[State.DELIVERED] == found.written  # all that was written came to its end
    assert found.counts[State.STOPPED] == 3_000 - found.written
    assert await lab.world.state(lab.run) is RunState.STOPPED


async def test_a_stop_reaches_the_wire_at_full_speed(lab: Lab) -> None:
    """Phones say STOP in the middle of a run at the speed of the link, whose turn is still to come. From the commit of
    the opt-out on nothing is written to them, but for what the engine writes before it hears of its own commit.
    """
    contacts, count = 40_000, 25
    await lab.prepare(contacts=contacts, rate=8_000, window=200)
    await lab.engine()
    await lab.taken(1_500)
    wanted = [contacts - 1 - 60 * n for n in range(count)]
    for position in wanted:
        await lab.says(phone_of(position), "STOP")
    committed: dict[int, float] = {}

    async def listed() -> bool:
        rows = await lab.store.hot.read_contacts_at(BUCKET, lab.world.scene.list, wanted, (lab.world.scene.group,))
        now = time.monotonic()
        for row in rows:
            if row.on_dnc:
                committed.setdefault(row.destination, now)
        return len(committed) == count

    await eventually(listed, "all are on the list")
    found = await lab.verdict()
    written = [one for one in tap.read(lab.tapped) if one.kind == tap.WRITTEN and one.destination in committed]
    late = [one for one in written if one.at > committed[one.destination] and address(one.message_id).run == lab.run]
    assert not late, f"{len(late)} of {count} were texted after their opt-out was seen committed"
    confirmed = {one.destination: one.at for one in written if address(one.message_id).run != lab.run}
    assert len(confirmed) == count  # each got its confirmation
    after = [one for one in written if one.at > confirmed[one.destination]]
    assert not after, f"{len(after)} texts came after the confirmation"
    assert found.counts[State.SKIPPED] >= 1  # some said it in time


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_window_that_closes_holds_what_is_composed(lab: Lab) -> None:
    """The window is looked at when a message is about to be reserved, not only when it is composed."""
    minute = SystemClock().now() // 60_000_000 % 1440
    lab_window = ((minute - 60) % 1440, (minute + 60) % 1440)
    if lab_window[0] > lab_window[1]:
        lab_window = (0, 1440) if minute < 60 else (minute - 60, 1440)
    await lab.prepare(contacts=2_000, rate=RATE, calling_window=lab_window, zones=(("UTC",),))
    await lab.engine()
    await lab.taken(60)
    closed = await lab.window((minute + 120) % 1300, (minute + 120) % 1300 + 60)
    await quiet(lab)
    # An engine reads what a skill says every fifth of a second; what had its slot by then goes out.
    assert len(written_after(lab, closed)) <= RATE * (ONE_BATCH + 0.2 + 0.2)
    assert (await lab.world.counts(lab.run)).total() < 2_000
    await lab.window(0, 1440)
    await control(lab, RunEvent.STOP)
    found = await lab.verdict()
    assert set(found.counts) == {State.DELIVERED, State.STOPPED}
