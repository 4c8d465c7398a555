"""Leasing and reserving: every position once, by who owns the lane."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from tests.factories import NOW, phone_of, seed_dnc, seed_engine, seed_run
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SECOND
from todoke.model.ids import message_id
from todoke.model.run import RunEvent, RunState
from todoke.model.stream import Stream
from todoke.store import schema
from todoke.store.hot.base import Block, CursorAsk, DueKey, Flush, Lease, Reserve, RunWord, Scrub
from todoke.store.store import Store, open_store


async def test_a_lease_moves_the_cursor_and_makes_a_block(world: World) -> None:
    scene = world.scene
    first = await world.flush(leases=[world.lease(0, 7)])
    assert first.blocks == [Block(scene.bucket, world.run, 0, 6, scene.code, 0)]
    assert first.lost == set()
    second = await world.flush(leases=[world.lease(7, 100)])
    assert second.blocks == [Block(scene.bucket, world.run, 7, 19, scene.code, 0)]
    assert (await world.flush(leases=[world.lease(20, 5)])).blocks == []
    (run,) = await world.hot.open_runs([scene.code])
    assert [cursor.next_position for cursor in run.cursors] == [20]


@pytest.mark.parametrize("expected", [0, 4, 6])
async def test_a_cursor_that_stands_elsewhere_gives_nothing(world: World, expected: int) -> None:
    await world.flush(leases=[world.lease(0, 5)])
    assert (await world.flush(leases=[world.lease(expected, 5)])).blocks == []


@pytest.mark.parametrize("event", [RunEvent.PAUSE, RunEvent.STOP])
async def test_only_a_running_run_gives_positions(world: World, event: RunEvent) -> None:
    await world.hot.control_run(world.scene.bucket, world.run, event, "test", NOW)
    assert (await world.flush(leases=[world.lease(0, 5)])).blocks == []


async def test_an_expired_run_gives_nothing(world: World) -> None:
    world.now = NOW + 25 * HOUR
    assert (await world.flush(leases=[world.lease(0, 5)])).blocks == []


async def test_who_lost_the_lane_gets_nothing(world: World) -> None:
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await world.hot.release_lanes(world.engine)
    other = await seed_engine(world.store, now=NOW)
    (lane,) = await world.hot.take_lanes(other, NOW, 0)
    lost = await world.flush(
        leases=[world.lease(5, 5, due=3)],
        reserves=[Reserve(scene.bucket, scene.code, world.lane.epoch, NOW + HOUR, blocks=[(block.key, 4)])],
    )
    assert lost.lost == {scene.code}
    assert (lost.blocks, lost.runs, lost.blocked) == ([], {}, {})
    assert (await world.hot.open_blocks(world.engine))[0].reserved_to == -1
    (still,) = await world.hot.take_lanes(other, NOW, 0)
    assert still.next_slot_at == lane.next_slot_at


async def test_a_reserve_moves_the_slot_and_marks_what_may_be_sent(world: World) -> None:
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    slot = NOW + 5 * SECOND

    def reserve(to: int) -> Reserve:
        return Reserve(scene.bucket, scene.code, world.lane.epoch, slot, blocks=[(block.key, to)])

    flushed = await world.flush(reserves=[reserve(3)])
    assert flushed.runs == {(scene.bucket, world.run): RunWord(RunState.RUNNING, False)}
    assert flushed.blocked == {scene.code: []}
    await world.flush(reserves=[reserve(1)])
    (opened,) = await world.hot.open_blocks(world.engine)
    assert (opened.reserved_to, opened.last_position, opened.list_id) == (3, 4, scene.list)
    (lane,) = await world.hot.take_lanes(world.engine, NOW, 0)
    assert lane.next_slot_at == slot


async def test_a_reserve_hears_of_numbers_that_were_listed_meanwhile(world: World) -> None:
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await seed_dnc(world.store, scene.group, [phone_of(1), phone_of(3)])
    scrubs = [
        Scrub(scene.bucket, (scene.group,), [phone_of(0), phone_of(1)]),
        Scrub(scene.bucket, (), [phone_of(1)]),
        Scrub(scene.bucket, (scene.group, 999), [phone_of(2), phone_of(3)]),
        Scrub(scene.bucket, (999,), [phone_of(3)]),
    ]
    flushed = await world.flush(
        reserves=[Reserve(scene.bucket, scene.code, world.lane.epoch, NOW, blocks=[(block.key, 4)], scrubs=scrubs)]
    )
    assert flushed.blocked == {scene.code: [{phone_of(1)}, set(), {phone_of(3)}, set()]}


async def test_a_reserve_hears_of_a_forced_stop(world: World) -> None:
    scene = world.scene
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await world.hot.control_run(scene.bucket, world.run, RunEvent.FORCE_STOP, "test", NOW)
    flushed = await world.flush(
        reserves=[Reserve(scene.bucket, scene.code, world.lane.epoch, NOW, blocks=[(block.key, 4)])]
    )
    assert flushed.runs == {(scene.bucket, world.run): RunWord(RunState.STOPPING, True)}


async def test_due_rows_are_taken_by_their_time(world: World) -> None:
    late = world.due(1, not_before=NOW + HOUR)
    rows = [world.due(2, not_before=NOW - 1), world.due(3, not_before=NOW - 3), late]
    rows += [world.due(4, not_before=NOW - 2)]
    await world.flush(due=[*rows, rows[0]])
    flushed = await world.flush(leases=[world.lease(0, 0, due=2)])
    assert {taken.message_id & 0xFF for taken in flushed.due} == {3, 4}
    assert {(taken.segments, taken.text_crc, taken.run_id) for taken in flushed.due} == {("2,3", 77, world.run)}
    assert [taken.message_id & 0xFF for taken in (await world.flush(leases=[world.lease(0, 0, due=9)])).due] == [2]
    intents = await world.hot.open_intents(world.engine)
    assert [intent.key.message_id & 0xFF for intent in intents] == [2, 3, 4]
    assert not any(intent.reserved for intent in intents)


async def test_due_rows_of_a_bulk_backlog_do_not_hide_a_transactional_one(world: World) -> None:
    scene = world.scene
    urgent = await seed_run(world.store, scene, stream=Stream.TRANSACTIONAL)
    row = world.due(1, not_before=NOW - 1)._replace(run_id=urgent, message_id=message_id(scene.bucket, urgent, 1))
    await world.flush(due=[world.due(n, not_before=NOW - 100) for n in range(20)])
    await world.flush(due=[row])
    lease = Lease(scene.bucket, scene.code, world.lane.epoch, due={Stream.TRANSACTIONAL: 3, Stream.BULK: 2})
    flushed = await world.flush(leases=[lease])
    assert [taken.run_id for taken in flushed.due].count(urgent) == 1
    assert [taken.run_id for taken in flushed.due].count(world.run) == 2
    (run,) = [run for run in await world.hot.open_runs([scene.code]) if run.id == urgent]
    assert run.stream is Stream.TRANSACTIONAL


async def test_an_intent_is_reserved_and_settled(world: World) -> None:
    scene = world.scene
    await world.flush(due=[world.due(2)])
    (taken,) = (await world.flush(leases=[world.lease(0, 0, due=9)])).due
    flushed = await world.flush(
        reserves=[Reserve(scene.bucket, scene.code, world.lane.epoch, NOW, intents=[taken.key])]
    )
    assert flushed.runs == {(scene.bucket, world.run): RunWord(RunState.RUNNING, False)}
    assert [intent.reserved for intent in await world.hot.open_intents(world.engine)] == [True]
    again = world.due(2, attempt=2)
    await world.flush(settled=[taken.key], due=[again])
    assert await world.hot.open_intents(world.engine) == []
    (taken,) = (await world.flush(leases=[world.lease(0, 0, due=9)])).due
    assert taken.attempt == 2


async def test_nobody_else_closes_a_block_or_settles_an_intent(world: World) -> None:
    await world.flush(due=[world.due(2)])
    flushed = await world.flush(leases=[world.lease(0, 5, due=9)])
    other = await seed_engine(world.store, now=NOW)
    await world.hot.flush(Flush(other, 1, NOW, closed=[flushed.blocks[0].key], settled=[flushed.due[0].key]))
    assert len(await world.hot.open_blocks(world.engine)) == 1
    assert len(await world.hot.open_intents(world.engine)) == 1
    await world.flush(closed=[flushed.blocks[0].key])
    assert await world.hot.open_blocks(world.engine) == []


async def test_a_paused_run_parks_what_is_given_back(world: World) -> None:
    bucket = world.scene.bucket
    await world.flush(due=[world.due(2)])
    await world.hot.control_run(bucket, world.run, RunEvent.PAUSE, "test", NOW)
    await world.flush(due=[world.due(3)])
    assert (await world.flush(leases=[world.lease(0, 0, due=9)])).due == []
    async with world.store.reading() as connection:
        states = (await connection.execute(select(schema.due.c.state))).scalars().all()
    assert states == ["parked", "parked"]
    await world.hot.control_run(bucket, world.run, RunEvent.RESUME, "test", NOW)
    assert len((await world.flush(leases=[world.lease(0, 0, due=9)])).due) == 2


async def test_two_engines_on_one_cursor_never_get_the_same_position(database_url: str) -> None:
    """Both believe that the lane is theirs at some time: the statements hold, whoever asks."""
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one, n=400)
        taken: list[Block] = []

        async def work(store: Store) -> None:
            engine = await seed_engine(store, now=NOW)
            seq = 0
            while True:
                lanes = await store.hot.take_lanes(engine, NOW, 0)
                (run,) = await store.hot.open_runs([world.scene.code])
                cursor = run.cursors[0]
                if cursor.next_position > cursor.last_position:
                    return
                for lane in lanes:
                    seq += 1
                    ask = CursorAsk(world.run, 0, cursor.next_position, 7)
                    lease = Lease(lane.bucket, lane.transport_code_id, lane.epoch, [ask])
                    taken.extend((await store.hot.flush(Flush(engine, seq, NOW, leases=[lease]))).blocks)
                await store.hot.release_lanes(engine)

        await world.hot.release_lanes(world.engine)
        await asyncio.gather(work(one), work(two))
        positions = [p for block in taken for p in range(block.first_position, block.last_position + 1)]
        assert sorted(positions) == list(range(400))


async def test_two_engines_share_due_rows_without_waiting_or_doubling(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        await world.flush(due=[world.due(n) for n in range(200)])
        # The same lane under one epoch, asked for through two connections at once.
        lease = world.lease(0, 0, due=40)
        seen: list[DueKey] = []
        for _ in range(3):
            flush, world.seq = Flush(world.engine, world.seq + 1, NOW, leases=[lease]), world.seq + 1
            other = Flush(await seed_engine(two, now=NOW), 1, NOW, leases=[lease])
            mine, theirs = await asyncio.gather(one.hot.flush(flush), two.hot.flush(other))
            assert theirs.lost == {world.scene.code}
            assert theirs.due == []
            seen += [taken.key for taken in mine.due]
        assert len(seen) == len(set(seen)) == 120
