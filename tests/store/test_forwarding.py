"""What waits in `due` longer than it must is brought forward: only that, and in pieces."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.store.world import World

from todoke.model.clock import HOUR, SECOND
from todoke.model.ids import MAX_ORDINAL
from todoke.model.run import RunEvent
from todoke.model.stream import Stream
from todoke.store import schema
from todoke.store.hot import forwarding
from todoke.store.hot.base import DueRow
from todoke.store.hot.forwarding import Span


async def waiting(world: World) -> dict[int, int]:
    q = schema.due.c
    async with world.store.reading() as connection:
        rows = await connection.execute(select(q.message_id, q.not_before))
        return {row.message_id & MAX_ORDINAL: row.not_before - world.now for row in rows}


def held(world: World, ordinal: int, after: int, *, attempt: int = 0) -> DueRow:
    scene = world.scene
    at = world.now + SECOND + after  # the flush's moment is a second later
    return DueRow(scene.bucket, world.message(ordinal), attempt, world.run, scene.code, at)


def span(world: World, to: int, until: int, *, run: int | None = None, stream: Stream = Stream.BULK) -> Span:
    scene = world.scene
    runs = (world.run if run is None else run,)
    return Span(scene.bucket, scene.code, stream, world.now + to, world.now + until, runs)


async def test_what_waits_for_a_moment_in_the_span_is_moved_to_its_beginning(world: World) -> None:
    moments = {1: 2 * HOUR, 2: 3 * HOUR, 3: 5 * HOUR, 4: 5 * HOUR + 1, 5: HOUR}
    await world.flush(due=[held(world, n, at) for n, at in moments.items()])
    assert await world.hot.bring_forward(span(world, 2 * HOUR, 5 * HOUR), world.now) == 2
    assert await waiting(world) == {**moments, 2: 2 * HOUR, 3: 2 * HOUR}
    assert await world.hot.bring_forward(span(world, 2 * HOUR, 5 * HOUR), world.now) == 0


async def test_another_attempt_keeps_its_time_and_one_that_is_held_does_not(world: World) -> None:
    await world.flush(due=[held(world, 1, HOUR // 2, attempt=1), held(world, 2, 3 * HOUR, attempt=1)])
    assert await world.hot.bring_forward(span(world, 0, 5 * HOUR), world.now) == 1
    assert await waiting(world) == {1: HOUR // 2, 2: 0}


async def test_other_runs_and_streams_are_left_alone_and_parked_rows_are_not(world: World) -> None:
    await world.flush(due=[held(world, 1, 3 * HOUR)])
    await world.hot.control_run(world.scene.bucket, world.run, RunEvent.PAUSE, "test", world.now)
    for other in (span(world, 0, 5 * HOUR, run=world.run + 1), span(world, 0, 5 * HOUR, stream=Stream.ANSWER)):
        assert await world.hot.bring_forward(other, world.now) == 0
    assert await world.hot.bring_forward(span(world, 0, 5 * HOUR), world.now) == 1
    assert await waiting(world) == {1: 0}


async def test_it_goes_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sqlite", "postgres"):
        monkeypatch.setattr(f"todoke.store.hot.{name}.forwarding.AT_ONCE", 4)
    assert forwarding.AT_ONCE >= 1_000
    await world.flush(due=[held(world, n, 3 * HOUR) for n in range(10)])
    moved = [await world.hot.bring_forward(span(world, 0, 5 * HOUR), world.now) for _ in range(4)]
    assert moved == [4, 4, 2, 0]
