"""Engines and their lanes: who may send for which code."""

from __future__ import annotations

import asyncio

import pytest
from tests.factories import NOW, seed, seed_code, seed_engine, seed_provider, seed_unit

from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.store.hot.base import EngineLost, Flush, Reserve
from todoke.store.store import Store


async def test_the_database_has_a_clock(store: Store) -> None:
    assert abs(await store.hot.database_now() - SystemClock().now()) < 60 * SECOND


async def test_an_engine_lives_until_it_is_marked(store: Store) -> None:
    engine = await store.hot.register_engine("host", "boot", 42, "/j", NOW, NOW + SECOND)
    (row,) = await store.hot.engines("alive")
    assert row == (engine, "host", "boot", 42, "/j", "alive", NOW + SECOND, 0)
    assert await store.hot.renew_engine(engine, NOW + HOUR)
    assert (await store.hot.engines("alive"))[0].lease_until == NOW + HOUR
    assert await store.hot.mark_engine(engine, "alive", "gone")
    assert not await store.hot.mark_engine(engine, "alive", "gone")
    assert not await store.hot.renew_engine(engine, NOW + 2 * HOUR)
    assert await store.hot.engines("alive") == []
    assert [row.id for row in await store.hot.engines("gone")] == [engine]
    assert await store.hot.mark_engine(engine, "gone", "recovered")


async def test_lanes_of_free_accounts_are_taken(store: Store) -> None:
    scene = await seed(store, rate=7.5)
    engine = await seed_engine(store, now=NOW)
    (lane,) = await store.hot.take_lanes(engine, NOW, SECOND)
    assert lane == (scene.bucket, scene.code, scene.provider, "15551230001", "long", 7.5, 1, NOW, 1, ())
    assert await store.hot.take_lanes(engine, NOW + SECOND, SECOND) == [lane]


async def test_a_new_code_of_an_own_account_is_taken_too(store: Store) -> None:
    scene = await seed(store)
    engine = await seed_engine(store, now=NOW)
    await store.hot.take_lanes(engine, NOW, 0)
    second = await seed_code(store, scene.unit, scene.provider, code="15551230002")
    lanes = await store.hot.take_lanes(engine, NOW, 0)
    assert [lane.transport_code_id for lane in lanes] == [scene.code, second]


async def test_a_living_engine_keeps_its_accounts_whole(store: Store) -> None:
    scene = await seed(store)
    first, second = await seed_engine(store, now=NOW), await seed_engine(store, now=NOW)
    await store.hot.take_lanes(first, NOW, 0)
    await seed_code(store, scene.unit, scene.provider, code="15551230002")
    assert await store.hot.take_lanes(second, NOW, 0) == []


async def test_accounts_are_taken_one_by_one(store: Store) -> None:
    await seed(store)
    first, second = await seed_engine(store, now=NOW), await seed_engine(store, now=NOW)
    await store.hot.take_lanes(first, NOW, 0)
    unit = await seed_unit(store, name="other")
    code = await seed_code(store, unit, await seed_provider(store, name="other"))
    assert [lane.transport_code_id for lane in await store.hot.take_lanes(second, NOW, 0)] == [code]


@pytest.mark.parametrize("how", ["lapsed", "gone", "released"])
@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
async def test_a_take_over_bumps_the_epoch_and_keeps_the_pace(store: Store, how: str, ahead: int) -> None:
    """From who only let the lease lapse a margin is kept: it may still write what it holds."""
    scene = await seed(store)
    first = await seed_engine(store, now=NOW, lease=SECOND)
    await store.hot.take_lanes(first, NOW, 0)
    await store.hot.flush(Flush(first, 1, NOW, reserves=[Reserve(scene.bucket, scene.code, 1, NOW + ahead)]))
    second = await seed_engine(store, now=NOW)
    moment = NOW + SECOND
    match how:
        case "lapsed":
            moment += 1
        case "gone":
            await store.hot.mark_engine(first, "alive", "gone")
        case _:
            await store.hot.release_lanes(first)
    (lane,) = await store.hot.take_lanes(second, moment, SECOND)
    margin = SECOND if how == "lapsed" else 0
    assert (lane.epoch, lane.next_slot_at) == (2, max(moment, NOW + ahead) + margin)
    assert await store.hot.take_lanes(second, moment, SECOND) == [lane]


async def test_only_the_accounts_asked_for_are_taken(store: Store) -> None:
    scene = await seed(store)
    other = await seed(store, name="other")
    engine = await seed_engine(store, now=NOW)
    lanes = await store.hot.take_lanes(engine, NOW, 0, [other.provider])
    assert [lane.provider_id for lane in lanes] == [other.provider]
    assert await store.hot.take_lanes(engine, NOW, 0, []) == lanes
    assert {lane.provider_id for lane in await store.hot.take_lanes(engine, NOW, 0, None)} == {
        scene.provider,
        other.provider,
    }


async def test_one_account_can_be_given_up(store: Store) -> None:
    scene = await seed(store)
    other = await seed(store, name="other")
    engine = await seed_engine(store, now=NOW)
    await store.hot.take_lanes(engine, NOW, 0)
    await store.hot.release_lanes(engine, scene.provider)
    assert [lane.provider_id for lane in await store.hot.take_lanes(engine, NOW, 0, [])] == [other.provider]


async def test_who_has_what_is_seen_as_it_is(store: Store) -> None:
    scene = await seed(store, rate=7.5)
    other = await seed(store, name="other", rate=2.0)
    await seed_code(store, other.unit, other.provider, code="15551230002", rate=3.0)
    first = await seed_engine(store, now=NOW, lease=SECOND)
    second = await seed_engine(store, now=NOW)
    await store.hot.take_lanes(first, NOW, 0, [scene.provider])
    sharing = await store.hot.sharing(NOW)
    assert sharing.engines == [first, second]
    assert sharing.groups == [(scene.provider, first, 7.5), (other.provider, None, 5.0)]
    lapsed = await store.hot.sharing(NOW + SECOND + 1)
    assert lapsed == ([(scene.provider, None, 7.5), (other.provider, None, 5.0)], [second])


async def test_racing_engines_never_part_an_account(store: Store) -> None:
    scene = await seed(store)
    for i in range(2, 6):
        await seed_code(store, scene.unit, scene.provider, code=f"1555123000{i}")
    engines = [await seed_engine(store, now=NOW) for _ in range(6)]
    taken = await asyncio.gather(*(store.hot.take_lanes(engine, NOW, 0) for engine in engines))
    assert sorted(map(len, taken)) == [0, 0, 0, 0, 0, 5]


async def test_a_dead_engine_takes_nothing(store: Store) -> None:
    await seed(store)
    engine = await seed_engine(store, now=NOW)
    await store.hot.mark_engine(engine, "alive", "gone")
    with pytest.raises(EngineLost):
        await store.hot.take_lanes(engine, NOW, 0)
