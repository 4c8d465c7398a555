"""What is in doubt and nothing ended: its policy or a person sends it again, or a person says what became of it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from tests.factories import NOW, phone_of, update_skill
from tests.store.doubting import (
    LATER,
    MINUTE,
    doubt,
    doubtful,
    due,
    echo,
    known,
    rows,
    take,
)
from tests.store.world import World, make_world

from todoke.model.clock import HOUR
from todoke.model.errors import Conflict
from todoke.model.event import Kind
from todoke.model.run import RunEvent, RunState
from todoke.store import schema
from todoke.store.hot.base import Choice, Doubt, DueKey
from todoke.store.store import open_store

# ------------------------------------------------------------------ sent again by policy


async def at_least_once(world: World, **values: object) -> None:
    await update_skill(world.store, world.scene, in_doubt_policy="at_least_once", **values)


async def test_at_most_once_sends_nothing_again(world: World) -> None:
    await doubt(world, 1)
    assert await world.hot.resend_doubts(NOW + 100 * HOUR) == 0
    assert await due(world) == []


async def test_at_least_once_waits_then_sends_again(world: World) -> None:
    await at_least_once(world)
    await doubt(world, 1)
    assert [row.retry_at for row in await rows(world)] == [NOW + 15 * MINUTE]
    assert await world.hot.resend_doubts(NOW + 15 * MINUTE - 1) == 0
    assert await world.hot.resend_doubts(LATER) == 1
    assert await world.hot.resend_doubts(LATER) == 0
    assert await due(world) == [(1, 1, "", None, "ready")]
    assert await world.doubts() == {(1, 1, 0)}  # it is one until the next attempt has its answer
    assert await world.tallies() == {("in_doubt", "response_timeout"): (1, 1)}
    events = await world.hot.events_between(world.message(1), world.message(1))
    assert (events[0].kind, events[0].reason) == (Kind.DEFERRED, "at_least_once")
    key = (await take(world)).key
    assert key == (world.scene.bucket, world.message(1), 1)
    await world.flush(events=[world.event(1, Kind.ACCEPTED, attempt=1, id="again")], settled=[key])
    assert await world.doubts() == set()
    assert await world.tallies() == {("sent", ""): (1, 1)}
    await world.check()


async def test_only_the_doubtful_segments_of_the_same_text_go_again(world: World) -> None:
    await at_least_once(world)
    events = [doubtful(world, 1, segment=s, segments=3, at=NOW + s) for s in (2, 3)]
    accepted = world.event(1, Kind.ACCEPTED, segment=1, segments=3, id="a")
    await world.flush(events=[accepted, *events], doubts=[known(world, event, 4711) for event in events])
    assert await world.hot.resend_doubts(NOW + 15 * MINUTE + 2) == 0  # its segments go together
    assert await world.hot.resend_doubts(LATER) == 1
    assert await due(world) == [(1, 1, "2,3", 4711, "ready")]


async def test_without_the_text_that_left_all_of_it_goes_again(world: World) -> None:
    await at_least_once(world)
    accepted = world.event(1, Kind.ACCEPTED, segment=1, segments=2, id="a")
    await world.flush(events=[accepted, doubtful(world, 1, segment=2, segments=2)])
    assert await world.hot.resend_doubts(LATER) == 1
    assert await due(world) == [(1, 1, "", None, "ready")]


async def test_what_is_under_way_is_waited_for(world: World) -> None:
    await at_least_once(world)
    late = [doubtful(world, 1, segment=1, segments=2), world.event(1, Kind.DEFERRED, segment=2, segments=2)]
    row = world.due(1, attempt=1)._replace(segments="2", text_crc=7)
    await world.flush(events=late, doubts=[known(world, late[0])], due=[row])
    assert await world.hot.resend_doubts(LATER) == 0
    await world.flush(leases=[world.lease(0, 0, due=10)])
    assert await world.hot.resend_doubts(LATER + MINUTE) == 0
    accepted = world.event(1, Kind.ACCEPTED, segment=2, segments=2, attempt=1, id="a")
    await world.flush(events=[accepted], settled=[DueKey(*row[:3])])
    assert await world.hot.resend_doubts(LATER + 2 * MINUTE) == 1
    assert await due(world) == [(1, 2, "1", 7, "ready")]  # under the next attempt of the message
    await world.check()


async def test_a_part_that_an_engine_still_holds_is_waited_for(world: World) -> None:
    await at_least_once(world)
    event = doubtful(world, 1, segments=2)
    await world.flush(events=[event], doubts=[known(world, event)])
    assert await world.hot.resend_doubts(LATER) == 0
    await world.flush(events=[world.event(1, Kind.ACCEPTED, segment=2, segments=2, id="a")])
    assert await world.hot.resend_doubts(LATER + MINUTE) == 1
    assert await due(world) == [(1, 1, "1", 7, "ready")]


async def test_attempts_are_counted(world: World) -> None:
    await at_least_once(world, max_attempts=2)
    await doubt(world, 1)
    assert await world.hot.resend_doubts(LATER) == 1
    key = (await take(world)).key
    await world.flush(events=[doubtful(world, 1, attempt=1, at=LATER)], settled=[key])
    assert await world.hot.resend_doubts(LATER + HOUR) == 0
    assert [row.retry_at for row in await rows(world)] == [None, None]
    assert await due(world) == []


@pytest.mark.parametrize("how", ["policy", "failed", "stopped", "force", "expired"])
async def test_reasons_not_to_send_again(world: World, how: str) -> None:
    await at_least_once(world)
    event = doubtful(world, 1, segments=2)
    refused = world.event(1, Kind.REJECTED if how == "failed" else Kind.ACCEPTED, segment=2, segments=2, id="a")
    await world.flush(events=[event, refused], doubts=[known(world, event)])
    now = LATER
    if how == "policy":
        await update_skill(world.store, world.scene, in_doubt_policy="at_most_once")
    elif how in ("stopped", "force"):
        control = RunEvent.STOP if how == "stopped" else RunEvent.FORCE_STOP
        await world.hot.control_run(world.scene.bucket, world.run, control, "", NOW)
    elif how == "expired":
        now = NOW + 25 * HOUR
        assert await world.hot.expire_runs(now) == 1
        assert await world.hot.expire_runs(now) == 0
    assert await world.hot.resend_doubts(now) == 0
    assert await due(world) == []
    assert [row.retry_at for row in await rows(world)] == [None]


async def test_of_a_paused_run_it_waits_parked(world: World) -> None:
    await at_least_once(world)
    await doubt(world, 1)
    await world.hot.control_run(world.scene.bucket, world.run, RunEvent.PAUSE, "", NOW)
    assert await world.hot.resend_doubts(LATER) == 1
    assert await due(world) == [(1, 1, "", None, "parked")]
    await world.hot.control_run(world.scene.bucket, world.run, RunEvent.RESUME, "", NOW)
    assert await due(world) == [(1, 1, "", None, "ready")]


async def test_a_doubt_of_a_run_that_is_stopping_is_never_sent_again(world: World) -> None:
    await at_least_once(world)
    await world.hot.control_run(world.scene.bucket, world.run, RunEvent.STOP, "", NOW)
    await doubt(world, 1)
    assert [row.retry_at for row in await rows(world)] == [None]


async def test_many_engines_send_it_again_once(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        await at_least_once(world)
        await doubt(world, *range(20))
        sent = await asyncio.gather(*(hot.resend_doubts(LATER) for hot in (one.hot, two.hot, one.hot, two.hot)))
        assert sum(sent) == 20
        assert len(await due(world)) == 20
        await world.check()


async def test_a_receipt_takes_back_what_waits_to_be_sent_again(world: World) -> None:
    await at_least_once(world)
    await doubt(world, 1, 2)
    assert await world.hot.resend_doubts(LATER) == 2
    await world.flush(receipts=[echo(world, 1, "c1")])
    assert await due(world) == [(2, 1, "", None, "ready")]
    assert await world.tallies() == {("delivered", ""): (1, 1), ("in_doubt", "response_timeout"): (1, 1)}
    await world.check()


@pytest.mark.parametrize("kind", [Kind.SKIPPED, Kind.STOPPED, Kind.EXPIRED])
async def test_another_attempt_that_goes_no_further_leaves_the_doubt(world: World, kind: Kind) -> None:
    await at_least_once(world)
    await doubt(world, 1)
    await world.hot.resend_doubts(LATER)
    await world.flush(events=[world.event(1, kind, segment=0, attempt=1, segments=0, reason="dnc")])
    assert await world.tallies() == {("in_doubt", "response_timeout"): (1, 1)}
    await world.flush(receipts=[echo(world, 1, "c1")])
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


async def test_a_run_does_not_end_before_the_policy_decided(world: World) -> None:
    await at_least_once(world)
    (block,) = (await world.flush(leases=[world.lease(0, 20)])).blocks
    await world.flush(fresh=[world.fresh(*range(1, 20))], events=[doubtful(world, 0)], closed=[block.key])
    assert await world.hot.settle_runs(LATER) == []
    await world.hot.resend_doubts(LATER)
    assert await world.hot.settle_runs(LATER) == []
    row = await take(world)
    assert await world.hot.settle_runs(LATER) == []
    await world.flush(events=[doubtful(world, 0, attempt=1)], settled=[row.key])
    await update_skill(world.store, world.scene, max_attempts=1)
    assert await world.hot.settle_runs(LATER) == []
    await world.hot.resend_doubts(NOW + HOUR)
    assert [state for _, _, state in await world.hot.settle_runs(LATER)] == [RunState.FINISHED]


async def test_recovery_makes_doubts_that_the_policy_sends_again(world: World) -> None:
    await at_least_once(world)
    (block,) = (await world.flush(leases=[world.lease(0, 5)])).blocks
    await world.hot.mark_engine(world.engine, "alive", "gone")
    event = doubtful(world, 2, segments=2)._replace(reason="engine_crashed")
    other = doubtful(world, 2, segment=2, segments=2)
    detail = Doubt(event.message_id, 1, 0, None, 99, None)
    assert await world.hot.recover_block(block.key, world.engine, [], [event, other], [detail])
    assert not await world.hot.recover_block(block.key, world.engine, [], [event, other], [detail])
    one, two = await rows(world)
    assert (one.destination, one.text_crc, one.retry_at, one.reason) == (
        phone_of(2), 99, NOW + 15 * MINUTE, "engine_crashed",
    )  # fmt: skip
    assert two.text_crc is None
    assert await world.hot.resend_doubts(LATER) == 1
    assert await due(world) == [(2, 1, "", None, "ready")]


# ------------------------------------------------------------------ decided by a person


async def resolve(world: World, choice: Choice, *ordinals: int, now: int = NOW + HOUR) -> int:
    ids = [world.message(n) for n in ordinals]
    return await world.hot.resolve_doubts(world.scene.bucket, world.run, ids, choice, "person:called them", now)


async def test_a_person_says_what_became_of_it(world: World) -> None:
    await doubt(world, 1, 2, 3)
    assert await resolve(world, Choice.DELIVERED, 1, 9) == 1
    assert await resolve(world, Choice.FAILED, 2) == 1
    assert await world.doubts() == {(3, 1, 0)}
    assert await world.tallies() == {
        ("delivered", ""): (1, 1),
        ("failed", "person:called them"): (1, 1),
        ("in_doubt", "response_timeout"): (1, 1),
    }
    assert await resolve(world, Choice.FAILED, 1, 2) == 0
    await world.check()


async def test_a_person_sends_it_again_whatever_the_policy_and_the_attempts_say(world: World) -> None:
    await update_skill(world.store, world.scene, max_attempts=1)
    await doubt(world, 1)
    assert await resolve(world, Choice.RESEND, 1) == 1
    assert await resolve(world, Choice.RESEND, 1) == 0  # it is on its way
    assert await due(world) == [(1, 1, "", None, "ready")]
    await world.check()


async def test_sending_again_opens_a_finished_run(world: World) -> None:
    (block,) = (await world.flush(leases=[world.lease(0, 20)])).blocks
    await world.flush(fresh=[world.fresh(*range(1, 20))], events=[doubtful(world, 0)], closed=[block.key])
    assert len(await world.hot.settle_runs(NOW)) == 1
    assert await resolve(world, Choice.RESEND, 5) == 0
    assert await world.hot.open_runs([world.scene.code]) == []
    assert await resolve(world, Choice.RESEND, 0) == 1
    (run,) = await world.hot.open_runs([world.scene.code])
    assert run.state is RunState.RUNNING
    async with world.store.reading() as connection:
        r, t = schema.skill_run.c, schema.run_transition.c
        assert await connection.scalar(select(r.ended_at).where(r.id == world.run)) is None
        moves = (await connection.execute(select(t.old, t.new, t.reason).where(t.run_id == world.run))).all()
    assert moves[-1] == ("finished", "running", "person:called them")
    row = await take(world)
    await world.flush(events=[world.event(0, Kind.ACCEPTED, attempt=1, id="again")], settled=[row.key])
    assert len(await world.hot.settle_runs(NOW)) == 1
    await world.check()


async def test_what_was_stopped_or_expired_is_not_sent_again(world: World) -> None:
    await doubt(world, 1)
    with pytest.raises(Conflict, match="has expired"):
        await resolve(world, Choice.RESEND, 1, now=NOW + 25 * HOUR)
    await world.hot.control_run(world.scene.bucket, world.run, RunEvent.STOP, "", NOW)
    with pytest.raises(Conflict, match="was stopped"):
        await resolve(world, Choice.RESEND, 1)
    assert await world.doubts() == {(1, 1, 0)}
