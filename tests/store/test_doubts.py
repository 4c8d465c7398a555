"""What is in doubt: its rows come and go with events, receipts end it, its policy or a person sends it again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.factories import NOW, phone_of, seed_engine, seed_run, update_skill
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SECOND
from todoke.model.errors import Conflict
from todoke.model.event import Event, Kind
from todoke.model.ids import address, reference
from todoke.model.run import RunEvent, RunState
from todoke.store import schema
from todoke.store.hot.base import Choice, Doubt, DueKey, DueTaken, Flush, Receipt
from todoke.store.store import open_store

CODE = "15551230001"
MINUTE = 60 * SECOND
UNDELIV = "receipt:UNDELIV:001"
LATER = NOW + 16 * MINUTE


async def rows(world: World) -> list[Any]:
    async with world.store.reading() as connection:
        query = select(schema.doubt).order_by(schema.doubt.c.message_id, schema.doubt.c.segment, schema.doubt.c.attempt)
        return list(await connection.execute(query))


async def due(world: World) -> list[tuple[int, int, str, int | None, str]]:
    """(ordinal, attempt, segments, CRC, state)"""
    d = schema.due.c
    async with world.store.reading() as connection:
        query = select(d.message_id, d.attempt, d.segments, d.text_crc, d.state).order_by(d.message_id)
        return [(address(row[0]).ordinal, *row[1:]) for row in await connection.execute(query)]


async def orphans(world: World) -> list[str]:
    async with world.store.reading() as connection:
        return list(await connection.scalars(select(schema.orphan.c.provider_message_id)))


async def take(world: World) -> DueTaken:
    """The one due row that is ready two hours later."""
    world.now = NOW + 2 * HOUR
    (row,) = (await world.flush(leases=[world.lease(0, 0, due=10)])).due
    return row


def doubtful(
    world: World, ordinal: int, *, segment: int = 1, segments: int = 1, attempt: int = 0, at: int = NOW
) -> Any:
    return world.event(
        ordinal, Kind.IN_DOUBT, segment=segment, segments=segments, attempt=attempt, at=at, reason="response_timeout"
    )


def known(world: World, event: Event, crc: int = 7) -> Doubt:
    phone = phone_of(address(event.message_id).ordinal)
    return Doubt(event.message_id, event.segment, event.attempt, phone, crc, event.at - 31 * SECOND)


async def doubt(world: World, *ordinals: int, at: int = NOW) -> None:
    events = [doubtful(world, n, at=at) for n in ordinals]
    await world.flush(events=events, doubts=[known(world, event) for event in events])


def echo(
    world: World, ordinal: int, id: str, kind: Kind = Kind.DELIVERED, *, segment: int = 1, attempt: int = 0
) -> Receipt:
    return world.receipt(
        id,
        kind,
        phone=f"+{phone_of(ordinal)}",
        code=CODE,
        reference=reference(world.message(ordinal), segment, attempt),
    )


def plain(world: World, ordinal: int, id: str, *, at: int = NOW + SECOND, code: str = CODE) -> Receipt:
    return world.receipt(id, at=at, phone=str(phone_of(ordinal)), code=code)


async def match(world: World, *, now: int = NOW + HOUR, before: int | None = None) -> int:
    return await world.hot.match_doubts(world.scene.provider, now, now if before is None else before)


# ------------------------------------------------------------------ rows


async def test_a_row_has_what_the_engine_knows_or_else_what_the_run_knows(world: World) -> None:
    first, second = doubtful(world, 1), doubtful(world, 2)._replace(provider_id=world.scene.provider)
    await world.flush(events=[first, second], doubts=[known(world, first)])
    one, two = await rows(world)
    assert one == (
        world.scene.bucket, world.message(1), 1, 0, world.run, world.scene.code, world.scene.provider, CODE,
        phone_of(1), reference(world.message(1), 1, 0), 1, 7, "response_timeout", NOW, NOW - 31 * SECOND, None,
    )  # fmt: skip
    assert (two.destination, two.provider_id, two.text_crc, two.earliest_at) == (
        phone_of(2), world.scene.provider, None, NOW,
    )  # fmt: skip
    await world.check()


@pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.REJECTED, Kind.UNDELIVERED, Kind.DELIVERED])
async def test_whatever_ends_a_doubt_takes_its_row(world: World, kind: Kind) -> None:
    await doubt(world, 1, 2)
    await world.flush(events=[world.event(1, kind, id="a" if kind == Kind.ACCEPTED else None, reason="x")])
    assert await world.doubts() == {(2, 1, 0)}
    await world.flush(events=[doubtful(world, 1)], doubts=[known(world, doubtful(world, 1))])
    assert await world.doubts() == {(2, 1, 0)}
    await world.check()


async def test_a_doubt_and_its_end_in_one_flush_leave_no_row(world: World) -> None:
    await world.flush(events=[doubtful(world, 1), world.event(1, Kind.ACCEPTED, id="a")])
    assert await world.doubts() == set()
    await world.check()


async def test_a_flush_that_is_offered_again_changes_nothing(world: World) -> None:
    event = doubtful(world, 1)
    flush = world.flush_of(events=[event], doubts=[known(world, event)])
    await world.hot.flush(flush)
    before = await rows(world)
    await world.hot.flush(flush)
    assert await rows(world) == before
    await world.check()


async def test_an_attempt_in_doubt_after_another_leaves_two_rows_and_a_delivery_ends_both(world: World) -> None:
    await doubt(world, 1)
    await world.flush(events=[doubtful(world, 1, attempt=1)])
    assert await world.doubts() == {(1, 1, 0), (1, 1, 1)}
    await world.flush(receipts=[echo(world, 1, "a")])
    assert await world.doubts() == set()
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


# ------------------------------------------------------------------ receipts that echo a reference


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.UNDELIVERED])
@pytest.mark.parametrize("order", ["after", "before", "together"])
async def test_an_echo_ends_its_doubt(world: World, order: str, kind: Kind) -> None:
    receipt = echo(world, 1, "c1", kind)._replace(reason="" if kind == Kind.DELIVERED else UNDELIV)
    event = doubtful(world, 1)
    if order == "after":
        await doubt(world, 1)
        assert (await world.flush(receipts=[receipt])).orphans == 0
    elif order == "before":
        assert (await world.flush(receipts=[receipt])).orphans == 1
        await doubt(world, 1)
    else:
        await world.flush(events=[event], doubts=[known(world, event)], receipts=[receipt])
    assert await world.doubts() == set()
    assert await orphans(world) == []
    state = ("delivered", "") if kind == Kind.DELIVERED else ("failed", UNDELIV)
    assert await world.tallies() == {state: (1, 1)}
    # The provider's id is known now: a later word finds the submission by it.
    assert (await world.flush(receipts=[world.receipt("c1"), receipt])).orphans == 0
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


async def test_each_segment_has_its_own_echo(world: World) -> None:
    events = [doubtful(world, 1, segment=s, segments=3) for s in (1, 2, 3)]
    await world.flush(events=events, doubts=[known(world, event) for event in events])
    await world.flush(receipts=[echo(world, 1, "c2", segment=2)])
    assert await world.doubts() == {(1, 1, 0), (1, 3, 0)}
    assert await world.tallies() == {("in_doubt", "response_timeout"): (1, 3)}
    await world.flush(receipts=[echo(world, 1, "c1", segment=1), echo(world, 1, "c3", segment=3)])
    assert await world.tallies() == {("delivered", ""): (1, 3)}
    await world.check()


async def test_an_echo_for_another_number_or_provider_ends_nothing(world: World) -> None:
    await doubt(world, 1)
    right = echo(world, 1, "c1")
    strangers = [
        right._replace(phone=str(phone_of(2))),
        right._replace(phone=""),
        right._replace(phone="Todoke"),
        right._replace(provider_id=999, provider_message_id="c2"),
        right._replace(reference=right.reference ^ 1, provider_message_id="c3"),  # type: ignore[operator]
    ]
    for stranger in strangers:
        await world.flush(receipts=[stranger])
    assert await match(world) == 0
    assert await world.doubts() == {(1, 1, 0)}
    await world.check()


async def test_an_echo_that_two_doubts_share_ends_neither(world: World) -> None:
    await doubt(world, 1)
    other = World(world.store, world.scene, await seed_run(world.store, world.scene), world.engine, world.lane)
    other.seq, other.now = world.seq, world.now
    await doubt(other, 1)
    async with world.store.writing() as connection:  # one in 65,536
        await connection.execute(update(schema.doubt).values(reference=reference(world.message(1), 1, 0)))
    assert (await other.flush(receipts=[echo(world, 1, "c1")])).orphans == 1
    assert await match(world) == 0
    assert await world.doubts() == await other.doubts() == {(1, 1, 0)}
    # One of them ends otherwise: now it can only be the other's.
    await other.flush(events=[other.event(1, Kind.ACCEPTED, id="late")])
    assert await match(world) == 1
    assert await world.doubts() == set()
    await world.check()
    await other.check()


async def test_two_engines_that_do_not_see_each_other_are_brought_together_by_the_next_look(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        other = await seed_engine(two, now=NOW)
        receipts = [echo(world, n, f"c{n}") for n in range(10)]
        for n in range(10):
            event = doubtful(world, n)
            await asyncio.gather(
                world.flush(events=[event], doubts=[known(world, event)]),
                two.hot.flush(Flush(other, n + 1, NOW, receipts=[receipts[n]])),
            )
        await asyncio.gather(match(world), two.hot.match_doubts(world.scene.provider, NOW + HOUR, -1))
        assert await world.tallies() == {("delivered", ""): (10, 10)}
        assert await orphans(world) == []
        await world.check()


# ------------------------------------------------------------------ receipts without one


async def test_the_only_receipt_about_the_only_doubt_of_a_number_is_its_receipt(world: World) -> None:
    await doubt(world, 1, 2, 3)
    receipts = [plain(world, 1, "c1"), plain(world, 2, "c2")._replace(kind=Kind.UNDELIVERED, reason=UNDELIV)]
    assert (await world.flush(receipts=receipts)).orphans == 2
    assert await match(world, before=NOW) == 0  # something else may still be on its way
    assert await match(world) == 2
    assert await match(world) == 0
    assert await world.doubts() == {(3, 1, 0)}
    assert await world.tallies() == {
        ("delivered", ""): (1, 1),
        ("failed", UNDELIV): (1, 1),
        ("in_doubt", "response_timeout"): (1, 1),
    }
    assert (await world.flush(receipts=[world.receipt("c1")])).orphans == 0
    await world.check()


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW - 32 * SECOND},  # it was not written yet
        {"at": NOW + 73 * HOUR},
        {"code": "72345"},
        {"code": ""},
        {"phone": str(phone_of(2))},
        {"phone": ""},
        {"reference": 4711},  # it says itself that it is another's
    ],
)
async def test_a_receipt_that_may_not_be_meant_stays_an_orphan(world: World, change: dict[str, Any]) -> None:
    await doubt(world, 1)
    await world.flush(receipts=[plain(world, 1, "c1")._replace(**change)])
    assert await match(world, now=NOW + HOUR, before=NOW + 80 * HOUR) == 0
    assert await world.doubts() == {(1, 1, 0)}
    await world.check()


async def test_two_doubts_about_a_number_stay_so(world: World) -> None:
    await doubt(world, 1)
    other = World(world.store, world.scene, await seed_run(world.store, world.scene), world.engine, world.lane)
    other.seq, other.now = world.seq, world.now
    await doubt(other, 1)
    await other.flush(receipts=[plain(world, 1, "c1")])
    assert await match(world) == 0
    assert await orphans(world) == ["c1"]


async def test_two_receipts_about_a_number_stay_orphans(world: World) -> None:
    await doubt(world, 1)
    await world.flush(receipts=[plain(world, 1, "c1"), plain(world, 1, "c2")])
    assert await match(world) == 0
    assert sorted(await orphans(world)) == ["c1", "c2"]
    assert await world.doubts() == {(1, 1, 0)}


async def test_a_receipt_that_another_segment_waits_for_is_not_taken(world: World) -> None:
    await world.flush(events=[world.event(1, Kind.ACCEPTED, segment=1, segments=2, id="c1")])
    event = doubtful(world, 1, segment=2, segments=2)
    await world.flush(events=[event], doubts=[known(world, event)], receipts=[plain(world, 1, "c2")])
    assert await match(world) == 0
    await world.flush(receipts=[world.receipt("c1")])
    assert await match(world) == 1
    assert await world.tallies() == {("delivered", ""): (1, 2)}
    await world.check()


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
