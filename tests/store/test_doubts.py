"""What is in doubt: its rows come and go with events, and receipts end it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update
from tests.factories import NOW, phone_of, seed_engine, seed_run
from tests.store.doubting import (
    CODE,
    UNDELIV,
    doubt,
    doubtful,
    echo,
    known,
    match,
    orphans,
    plain,
    rows,
)
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Kind
from todoke.model.ids import reference
from todoke.store import schema
from todoke.store.hot.base import Flush
from todoke.store.store import open_store

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
