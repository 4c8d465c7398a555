"""What a dead engine left is found, and closed once."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.factories import NOW, phone_of
from tests.store.world import World

from todoke.model.cap import Cap
from todoke.model.clock import HOUR
from todoke.model.event import Kind
from todoke.model.run import RunEvent, RunState
from todoke.store import schema
from todoke.store.hot.base import Block, Flush, Guard, OpenBlock, Reserve, Scrub


async def die(world: World) -> Block:
    """The engine takes 0..9, may have sent 0..4, and dies; 0 and 1 have their results."""
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 10)])).blocks
    reserve = Reserve(scene.bucket, scene.code, world.lane.epoch, NOW, blocks=[(block.key, 4)])
    await world.flush(reserves=[reserve])
    await world.flush(fresh=[world.fresh(0, 1)])
    await world.hot.mark_engine(world.engine, "alive", "gone")
    return block


async def test_open_blocks_say_how_far_the_engine_may_have_got(world: World) -> None:
    block = await die(world)
    expected = OpenBlock(block.key, 9, 4, world.scene.code, world.scene.list)
    assert await world.hot.open_blocks(world.engine) == [expected]
    assert await world.hot.open_blocks(world.engine + 1) == []


async def test_a_block_is_recovered_once(world: World) -> None:
    block = await die(world)
    due = [world.due(n, attempt=0)._replace(segments="", text_crc=None) for n in (3, 4, 5, 6, 7, 8, 9)]
    doubt = [world.event(2, Kind.IN_DOUBT, reason="engine_crashed")]
    assert not await world.hot.recover_block(block.key, world.engine + 1, due, doubt)
    assert await world.hot.recover_block(block.key, world.engine, due, doubt)
    assert await world.tallies() == {("sent", ""): (2, 2), ("in_doubt", "engine_crashed"): (1, 1)}
    assert not await world.hot.recover_block(block.key, world.engine, due, doubt)
    assert await world.hot.open_blocks(world.engine) == []
    assert await world.hot.mark_engine(world.engine, "gone", "recovered")
    await world.check()

    engine = await world.hot.register_engine("host", "boot", 2, "/j", NOW, NOW + 10)
    (lane,) = await world.hot.take_lanes(engine, NOW, 0)
    world.engine, world.lane, world.seq = engine, lane, 0
    taken = (await world.flush(leases=[world.lease(0, 0, due=100)])).due
    assert sorted(t.message_id - world.message(0) for t in taken) == [3, 4, 5, 6, 7, 8, 9]
    await world.flush(events=[world.event(2, Kind.ACCEPTED, id="p2")])
    assert await world.tallies() == {("sent", ""): (3, 3)}
    await world.check()


async def test_what_is_known_is_left_alone(world: World) -> None:
    block = await die(world)
    events = [world.event(0, Kind.IN_DOUBT, reason="engine_crashed"), world.event(1, Kind.ACCEPTED, id="p1")]
    assert await world.hot.recover_block(block.key, world.engine, [], events)
    assert await world.tallies() == {("sent", ""): (2, 2)}
    await world.check()


@pytest.mark.parametrize(("event", "state"), [(RunEvent.PAUSE, RunState.PAUSED), (RunEvent.STOP, RunState.STOPPING)])
async def test_recovery_minds_the_state_of_the_run(world: World, event: RunEvent, state: RunState) -> None:
    block = await die(world)
    assert await world.hot.control_run(world.scene.bucket, world.run, event, "test", NOW) is state
    due = [world.due(n, attempt=0)._replace(segments="", text_crc=None) for n in range(2, 10)]
    assert await world.hot.recover_block(block.key, world.engine, due, [])
    counts = {("sent", ""): (2, 2)}
    if state is RunState.STOPPING:
        counts[("stopped", "stopped")] = (18, 0)
        assert await world.tallies() == counts
        assert await world.hot.settle_runs(NOW) == [(world.scene.bucket, world.run, RunState.STOPPED)]
    else:
        assert await world.tallies() == counts
        await world.hot.control_run(world.scene.bucket, world.run, RunEvent.STOP, "test", NOW)
        assert await world.tallies() == {**counts, ("stopped", "stopped"): (18, 0)}
    await world.check()


@pytest.mark.parametrize("doubtful", [True, False])
async def test_an_intent_is_recovered_once(world: World, doubtful: bool) -> None:
    await world.flush(due=[world.due(3)])
    (taken,) = (await world.flush(leases=[world.lease(0, 0, due=1)])).due
    await world.hot.mark_engine(world.engine, "alive", "gone")
    (intent,) = await world.hot.open_intents(world.engine)
    assert (intent.key, intent.run_id, intent.reserved) == (taken.key, world.run, False)
    assert (intent.segments, intent.text_crc, intent.transport_code_id) == ("2,3", 77, world.scene.code)
    due = None if doubtful else world.due(3)
    events = [world.event(3, Kind.IN_DOUBT, attempt=1, reason="engine_crashed")] if doubtful else []
    assert not await world.hot.recover_intent(taken.key, world.engine + 1, due, events)
    assert await world.hot.recover_intent(taken.key, world.engine, due, events)
    assert not await world.hot.recover_intent(taken.key, world.engine, due, events)
    assert await world.hot.open_intents(world.engine) == []
    assert await world.tallies() == ({("in_doubt", "engine_crashed"): (1, 1)} if doubtful else {})
    await world.check()


async def test_a_receipt_after_recovery_counts_right(world: World) -> None:
    """What the dead engine's process knew by heart is not believed after somebody else wrote."""
    block = await die(world)
    events = [world.event(0, Kind.REJECTED, attempt=1, reason="late")]
    assert await world.hot.recover_block(block.key, world.engine, [], events)
    engine = await world.hot.register_engine("host", "boot", 2, "/j", NOW, NOW + 10)
    await world.hot.flush(Flush(engine, 1, NOW, receipts=[world.receipt("p0"), world.receipt("p1")]))
    await world.check()


async def test_what_another_engine_has_in_hand_is_left_to_it(world: World) -> None:
    """Messages of the dead engine's block that were held in `due`, and taken from there by another engine since."""
    block = await die(world)
    back = [world.due(n, attempt=0)._replace(segments="", text_crc=None, not_before=NOW) for n in (6, 7, 8)]
    engine = await world.hot.register_engine("other", "boot", 2, "/j", NOW, NOW + 10)
    (lane,) = await world.hot.take_lanes(engine, NOW, 0)
    dead, world.engine, world.lane, world.seq = world.engine, engine, lane, 0
    await world.flush(due=back)
    taken = (await world.flush(leases=[world.lease(0, 0, due=3)])).due
    assert len(taken) == 3
    done = taken[0].message_id - world.message(0)
    await world.flush(settled=[taken[0].key], fresh=[world.fresh(done)])
    assert await world.hot.recover_block(block.key, dead, back, [])
    assert (await world.flush(leases=[world.lease(0, 0, due=100)])).due == []
    await world.check()


async def test_what_waits_in_due_was_not_sent_whatever_a_void_journal_says(world: World) -> None:
    block = await die(world)  # 0 and 1 have results, 2 to 4 may have been sent
    engine = await world.hot.register_engine("host", "boot", 2, "/j", NOW, NOW + 10)
    held = world.due(3, attempt=0)._replace(segments="", text_crc=None)
    await world.hot.flush(Flush(engine, 1, NOW, due=[held]))
    doubts = [world.event(n, Kind.IN_DOUBT, reason="journal_lost") for n in (2, 3, 4)]
    assert await world.hot.recover_block(block.key, world.engine, [], doubts)
    assert await world.tallies() == {("sent", ""): (2, 2), ("in_doubt", "journal_lost"): (2, 2)}
    await world.check()


@pytest.mark.parametrize("event", [None, RunEvent.STOP])
async def test_what_was_reserved_and_certainly_not_sent_is_no_use_of_a_cap(
    world: World, event: RunEvent | None
) -> None:
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 10)])).blocks
    capped = Guard(scene.bucket, scene.unit, scene.skill, scene.list, scene.code, unit_cap=Cap(1, 24 * HOUR))
    ids = [(world.message(n), phone_of(n)) for n in range(5)]
    scrub = Scrub(scene.bucket, (scene.group,), [phone for _, phone in ids], capped, ids)
    reserve = Reserve(scene.bucket, scene.code, world.lane.epoch, NOW, blocks=[(block.key, 4)], scrubs=[scrub])
    await world.flush(reserves=[reserve])
    await world.flush(fresh=[world.fresh(0, 1)])
    used = schema.cap_use.c.phone
    async with world.store.reading() as connection:
        assert sorted((await connection.execute(select(used))).scalars()) == [phone_of(n) for n in range(5)]
    await world.hot.mark_engine(world.engine, "alive", "gone")
    if event is not None:
        await world.hot.control_run(scene.bucket, world.run, event, "test", NOW)
    due = [world.due(n, attempt=0)._replace(segments="", text_crc=None) for n in range(3, 10)]
    doubt = [world.event(2, Kind.IN_DOUBT, reason="engine_crashed")]
    assert await world.hot.recover_block(block.key, world.engine, due, doubt)
    async with world.store.reading() as connection:
        assert sorted((await connection.execute(select(used))).scalars()) == [phone_of(n) for n in (0, 1, 2)]
