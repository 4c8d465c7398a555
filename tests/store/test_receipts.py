"""Receipts: each matches its one submission, early, late, doubled or in the same flush."""

from __future__ import annotations

import asyncio
import sqlite3

import asyncpg
import pytest
from sqlalchemy import func, insert, select
from tests.factories import NOW, seed_engine, seed_provider
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Kind
from todoke.store import schema
from todoke.store.hot.base import Flush
from todoke.store.store import open_store

NO = Kind.UNDELIVERED
UNDELIV = "receipt:UNDELIV:001"


async def orphans(world: World) -> int:
    async with world.store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.orphan))).scalar_one()


async def test_a_receipt_moves_the_count_of_its_message(world: World) -> None:
    await world.flush(fresh=[world.fresh(0, 1, 2)])
    receipts = [world.receipt("p0", at=NOW + HOUR), world.receipt("p1", NO, reason=UNDELIV)]
    assert (await world.flush(receipts=receipts)).orphans == 0
    assert await world.tallies() == {("sent", ""): (1, 1), ("delivered", ""): (1, 1), ("failed", UNDELIV): (1, 1)}
    await world.check()


async def test_after_a_restart_receipts_are_looked_up(world: World, database_url: str) -> None:
    await world.flush(fresh=[world.fresh(0, 1)])
    async with await open_store(database_url) as again:
        world.hot = again.hot
        await world.flush(receipts=[world.receipt("p0"), world.receipt("p1", NO, reason=UNDELIV)])
    assert await world.tallies() == {("delivered", ""): (1, 1), ("failed", UNDELIV): (1, 1)}
    await world.check()


async def test_a_receipt_in_the_flush_of_its_result_matches(world: World) -> None:
    long = [world.event(5, Kind.ACCEPTED, segment=s, segments=2, id=f"long{s}") for s in (1, 2)]
    receipts = [world.receipt(id) for id in ("p0", "long1", "long2", "p0")]
    assert (await world.flush(fresh=[world.fresh(0)], events=long, receipts=receipts)).orphans == 0
    assert await world.tallies() == {("delivered", ""): (2, 3)}
    await world.flush(receipts=[world.receipt("p0", NO, reason=UNDELIV)])
    assert await world.tallies() == {("delivered", ""): (2, 3)}
    await world.check()


@pytest.mark.parametrize("first", [Kind.DELIVERED, NO])
@pytest.mark.parametrize("second", [Kind.DELIVERED, NO])
@pytest.mark.parametrize("together", [True, False])
async def test_a_second_receipt_never_takes_a_message_back(
    world: World, first: Kind, second: Kind, together: bool
) -> None:
    await world.flush(fresh=[world.fresh(0)])
    receipts = [world.receipt("p0", first, reason=UNDELIV), world.receipt("p0", second, at=NOW + 1, reason=UNDELIV)]
    if together:
        await world.flush(receipts=receipts)
    else:
        await world.flush(receipts=receipts[:1])
        await world.flush(receipts=receipts[1:])
    good = Kind.DELIVERED in (first, second)
    assert await world.tallies() == {("delivered", "") if good else ("failed", UNDELIV): (1, 1)}
    await world.check()


async def test_an_early_receipt_waits_for_its_result(world: World) -> None:
    early = [world.receipt("p0"), world.receipt("p1", NO, reason=UNDELIV), world.receipt("long2")]
    assert (await world.flush(receipts=early)).orphans == 3
    assert (await world.flush(receipts=early)).orphans == 3
    assert await orphans(world) == 3
    long = [world.event(5, Kind.ACCEPTED, segment=s, segments=2, id=f"long{s}") for s in (1, 2)]
    await world.flush(fresh=[world.fresh(0, 1, 2)], events=long)
    assert await orphans(world) == 0
    assert await world.tallies() == {("sent", ""): (2, 3), ("delivered", ""): (1, 1), ("failed", UNDELIV): (1, 1)}
    await world.flush(receipts=[world.receipt("long1")])
    assert await world.tallies() == {("sent", ""): (1, 1), ("delivered", ""): (2, 3), ("failed", UNDELIV): (1, 1)}
    await world.check()


async def test_both_kinds_of_early_receipt_count(world: World) -> None:
    await world.flush(receipts=[world.receipt("p0", NO, reason=UNDELIV), world.receipt("p0", at=NOW + SECOND)])
    await world.flush(fresh=[world.fresh(0)])
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


async def test_an_orphan_outlives_the_process(world: World, database_url: str) -> None:
    await world.flush(receipts=[world.receipt("p0")])
    async with await open_store(database_url) as again:
        world.hot = again.hot
        await world.flush(fresh=[world.fresh(0)])
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


async def test_an_orphan_that_another_engine_wrote_is_found_within_seconds(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        other = await seed_engine(two, now=NOW)
        await world.flush(fresh=[world.fresh(9)])
        # The other one looks before the result is committed, and writes after it.
        await two.hot.flush(Flush(other, 1, NOW, receipts=[world.receipt("p0")]))
        assert await orphans(world) == 1
        await world.flush(fresh=[world.fresh(0)])
        world.now += 6 * SECOND
        await world.flush(fresh=[world.fresh(8)])
        assert await world.tallies() == {("sent", ""): (2, 2), ("delivered", ""): (1, 1)}
        await world.check()


async def test_an_id_belongs_to_its_provider(world: World) -> None:
    other = await seed_provider(world.store, name="other")
    await world.flush(fresh=[world.fresh(0)])
    stranger = world.receipt("p0")._replace(provider_id=other)
    assert (await world.flush(receipts=[stranger])).orphans == 1
    assert await world.tallies() == {("sent", ""): (1, 1)}
    assert (await world.flush(receipts=[stranger._replace(provider_id=999)])).orphans == 1


@pytest.mark.parametrize("restart", [True, False])
async def test_an_id_that_is_used_again_means_the_latest_message(
    world: World, database_url: str, restart: bool
) -> None:
    await world.flush(fresh=[world.fresh(0, at=NOW)])
    again = world.fresh(1, at=NOW + HOUR)._replace(provider_message_ids=["p0"])
    await world.flush(fresh=[again])
    async with await open_store(database_url) as reopened:
        if restart:
            world.hot = reopened.hot
        await world.flush(receipts=[world.receipt("p0", at=NOW + HOUR)])
        await world.flush(receipts=[world.receipt("p0", at=NOW + HOUR)])
    events = await world.store.hot.events_between(world.message(1), world.message(1))
    assert [event.kind for event in events] == [Kind.ACCEPTED, Kind.DELIVERED]
    assert await world.tallies() == {("sent", ""): (1, 1), ("delivered", ""): (1, 1)}
    await world.check()


async def test_a_receipt_for_a_message_with_other_news_in_the_flush(world: World) -> None:
    await world.flush(fresh=[world.fresh(0)])
    await world.flush(events=[world.event(0, Kind.REJECTED, reason="late")], receipts=[world.receipt("p0")])
    assert await world.tallies() == {("delivered", ""): (1, 1)}
    await world.check()


async def test_a_receipt_for_a_message_that_got_other_news_before(world: World) -> None:
    await world.flush(fresh=[world.fresh(0)])
    await world.flush(events=[world.event(0, Kind.REJECTED, reason="late")])
    await world.flush(receipts=[world.receipt("p0", NO, reason=UNDELIV)])
    await world.check()


@pytest.mark.parametrize("known", [True, False])
async def test_two_engines_hear_the_same_receipts(database_url: str, known: bool) -> None:
    """Around a take-over both have links to the provider; what one knows by heart the other may have changed."""
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        if known:
            await world.flush(fresh=[world.fresh(9)])
            await world.flush(fresh=[world.fresh(*range(6))])
        other = await seed_engine(two, now=NOW)
        if not known:
            await world.flush(fresh=[world.fresh(*range(6))])
        await two.hot.flush(
            Flush(other, 1, NOW, receipts=[world.receipt(f"p{n}", NO, reason=UNDELIV) for n in range(4)])
        )
        await world.flush(receipts=[world.receipt(f"p{n}") for n in range(2, 6)])
        counts = await world.tallies()
        assert counts.pop(("sent", ""), None) == ((1, 1) if known else None)
        assert counts == {("failed", UNDELIV): (2, 2), ("delivered", ""): (4, 4)}
        await world.check()


async def test_two_engines_hear_different_words_at_once(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        other = await seed_engine(two, now=NOW)
        await world.flush(fresh=[world.fresh(*range(20))])
        for n in range(20):
            yes, no = world.receipt(f"p{n}"), world.receipt(f"p{n}", NO, reason=UNDELIV)
            await asyncio.gather(world.flush(receipts=[yes]), two.hot.flush(Flush(other, n + 1, NOW, receipts=[no])))
        assert await world.tallies() == {("delivered", ""): (20, 20)}
        await world.check()


async def test_a_strangers_orphan_is_not_forgotten_when_a_flush_fails(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        other = await seed_engine(two, now=NOW)
        await world.flush(fresh=[world.fresh(0)])
        async with one.writing() as connection:  # written by one that did not see the result yet
            await connection.execute(
                insert(schema.orphan).values(
                    provider_id=world.scene.provider,
                    provider_message_id="p0",
                    kind=Kind.DELIVERED,
                    reason="",
                    at=NOW,
                    raw="",
                )
            )
        world.now += 6 * SECOND
        await world.hot.mark_engine(other, "alive", "gone")
        broken = world.due(3)._replace(segments=None)  # type: ignore[arg-type]
        with pytest.raises((sqlite3.IntegrityError, asyncpg.NotNullViolationError)):
            await world.flush(fresh=[world.fresh(1)], due=[broken])
        world.seq -= 1
        await world.flush(fresh=[world.fresh(1)])
        assert await world.tallies() == {("sent", ""): (1, 1), ("delivered", ""): (1, 1)}
        await world.check()
