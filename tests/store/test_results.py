"""Results: every event once, and live counts that never disagree with the events."""

from __future__ import annotations

import asyncio

from tests.factories import NOW, seed_engine
from tests.store.world import World, assert_tallies_match, make_world

from todoke.model.clock import HOUR
from todoke.model.event import Event, Kind, State
from todoke.store.hot.base import BlockKey, Flush
from todoke.store.store import open_store


async def test_fresh_acceptances_are_stored_and_counted(world: World) -> None:
    await world.flush(fresh=[world.fresh(0, 1, 2), world.fresh(3)])
    assert await world.tallies() == {("sent", ""): (4, 4)}
    first, last = world.message(0), world.message(3)
    events = await world.hot.events_between(first, last)
    assert [(e.message_id, e.segment, e.attempt, e.kind, e.segments) for e in events] == [
        (world.message(n), 1, 0, Kind.ACCEPTED, 1) for n in range(4)
    ]
    assert [(e.provider_id, e.provider_message_id) for e in events] == [
        (world.scene.provider, f"p{n}") for n in range(4)
    ]
    assert await world.hot.events_between(world.message(1), world.message(2)) == events[1:3]
    await world.check()


async def test_counts_are_kept_by_the_hour_of_the_event(world: World) -> None:
    await world.flush(fresh=[world.fresh(0, at=NOW), world.fresh(1, at=NOW + HOUR)])
    await world.check()


async def test_fresh_ones_that_are_stored_already_change_nothing(world: World) -> None:
    await world.flush(fresh=[world.fresh(0, 1)])
    await world.flush(fresh=[world.fresh(0, 1)])
    await world.flush(fresh=[world.fresh(1, 2)], events=[world.event(3, Kind.SKIPPED, segment=0, reason="dnc")])
    assert await world.tallies() == {("sent", ""): (3, 3), ("skipped", "dnc"): (1, 1)}
    await world.check()


async def test_the_same_message_twice_in_one_flush_counts_once(world: World) -> None:
    await world.flush(fresh=[world.fresh(0), world.fresh(0)])
    event = world.event(1, Kind.REJECTED, reason="smpp:0x0000000b")
    await world.flush(events=[event, event])
    assert await world.tallies() == {("sent", ""): (1, 1), ("failed", "smpp:0x0000000b"): (1, 1)}
    await world.check()


async def test_a_long_message_is_what_its_segments_say_together(world: World) -> None:
    def accepted(segment: int) -> Event:
        return world.event(0, Kind.ACCEPTED, segment=segment, segments=3, id=f"p0-{segment}")

    await world.flush(events=[accepted(1), accepted(2)])
    assert await world.tallies() == {}
    await world.flush(events=[accepted(3)])
    assert await world.tallies() == {("sent", ""): (1, 3)}
    await world.flush(events=[world.event(0, Kind.DELIVERED, segment=s, segments=3) for s in (1, 2)])
    assert await world.tallies() == {("sent", ""): (1, 3)}
    await world.flush(events=[world.event(0, Kind.DELIVERED, segment=3, segments=3)])
    assert await world.tallies() == {("delivered", ""): (1, 3)}
    await world.check()


async def test_a_doubt_is_resolved_by_a_late_answer(world: World) -> None:
    await world.flush(events=[world.event(0, Kind.IN_DOUBT, reason="link_dropped")])
    assert await world.tallies() == {("in_doubt", "link_dropped"): (1, 1)}
    await world.flush(events=[world.event(0, Kind.ACCEPTED, id="p0", at=NOW + HOUR)])
    assert await world.tallies() == {("sent", ""): (1, 1)}
    await world.check()


async def test_a_deferred_message_waits_until_its_next_attempt(world: World) -> None:
    await world.flush(events=[world.event(0, Kind.DEFERRED, reason="smpp:0x00000058")])
    assert await world.tallies() == {}
    await world.flush(events=[world.event(0, Kind.ACCEPTED, attempt=1, id="p0")])
    assert await world.tallies() == {("sent", ""): (1, 1)}
    await world.check()


async def test_states_are_read_in_pages(world: World) -> None:
    await world.flush(fresh=[world.fresh(0, 2, 4)], events=[world.event(6, Kind.SKIPPED, segment=0, reason="dnc")])
    page = await world.hot.message_states(world.scene.bucket, world.run, 0, 2)
    assert [message for message, _ in page] == [world.message(0), world.message(2)]
    page = await world.hot.message_states(world.scene.bucket, world.run, 3, 9)
    assert [(message, state.state) for message, state in page] == [
        (world.message(4), State.SENT),
        (world.message(6), State.SKIPPED),
    ]
    assert await world.hot.message_states(world.scene.bucket, world.run, 7, 9) == []


async def test_what_is_taken_is_accounted_for(world: World) -> None:
    """taken = accepted + failed + given back + in doubt."""
    (block,) = (await world.flush(leases=[world.lease(0, 10)])).blocks
    given_back = [world.due(n) for n in (7, 8)]
    await world.flush(
        fresh=[world.fresh(0, 1, 2)],
        events=[
            world.event(3, Kind.REJECTED, reason="smpp:0x0000000b"),
            world.event(4, Kind.IN_DOUBT, reason="link_dropped"),
            world.event(5, Kind.SKIPPED, segment=0, segments=0, reason="dnc"),
            *(world.event(6, Kind.ACCEPTED, segment=s, segments=2, id=f"long{s}") for s in (1, 2)),
            *(world.event(9, Kind.ACCEPTED, segment=s, segments=2, id=f"last{s}") for s in (1, 2)),
        ],
        due=given_back,
        closed=[block.key],
    )
    counted = sum(messages for messages, _ in (await world.tallies()).values())
    assert counted + len(given_back) == block.last_position - block.first_position + 1
    assert await world.hot.open_blocks(world.engine) == []
    await world.check()


async def test_two_engines_count_for_one_run_at_once(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one, n=2000)
        other = await seed_engine(two, now=NOW)

        async def first() -> None:
            for n in range(0, 100, 5):
                await world.flush(fresh=[world.fresh(*range(n, n + 5))])

        async def second() -> None:
            for seq, n in enumerate(range(90, 190, 5), start=1):
                # Some messages overlap: both know of the same facts.
                await two.hot.flush(Flush(other, seq, NOW, fresh=[world.fresh(*range(n, n + 5))]))

        await asyncio.gather(first(), second())
        assert await world.tallies() == {("sent", ""): (190, 190)}
        await assert_tallies_match(one, world.scene.bucket, world.run)


async def test_an_unknown_block_is_closed_without_harm(world: World) -> None:
    await world.flush(closed=[BlockKey(world.scene.bucket, world.run, 3)])
    assert await world.hot.open_blocks(world.engine) == []
