"""Runs: what they freeze, how they are paused and stopped, and when they have ended."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from tests.factories import (
    NOW,
    seed,
    seed_code,
    seed_list,
    seed_provider,
    seed_run,
    seed_unit,
)
from tests.store.world import World

from todoke.model.clock import HOUR
from todoke.model.errors import Conflict, NotFound
from todoke.model.event import Kind
from todoke.model.ids import address
from todoke.model.run import RunEvent, RunState
from todoke.store import schema
from todoke.store.hot.base import Cursor
from todoke.store.store import Store

OPEN_ENDED = [RunEvent.STOP, RunEvent.FORCE_STOP]


async def transitions(world: World) -> list[tuple[str, str, str]]:
    t = schema.run_transition.c
    query = select(t.old, t.new, t.reason).where(t.run_id == world.run).order_by(t.id)
    async with world.store.reading() as connection:
        return [(row.old, row.new, row.reason) for row in await connection.execute(query)]


async def control(world: World, event: RunEvent) -> RunState:
    return await world.hot.control_run(world.scene.bucket, world.run, event, "test", NOW)


async def test_a_run_freezes_what_it_starts_with(store: Store) -> None:
    scene = await seed(store, n=10)
    zones = [["Asia/Tokyo"], ["America/Chicago", "America/New_York"], []]
    scene = scene._replace(list=await seed_list(store, scene.unit, name="zones", n=10, zones=zones))
    run_id = await seed_run(store, scene, body="Hi {FirstName}")
    (run,) = await store.hot.open_runs([scene.code])
    assert (run.id, run.bucket, run.business_unit_id, run.list_id) == (run_id, scene.bucket, scene.unit, scene.list)
    assert (run.state, run.force, run.body, run.fields) == (RunState.RUNNING, False, "Hi {FirstName}", ["FirstName"])
    assert (run.zone_sets, run.scrub_groups, run.expires_at) == (zones, (scene.group,), NOW + 24 * HOUR)
    assert (run.window, run.in_doubt_policy, run.max_attempts) == ((0, 1440), "at_most_once", 3)
    assert (run.smart_encoding, run.weight) == (False, 1)
    assert run.cursors == [Cursor(0, 0, 0, 3), Cursor(1, 1, 4, 7), Cursor(2, 2, 8, 9)]
    assert await store.hot.open_runs([]) == await store.hot.open_runs([scene.code + 1]) == []


async def test_runs_are_numbered_by_bucket(store: Store) -> None:
    one, other = await seed(store, bucket=3), await seed(store, bucket=255, name="2")
    assert [await seed_run(store, scene) for scene in (one, one, other, one)] == [1, 2, 1, 3]


async def test_only_a_ready_list_is_run(store: Store) -> None:
    scene = await seed(store)
    importing = scene._replace(list=await seed_list(store, scene.unit, name="new", state="importing"))
    with pytest.raises(Conflict, match=r"'new' is importing"):
        await seed_run(store, importing)
    with pytest.raises(NotFound):
        await seed_run(store, scene._replace(list=999))
    stranger = await seed_unit(store, name="stranger")
    with pytest.raises(NotFound):
        await seed_run(store, scene._replace(unit=stranger))
    assert await store.hot.open_runs([scene.code]) == []


async def test_a_provider_of_another_shard_is_refused(store: Store) -> None:
    scene = await seed(store)
    far = await seed_provider(store, name="far", bucket=4)
    with pytest.raises(Conflict, match="one bucket"):
        await seed_run(store, scene._replace(code=await seed_code(store, scene.unit, far)))


async def test_the_last_run_number_of_a_bucket(store: Store) -> None:
    """The partition at the very end of the ids, and what comes after it."""
    scene = await seed(store, bucket=255)
    await seed_run(store, scene)
    async with store.writing() as connection:
        await connection.execute(update(schema.run_counter).values(next_run=(1 << 26) - 1))
    assert await seed_run(store, scene) == (1 << 26) - 1
    with pytest.raises(Conflict, match="no run number left"):
        await seed_run(store, scene)


async def test_every_transition_is_a_row(world: World) -> None:
    assert await control(world, RunEvent.PAUSE) is RunState.PAUSED
    assert await control(world, RunEvent.RESUME) is RunState.RUNNING
    assert await control(world, RunEvent.STOP) is RunState.STOPPING
    assert await control(world, RunEvent.FORCE_STOP) is RunState.STOPPING
    assert (await world.hot.open_runs([world.scene.code]))[0].force
    assert await world.hot.settle_runs(NOW) == [(world.scene.bucket, world.run, RunState.STOPPED)]
    assert await transitions(world) == [
        ("", "running", "started"),
        ("running", "paused", "test"),
        ("paused", "running", "test"),
        ("running", "stopping", "test"),
        ("stopping", "stopping", "test"),
        ("stopping", "stopped", "settled"),
    ]
    assert await world.hot.open_runs([world.scene.code]) == []


async def test_what_the_state_does_not_allow_is_refused(world: World) -> None:
    with pytest.raises(Conflict, match="cannot be made to resume"):
        await control(world, RunEvent.RESUME)
    with pytest.raises(NotFound):
        await world.hot.control_run(world.scene.bucket, 99, RunEvent.PAUSE, "test", NOW)
    with pytest.raises(NotFound):
        await world.hot.control_run(world.scene.bucket + 1, world.run, RunEvent.PAUSE, "test", NOW)
    assert len(await transitions(world)) == 1


@pytest.mark.parametrize("event", OPEN_ENDED)
@pytest.mark.parametrize("paused", [True, False])
async def test_a_stop_counts_what_nobody_took(world: World, event: RunEvent, paused: bool) -> None:
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    later = world.due(2, not_before=NOW + HOUR)._replace(segments="", text_crc=None)
    await world.flush(fresh=[world.fresh(0, 1)], due=[later])
    if paused:
        await control(world, RunEvent.PAUSE)
    assert await control(world, event) is RunState.STOPPING
    assert await world.tallies() == {("sent", ""): (2, 2), ("stopped", "stopped"): (16, 0)}
    assert await world.hot.settle_runs(NOW) == []
    # What comes back from the engine is counted too, also where a part of it had left.
    half = world.event(3, Kind.ACCEPTED, segment=1, segments=2, id="half")
    given_back = [world.due(3), world.due(4, attempt=0)._replace(segments="", text_crc=None)]
    await world.flush(events=[half], due=given_back, closed=[block.key])
    assert await world.tallies() == {
        ("sent", ""): (2, 2),
        ("stopped", "stopped"): (17, 0),
        ("failed", "stopped"): (1, 2),
    }
    await world.check()
    assert await world.hot.settle_runs(NOW) == [(world.scene.bucket, world.run, RunState.STOPPED)]
    assert await world.hot.settle_runs(NOW) == []


async def test_a_stop_that_was_cut_short_is_finished_by_settling(world: World) -> None:
    await world.flush(due=[world.due(n) for n in range(3)])
    await world.flush(leases=[world.lease(0, 20, due=1)])
    async with world.store.writing() as connection:
        await connection.execute(update(schema.skill_run).values(state="stopping"))
    assert await world.hot.settle_runs(NOW) == []
    assert await world.tallies() == {("stopped", "stopped"): (2, 0)}


async def test_a_long_due_queue_is_parked_freed_and_counted(world: World) -> None:
    """More rows than go into one transaction."""
    run = await seed_run(world.store, world.scene)
    rows = [world.due(n)._replace(run_id=run, message_id=world.message(n) + (1 << 29)) for n in range(6000)]
    assert address(rows[0].message_id).run == run
    await world.flush(due=rows)
    world.run = run
    await control(world, RunEvent.PAUSE)
    assert await due_states(world) == {"parked"}
    await control(world, RunEvent.RESUME)
    assert await due_states(world) == {"ready"}
    await control(world, RunEvent.STOP)
    assert await world.tallies() == {("stopped", "stopped"): (6020, 0)}


async def due_states(world: World) -> set[str]:
    async with world.store.reading() as connection:
        return set((await connection.execute(select(schema.due.c.state))).scalars())


async def test_a_run_ends_when_nothing_of_it_is_open(world: World) -> None:
    (block,) = (await world.flush(leases=[world.lease(0, 20)])).blocks
    assert await world.hot.settle_runs(NOW) == []
    await world.flush(fresh=[world.fresh(*range(19))], due=[world.due(19)], closed=[block.key])
    assert await world.hot.settle_runs(NOW) == []
    (taken,) = (await world.flush(leases=[world.lease(20, 0, due=5)])).due
    assert await world.hot.settle_runs(NOW) == []
    final = world.event(19, Kind.REJECTED, attempt=1, reason="smpp:0x0000000b")
    await world.flush(events=[final], settled=[taken.key])
    assert await world.hot.settle_runs(NOW + 7) == [(world.scene.bucket, world.run, RunState.FINISHED)]
    assert await world.hot.settle_runs(NOW) == []
    async with world.store.reading() as connection:
        assert (await connection.execute(select(schema.skill_run.c.ended_at))).scalar() == NOW + 7
    # Receipts still count when the run has ended.
    await world.flush(receipts=[world.receipt("p3")])
    assert (await world.tallies())[("delivered", "")] == (1, 1)
    await world.check()


async def test_a_paused_run_ends_only_when_nothing_of_it_is_left(world: World) -> None:
    (block,) = (await world.flush(leases=[world.lease(0, 20)])).blocks
    await control(world, RunEvent.PAUSE)
    assert await world.hot.settle_runs(NOW) == []
    await world.flush(closed=[block.key], due=[world.due(3)])
    assert await world.hot.settle_runs(NOW) == []
    later = NOW + 25 * HOUR
    await world.hot.expire_runs(later)
    assert await world.hot.settle_runs(later) == [(world.scene.bucket, world.run, RunState.FINISHED)]


@pytest.mark.parametrize("paused", [True, False])
async def test_what_is_left_at_the_expiry_is_counted_as_expired(world: World, paused: bool) -> None:
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await world.flush(fresh=[world.fresh(0, 1, 2)], due=[world.due(3)], closed=[block.key])
    if paused:
        await control(world, RunEvent.PAUSE)
    end = NOW + 24 * HOUR
    assert await world.hot.expire_runs(end - 1) == 0
    assert await world.hot.expire_runs(end) == 1
    assert await world.hot.expire_runs(end) == 0
    assert await world.tallies() == {("sent", ""): (3, 3), ("expired", "expired"): (16, 0)}
    await world.flush(due=[world.due(4)])
    assert await world.hot.expire_runs(end) == 1
    await world.check()
    if paused:
        await control(world, RunEvent.RESUME)
    assert await world.hot.settle_runs(end) == [(world.scene.bucket, world.run, RunState.FINISHED)]


async def test_an_empty_list_ends_at_once(store: Store) -> None:
    scene = await seed(store, n=0)
    run = await seed_run(store, scene)
    assert await store.hot.settle_runs(NOW) == [(scene.bucket, run, RunState.FINISHED)]
