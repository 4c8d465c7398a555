"""Limits that engines share, arbitrated by the database: whoever asks, however they race, none is exceeded."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert, select, update
from tests.factories import NOW, Scene, seed, seed_brand, seed_code, seed_engine, seed_provider, seed_run
from tests.model.test_allowance import most_in_a_second

from todoke.model.allowance import CELL, SHARED, Wish
from todoke.model.clock import HOUR, SECOND
from todoke.model.limit import CAP_ZONE, Limit, LimitKey, LimitKind, day_of
from todoke.store import schema
from todoke.store.hot.base import (
    Asked,
    BlockKey,
    CursorAsk,
    DueKey,
    Flush,
    Flushed,
    Lane,
    Lease,
    Reserve,
    Returned,
    Scrub,
)
from todoke.store.store import Store, open_store

HORIZON = 3 * SECOND // 10


class Asker:
    """An engine that asks for slots of its lanes, as a lane does."""

    def __init__(self, store: Store, engine: int, lanes: list[Lane]) -> None:
        self.store = store
        self.engine = engine
        self.lanes = lanes
        self.seq = 0
        self.next_slot = {lane.transport_code_id: 0 for lane in lanes}
        self.slots: list[int] = []

    def reserve(self, lane: Lane, now: int, sizes: list[int]) -> Reserve:
        rates = [lane.rate * 0.97, *(limit.rate * SHARED for limit in lane.limits if limit.rate)]
        since = self.next_slot[lane.transport_code_id]
        wish = Wish(max(since, now), SECOND / min(rates), now, now + HORIZON, sizes)
        marks: list[tuple[BlockKey, int] | DueKey] = [DueKey(lane.bucket, number, 0) for number in range(len(sizes))]
        asked = Asked(wish, lane.limits, marks, 2, since) if lane.limits else None
        return Reserve(lane.bucket, lane.transport_code_id, lane.epoch, 0, asked=asked)

    def flush_of(self, now: int, sizes: list[int], **content: object) -> Flush:
        self.seq += 1
        reserves = [self.reserve(lane, now, sizes) for lane in self.lanes]
        return Flush(self.engine, self.seq, now, reserves=reserves, **content)  # type: ignore[arg-type]

    def granted(self, flush: Flush, flushed: Flushed) -> int:
        segments = 0
        for reserve in flush.reserves:
            grant = flushed.granted[reserve.transport_code_id]
            assert reserve.asked is not None
            interval = reserve.asked.wish.interval
            self.slots += [max(grant.floor, grant.first + int(i * interval)) for i in range(grant.segments)]
            if grant.segments:
                self.next_slot[reserve.transport_code_id] = grant.first + round(grant.segments * interval)
            segments += grant.segments
        return segments

    async def ask(self, now: int, sizes: list[int], **content: object) -> int:
        flush = self.flush_of(now, sizes, **content)
        return self.granted(flush, await self.store.hot.flush(flush))


async def limit_unit(store: Store, unit: int, rate: float | None) -> None:
    async with store.writing() as connection:
        await connection.execute(
            update(schema.business_unit).where(schema.business_unit.c.id == unit).values(rate=rate)
        )


async def asker(store: Store) -> Asker:
    """An engine with the lanes that are free."""
    engine = await seed_engine(store, now=NOW)
    return Asker(store, engine, await store.hot.take_lanes(engine, NOW, 0))


async def one_more(store: Store, scene: Scene, name: str, **more: object) -> int:
    """Another provider of the same business unit, with a code."""
    provider = await seed_provider(store, name=name, bucket=scene.bucket)
    return await seed_code(store, scene.unit, provider, code=f"1555000{name}", **more)  # type: ignore[arg-type]


async def rows(store: Store) -> dict[tuple[str, int], tuple[int, str, int, int]]:
    a = schema.allowance.c
    query = select(a.kind, a.subject_id, a.first_cell, a.counts, a.day, a.used)
    async with store.reading() as connection:
        return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in await connection.execute(query)}


async def test_a_lane_knows_its_limits(store: Store) -> None:
    scene = await seed(store)
    brand = await seed_brand(store, scene.unit, daily_cap=500, cap_zone="Asia/Tokyo")
    provider = await seed_provider(store, name="other", bucket=scene.bucket, settings={"rate": 7.5})
    limited = await seed_code(
        store, scene.unit, provider, code="15550002222", burst=4, daily_cap=100, sms_brand_id=brand
    )
    await limit_unit(store, scene.unit, 12)
    engine = await seed_engine(store, now=NOW)
    plain, full = await store.hot.take_lanes(engine, NOW, 0)
    unit = LimitKey(scene.bucket, LimitKind.UNIT, scene.unit)
    assert (plain.burst, plain.limits) == (1, (Limit(unit, rate=12.0),))
    assert full.burst == 4
    assert full.limits == (
        Limit(LimitKey(scene.bucket, LimitKind.PROVIDER, provider), rate=7.5),
        Limit(unit, rate=12.0),
        Limit(LimitKey(scene.bucket, LimitKind.CODE, limited), cap=100, zone=CAP_ZONE),
        Limit(LimitKey(scene.bucket, LimitKind.BRAND, brand), cap=500, zone="Asia/Tokyo"),
    )
    assert set(await rows(store)) == {(limit.key.kind, limit.key.subject_id) for limit in full.limits}
    await limit_unit(store, scene.unit, None)
    assert (await store.hot.take_lanes(engine, NOW, 0))[0].limits == ()


async def test_no_limit_no_row(store: Store) -> None:
    await seed(store)
    engine = await seed_engine(store, now=NOW)
    (lane,) = await store.hot.take_lanes(engine, NOW, 0)
    assert lane.limits == ()
    assert await rows(store) == {}


async def test_what_is_granted_is_marked_and_the_rest_is_not(store: Store) -> None:
    scene = await seed(store, n=20)
    run = await seed_run(store, scene)
    brand = await seed_brand(store, scene.unit, daily_cap=4)
    async with store.writing() as connection:
        await connection.execute(update(schema.transport_code).values(sms_brand_id=brand))
    engine = await seed_engine(store, now=NOW)
    (lane,) = await store.hot.take_lanes(engine, NOW, 0)
    lease = Lease(lane.bucket, lane.transport_code_id, lane.epoch, [CursorAsk(run, 0, 0, 10)])
    (block,) = (await store.hot.flush(Flush(engine, 1, NOW, leases=[lease]))).blocks
    wish = Wish(NOW, 10_000.0, NOW, NOW + HORIZON, [1] * 10)
    marks: list[tuple[BlockKey, int] | DueKey] = [(block.key, position) for position in range(10)]
    reserve = Reserve(lane.bucket, lane.transport_code_id, lane.epoch, 0)
    reserve.asked = Asked(wish, lane.limits, marks, 2, 0)
    reserve.scrubs = [Scrub(lane.bucket, (scene.group,), list(range(10)))]
    flush = Flush(engine, 2, NOW, reserves=[reserve])
    flushed = await store.hot.flush(flush)
    grant = flushed.granted[scene.code]
    assert (grant.first, grant.messages, grant.segments) == (NOW, 4, 4)
    assert flushed.blocked == {scene.code: [set()]}
    assert set(flushed.runs) == {(scene.bucket, run)}
    assert (await store.hot.open_blocks(engine))[0].reserved_to == 3
    (lane,) = await store.hot.take_lanes(engine, NOW, 0)
    assert lane.next_slot_at == NOW + 40_000
    before = await rows(store)
    # The answer was lost: the same flush again changes nothing, and what it was granted is forfeited.
    again = await store.hot.flush(flush)
    assert again.granted == {}
    assert await rows(store) == before
    # Used up: nothing is marked, the lane's next slot stays, and it says when to ask again.
    denied = await store.hot.flush(Flush(engine, 3, NOW + SECOND, reserves=[reserve]))
    assert denied.granted[scene.code].messages == 0
    assert denied.granted[scene.code].again_at > NOW + SECOND
    assert (await store.hot.open_blocks(engine))[0].reserved_to == 3
    (lane,) = await store.hot.take_lanes(engine, NOW, 0)
    assert lane.next_slot_at == NOW + 40_000


async def test_who_lost_the_lane_uses_nothing_of_a_limit(store: Store) -> None:
    scene = await seed(store)
    await limit_unit(store, scene.unit, 10)
    one = await asker(store)
    await store.hot.release_lanes(one.engine)
    await asker(store)
    flush = one.flush_of(NOW, [1, 1])
    flushed = await store.hot.flush(flush)
    assert flushed.lost == {scene.code}
    assert flushed.granted == {}
    assert (await rows(store))[(LimitKind.UNIT, scene.unit)][1] == ""


async def test_a_limit_holds_across_a_take_over(store: Store) -> None:
    scene = await seed(store, rate=50)
    await limit_unit(store, scene.unit, 10)
    slots: list[int] = []
    now = NOW
    for _ in range(6):
        one = await asker(store)
        for _ in range(5):
            await one.ask(now, [1] * 10)
            now += SECOND // 20
        slots += one.slots
        await store.hot.release_lanes(one.engine)
    assert most_in_a_second(slots) <= 10
    assert len(slots) >= 10


async def test_a_limit_that_is_declared_this_moment_grants_nothing_before_its_row_is_there(store: Store) -> None:
    await seed(store)
    one = await asker(store)
    key = LimitKey(one.lanes[0].bucket, LimitKind.UNIT, 4_711)
    one.lanes = [one.lanes[0]._replace(limits=(Limit(key, rate=5.0),))]
    assert await one.ask(NOW, [1]) == 0


async def test_engines_that_race_never_exceed_what_they_share(database_url: str) -> None:
    """Two engines, two providers each with limits of their own, one business unit, one brand: no dead-lock, no window
    of a second above a rate, and exactly the cap.
    """
    async with await open_store(database_url) as first, await open_store(database_url) as second:
        scene = await seed(first, rate=60)
        brand = await seed_brand(first, scene.unit, daily_cap=90)
        async with first.writing() as connection:
            await connection.execute(update(schema.transport_code).values(sms_brand_id=brand))
        one = await asker(first)
        await limit_unit(first, scene.unit, 20)
        await one_more(first, scene, "1111", rate=60, sms_brand_id=brand, daily_cap=1_000)
        two = await asker(second)
        assert len(two.lanes) == 1
        one.lanes = await first.hot.take_lanes(one.engine, NOW, 0)

        now = NOW

        async def work(asking: Asker) -> None:
            nonlocal now
            for _ in range(140):
                now += SECOND // 40
                await asking.ask(now, [1, 2, 1])

        await asyncio.gather(work(one), work(two))
        slots = one.slots + two.slots
        assert most_in_a_second(slots) <= 20
        assert len(slots) in (89, 90)  # two segments that find room for one wait
        assert min(len(one.slots), len(two.slots)) >= 10
        kept = await rows(first)
        assert kept[(LimitKind.BRAND, brand)][2:] == (day_of("UTC", NOW).number, len(slots))


async def test_what_is_returned_is_returned_once(store: Store) -> None:
    scene = await seed(store)
    brand = await seed_brand(store, scene.unit, daily_cap=10)
    async with store.writing() as connection:
        await connection.execute(update(schema.transport_code).values(sms_brand_id=brand))
    one = await asker(store)
    assert await one.ask(NOW, [1] * 20) == 10
    key = LimitKey(scene.bucket, LimitKind.BRAND, brand)
    day = day_of("UTC", NOW).number
    one.seq += 1
    flush = Flush(one.engine, one.seq, NOW, returned=[Returned(key, day, 3), Returned(key, day - 1, 5)])
    assert flush
    for _ in range(2):
        await store.hot.flush(flush)
    assert (await rows(store))[(LimitKind.BRAND, brand)][2:] == (day, 7)
    assert await one.ask(NOW + SECOND, [1] * 20) == 3
    assert await one.ask(NOW + 24 * HOUR, [1] * 20) == 10


@pytest.mark.parametrize("count", [1, 400])
async def test_the_row_is_as_long_as_a_second_is(store: Store, count: int) -> None:
    scene = await seed(store, rate=400)
    await limit_unit(store, scene.unit, 300)
    one = await asker(store)
    for step in range(count):
        await one.ask(NOW + step * SECOND // 20, [1] * 90)
    first, counts, _, _ = (await rows(store))[(LimitKind.UNIT, scene.unit)]
    assert 0 < first - (NOW // CELL - 300) <= count * 5 + 100
    assert len(counts) < 1_500


async def test_a_code_without_limits_is_strictly_paced(store: Store) -> None:
    """Codes that were there before limits were have none, and are strictly paced."""
    scene = await seed(store)
    values = {"business_unit_id": scene.unit, "provider_id": scene.provider, "type": "long", "rate": 1.0}
    async with store.writing() as connection:
        await connection.execute(insert(schema.transport_code).values(**values, code="1", created_at=NOW))
    engine = await seed_engine(store, now=NOW)
    lanes = await store.hot.take_lanes(engine, NOW, 0)
    assert [(lane.burst, lane.limits) for lane in lanes] == [(1, ()), (1, ())]
