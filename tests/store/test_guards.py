"""Suppressions and frequency caps, as the reserving flush and the look before composing see them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from random import Random

import pytest
from sqlalchemy import func, select
from tests.factories import NOW, phone_of, seed, seed_code, seed_engine, seed_provider, seed_run
from tests.store.world import World

from todoke.model.cap import Cap, parse
from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.model.event import Kind
from todoke.store import schema
from todoke.store.catalogue import caps, suppressions, units
from todoke.store.catalogue.suppressions import Whom
from todoke.store.catalogue.units import Unit
from todoke.store.dnc.sweep import DncSweep
from todoke.store.hot.base import Flush, Flushed, Guard, Held, Lane, Reserve, Scrub, Unused
from todoke.store.hot.guarding import LATE
from todoke.store.store import Store, open_store

DAY = 24 * HOUR


def guard(world: World, **more: object) -> Guard:
    scene = world.scene
    return Guard(scene.bucket, scene.unit, scene.skill, scene.list, scene.code)._replace(**more)  # type: ignore[arg-type]


def reserve(world: World, guarded: Guard, *numbers: int, messages: list[int] | None = None) -> Reserve:
    scene = world.scene
    phones = [phone_of(n) for n in numbers]
    ids = messages or [world.message(n) for n in numbers]
    scrub = Scrub(scene.bucket, (scene.group,), phones, guarded, list(zip(ids, phones, strict=True)))
    return Reserve(scene.bucket, scene.code, world.lane.epoch, 1, scrubs=[scrub])


async def held(world: World, guarded: Guard, *numbers: int, messages: list[int] | None = None) -> dict[int, Held]:
    flushed = await world.flush(reserves=[reserve(world, guarded, *numbers, messages=messages)])
    (found,) = flushed.held[world.scene.code]
    return found


async def uses(store: Store) -> int:
    async with store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.cap_use))).scalar_one()


async def unit_of(world: World) -> Unit:
    async with world.store.reading() as connection:
        return next(unit for unit in await units.every(connection) if unit.id == world.scene.unit)


async def suppress(world: World, *whom: Whom, **more: object) -> int:
    unit = await unit_of(world)
    async with world.store.writing() as connection:
        now = SystemClock().now()
        return await suppressions.add(connection, unit, whom, reason="asked", who="ann", now=now, **more)  # type: ignore[arg-type]


async def test_without_a_guard_nothing_is_written_or_asked(world: World) -> None:
    scrub = Scrub(world.scene.bucket, (world.scene.group,), [phone_of(1)])
    ask = Reserve(world.scene.bucket, world.scene.code, world.lane.epoch, 1, scrubs=[scrub])
    assert (await world.flush(reserves=[ask])).held == {}
    assert await uses(world.store) == 0


async def test_a_cap_holds_what_is_too_much_until_it_frees(world: World) -> None:
    capped = guard(world, unit_cap=Cap(2, DAY))
    assert await held(world, capped, 1, 2) == {}
    first = world.now
    again = [world.message(11), world.message(12)]
    assert await held(world, capped, 1, 2, messages=again) == {}
    third = [world.message(15), world.message(16)]
    found = await held(world, capped, 1, 3, messages=third)
    assert found == {third[0]: Held(first + LATE + DAY, "cap")}
    world.now = first + LATE + DAY - SECOND  # the flush's moment is a second later
    assert await held(world, capped, 1, messages=third[:1]) == {}


async def test_caps_of_skill_and_list_count_their_own(world: World) -> None:
    by_skill = guard(world, skill_cap=Cap(1, DAY))
    by_list = guard(world, list_cap=Cap(1, DAY))
    assert await held(world, by_skill, 1) == {}
    other = [world.message(11)]
    assert set(await held(world, by_skill, 1, messages=other)) == {other[0]}
    assert await held(world, by_skill._replace(skill_id=99), 1, messages=other) == {}
    assert await held(world, by_list._replace(list_id=98), 1, messages=[world.message(12)]) == {}
    assert set(await held(world, by_list._replace(list_id=98), 1, messages=[world.message(13)])) == {world.message(13)}


async def test_a_number_that_comes_twice_in_a_flush_is_counted_twice(world: World) -> None:
    capped = guard(world, unit_cap=Cap(1, DAY))
    pair = [world.message(1), world.message(11)]
    assert set(await held(world, capped, 1, 1, messages=pair)) == {pair[1]}


async def test_who_is_on_a_dnc_group_uses_nothing(world: World) -> None:
    async with world.store.writing() as connection:
        row = {"bucket": world.scene.bucket, "dnc_group_id": world.scene.group, "phone": phone_of(1)}
        await connection.execute(schema.dnc_entry.insert().values(**row, source="upload", created_at=1))
    assert await held(world, guard(world, unit_cap=Cap(1, DAY)), 1, 2) == {}
    assert await uses(world.store) == 1


async def test_a_message_that_is_reserved_again_counts_once(world: World) -> None:
    capped = guard(world, unit_cap=Cap(1, DAY))
    for _ in range(3):
        assert await held(world, capped, 1) == {}
    assert await uses(world.store) == 1


@pytest.mark.parametrize(
    ("kind", "taken_back"),
    [
        (Kind.REJECTED, True),
        (Kind.DEFERRED, True),
        (Kind.IN_DOUBT, False),
        (Kind.ACCEPTED, False),
    ],
)
async def test_what_was_certainly_not_sent_is_taken_back(world: World, kind: Kind, taken_back: bool) -> None:
    scene, capped = world.scene, guard(world, unit_cap=Cap(1, DAY))
    assert await held(world, capped, 1) == {}
    event = world.event(1, kind, id="p1" if kind is Kind.ACCEPTED else None, reason="test")
    unused = Unused(scene.bucket, scene.unit, phone_of(1), world.message(1))
    await world.flush(events=[event], unused=[unused])
    assert await uses(world.store) == (0 if taken_back else 1)


async def test_a_flush_that_is_offered_again_says_the_same(world: World) -> None:
    capped = guard(world, unit_cap=Cap(1, DAY))
    assert await held(world, capped, 1) == {}
    pair = [world.message(11), world.message(2)]
    flush = world.flush_of(reserves=[reserve(world, capped, 1, 2, messages=pair)])
    before = await world.hot.flush(flush)
    after = await world.hot.flush(flush)
    assert set(before.held[world.scene.code][0]) == set(after.held[world.scene.code][0]) == {pair[0]}
    assert await uses(world.store) == 2


async def test_a_suppression_holds_a_number_until_it_ends(world: World) -> None:
    until = await suppress(world, Whom(phone=phone_of(1)))
    watched = guard(world, phones=True)
    assert await held(world, watched, 1, 2) == {world.message(1): Held(until, "suppressed")}
    messages = [(world.message(n), phone_of(n)) for n in (1, 2)]
    assert await world.hot.held_back(watched, messages) == {world.message(1): Held(until, "suppressed")}
    unit = await unit_of(world)
    async with world.store.writing() as connection:
        now = SystemClock().now()
        assert await suppressions.end(connection, unit, Whom(phone=phone_of(1)), who="bob", now=now) == 1
    assert await held(world, watched, 1, 2) == {}
    async with world.store.reading() as connection:
        (row,) = await suppressions.every(connection, unit, now, ended=True)
        assert (row.who, row.ended_by, row.reason, row.holds(now)) == ("ann", "bob", "asked", False)
        assert await suppressions.every(connection, unit, now) == []


async def test_a_suppression_by_external_id(world: World) -> None:
    until = await suppress(world, Whom(external_id="c3"), hours=48)
    watched = guard(world, external_ids=True)
    assert await held(world, watched, 2, 3) == {world.message(3): Held(until, "suppressed")}
    asked = await world.hot.held_back(watched, [(world.message(3), phone_of(3)), (world.message(4), phone_of(4))])
    assert asked == {world.message(3): Held(until, "suppressed")}


async def test_a_suppression_of_one_skill_and_the_longest_of_several(world: World) -> None:
    await suppress(world, Whom(phone=phone_of(1)), skill_id=world.scene.skill + 1, hours=80)
    watched = guard(world, phones=True)
    assert await held(world, watched, 1) == {}
    await suppress(world, Whom(phone=phone_of(1)), hours=1)
    until = await suppress(world, Whom(phone=phone_of(1)), hours=5, skill_id=world.scene.skill)
    assert await held(world, watched, 1) == {world.message(1): Held(until, "suppressed")}


async def test_a_run_knows_when_its_unit_suppresses(world: World) -> None:
    async def known() -> Guard | None:
        (run,) = await world.hot.open_runs([world.scene.code])
        return run.guard

    assert await known() is None
    await suppress(world, Whom(external_id="c3"))
    assert await known() == guard(world, external_ids=True)
    await suppress(world, Whom(phone=phone_of(3)))
    assert await known() == guard(world, phones=True, external_ids=True)


async def test_what_of_a_cap_is_left(world: World) -> None:
    async with world.store.writing() as connection:
        await connection.execute(schema.business_unit.update().values(cap="2 in 7 days"))
    unit = await unit_of(world)
    async with world.store.writing() as connection:
        assert await caps.set_list(connection, unit, world.scene.list, "1 per day") == "1 in 24 hours"
    capped = guard(world, unit_cap=parse("2 in 7 days"), list_cap=parse("1 per day"))
    assert await held(world, capped, 1) == {}
    async with world.store.reading() as connection:
        left = await caps.left(connection, unit, phone_of(1), world.now + SECOND, list_id=world.scene.list)
    at = world.now + LATE
    assert [(row.whose, row.used, row.free_at) for row in left] == [
        ("business unit", 1, world.now + SECOND),
        ("list", 1, at + DAY),
    ]


async def test_old_uses_and_those_of_runs_that_are_over_are_swept(world: World) -> None:
    capped = guard(world, unit_cap=Cap(5, DAY))
    assert await held(world, capped, 1, 2, 3) == {}
    await world.flush(fresh=[world.fresh(1)])
    sweep = DncSweep(world.store)
    assert await sweep.uses(world.now) == 0
    async with world.store.writing() as connection:
        await connection.execute(schema.skill_run.update().values(state="stopped"))
    assert await sweep.uses(world.now) == 2  # of messages that were never sent
    assert await sweep.uses(world.now + 400 * DAY) == 1
    assert await uses(world.store) == 0


async def test_two_engines_together_never_exceed_a_cap(database_url: str) -> None:
    """Accounts of one unit on two engines: each reserves for the same few numbers, at the same time."""
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        scene = await seed(one, n=20)
        other_provider = await seed_provider(one, name="other", bucket=scene.bucket)
        other_code = await seed_code(one, scene.unit, other_provider, code="15551230002")
        run = await seed_run(one, scene)
        engines: list[tuple[Store, int, Lane]] = []
        for store, provider in ((one, scene.provider), (two, other_provider)):
            engine = await seed_engine(one)
            (lane,) = await store.hot.take_lanes(engine, NOW, SECOND, [provider])
            engines.append((store, engine, lane))
        cap = Cap(3, 60 * SECOND)
        went: dict[int, list[int]] = defaultdict(list)

        async def send(store: Store, engine: int, lane: Lane, seed_of: int) -> None:
            chance = Random(seed_of)
            own = Guard(scene.bucket, scene.unit, scene.skill, scene.list, lane.transport_code_id, unit_cap=cap)
            for seq in range(1, 26):
                now = NOW + seq * 7 * SECOND
                guarded = [
                    (
                        (scene.bucket << 55) | (run << 29) | (engine * 100_000 + seq * 100 + n),
                        phone_of(chance.randrange(4)),
                    )
                    for n in range(6)
                ]
                scrub = Scrub(scene.bucket, (), [phone for _, phone in guarded], own, guarded)
                ask = Reserve(scene.bucket, lane.transport_code_id, lane.epoch, now + SECOND, scrubs=[scrub])
                flushed: Flushed = await store.hot.flush(Flush(engine, seq, now, reserves=[ask]))
                kept = flushed.held[lane.transport_code_id][0]
                for message_id, phone in guarded:
                    if message_id not in kept:
                        went[phone].append(now + chance.randrange(SECOND + LATE))  # written by its last slot

        await asyncio.gather(*(send(*each, number) for number, each in enumerate(engines)))
        assert other_code == engines[1][2].transport_code_id
        assert sum(map(len, went.values())) > 20
        for moments in went.values():
            for start in moments:
                assert sum(start <= at < start + cap.within for at in moments) <= cap.most
