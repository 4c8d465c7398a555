"""What is looked up beside the do-not-call lists, composing and in the flush that reserves; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from tests.factories import NOW, phone_of, update_skill
from tests.store.world import World, make_world

from todoke.model.consent import Act, Kind, Record, Required
from todoke.model.errors import Conflict
from todoke.store.catalogue import units
from todoke.store.consents import writing
from todoke.store.hot.base import BlockKey, Check, OptOut, Reserve, Scrub
from todoke.store.schema import erased_number
from todoke.store.store import Store

PHONES = [phone_of(n) for n in range(6)]
MARKETING = Required(Kind.EXPRESS, "marketing")


def hashed(phone: int) -> int:
    return phone * 7


async def give(world: World, *records: Record) -> None:
    async with world.store.reading() as connection:
        unit = await units.find(connection, "unit")
    await writing.add(world.store, unit, records, NOW)


def consent(position: int, kind: Kind = Kind.EXPRESS, purpose: str = "marketing", **more: object) -> Record:
    return Record(phone_of(position), Act.GIVEN, kind, NOW, purpose=purpose, **more)  # type: ignore[arg-type]


async def say(world: World, position: int, kind: str, at: int) -> None:
    scene = world.scene
    said = OptOut(scene.bucket, scene.unit, scene.group, phone_of(position), kind, "reply", kind, position + 1, at)
    await world.hot.apply_opt_outs([said], [])


async def erase(world: World, position: int, until: int | None) -> None:
    scene = world.scene
    row = {
        "bucket": scene.bucket,
        "business_unit_id": scene.unit,
        "dnc_group_id": scene.group,
        "digest": hashed(phone_of(position)),
        "until": until,
        "created_at": NOW,
    }
    async with world.store.writing() as connection:
        await connection.execute(insert(erased_number).values(row))


async def barred(world: World, check: Check, now: int = NOW + 10) -> dict[int, str]:
    found = await world.hot.barred(world.scene.bucket, (world.scene.group,), check, PHONES, now)
    return {PHONES.index(phone): reason for phone, reason in found.items()}


async def test_numbers_without_the_consent_that_is_required(store: Store) -> None:
    world = await make_world(store)
    await give(
        world,
        consent(0),
        consent(1, Kind.EXPRESS_WRITTEN),
        consent(2, Kind.IMPLIED),
        consent(3, purpose="alerts"),
        consent(4, expires_at=NOW + 5),
        consent(5),
        Record(phone_of(5), Act.REVOKED, None, NOW + 3, purpose="marketing"),
    )
    check = Check(world.scene.unit, MARKETING, False)
    assert await barred(world, check) == dict.fromkeys((2, 3, 4, 5), "no_consent")
    assert await barred(world, check, NOW + 2) == dict.fromkeys((2, 3, 5), "no_consent")
    assert await barred(world, Check(world.scene.unit + 1, MARKETING, False)) == dict.fromkeys(range(6), "no_consent")


async def test_stop_revokes_and_start_gives_express_consent(store: Store) -> None:
    world = await make_world(store)
    await give(world, consent(0, Kind.EXPRESS_WRITTEN), consent(1))
    await say(world, 0, "out", NOW + 1)
    await say(world, 1, "out", NOW + 1)
    await say(world, 1, "in", NOW + 2)
    check = Check(world.scene.unit, MARKETING, False)
    assert await barred(world, check) == dict.fromkeys((0, 2, 3, 4, 5), "no_consent")
    other = await world.hot.barred(world.scene.bucket, (world.scene.group + 1,), check, PHONES, NOW + 10)
    assert phone_of(0) not in other, "what was said to a code of another group"


async def test_a_run_asks_only_where_there_is_something_to_ask(store: Store) -> None:
    world = await make_world(store)
    (run,) = await store.hot.open_runs([world.scene.code])
    assert run.check is None
    await update_skill(store, world.scene, consent=3, consent_purpose="marketing")
    (run,) = await store.hot.open_runs([world.scene.code])
    assert run.check == Check(world.scene.unit, MARKETING, False)
    await update_skill(store, world.scene, consent=None)
    await erase(world, 0, None)
    (run,) = await store.hot.open_runs([world.scene.code])
    assert run.check == Check(world.scene.unit, None, True)


async def test_numbers_of_people_who_were_erased(store: Store) -> None:
    world = await make_world(store)
    await erase(world, 0, None)
    await erase(world, 1, NOW + 20)
    check = Check(world.scene.unit, None, True)
    with pytest.raises(Conflict, match="no key"):
        await barred(world, check)
    world.hot.use_key(hashed)
    assert await barred(world, check) == {0: "dnc", 1: "erased"}
    assert await barred(world, check, NOW + 20) == {0: "dnc"}
    await say(world, 0, "in", NOW + 30)  # START is their own word
    assert await barred(world, check, NOW + 40) == {}


async def test_without_the_key_the_reserving_flush_says_so_of_every_number_and_goes_on(store: Store) -> None:
    world = await make_world(store)
    await erase(world, 0, None)
    await world.flush(leases=[world.lease(0, 4)])
    scene = world.scene
    phones = [phone_of(0), phone_of(1)]
    scrubs = [
        Scrub(scene.bucket, (scene.group,), phones, check=Check(scene.unit, None, True)),
        Scrub(scene.bucket, (scene.group,), phones, check=Check(scene.unit, MARKETING, False)),  # needs no key
    ]
    ask = Reserve(scene.bucket, scene.code, world.lane.epoch, 1, scrubs=scrubs)
    flush = world.flush_of(reserves=[ask])
    told = [dict.fromkeys(phones, "no_key"), dict.fromkeys(phones, "no_consent")]
    assert (await world.hot.flush(flush)).barred[scene.code] == told
    assert (await world.hot.flush(flush)).barred[scene.code] == told, "offered again"


async def test_the_reserving_flush_looks_again(store: Store) -> None:
    world = await make_world(store)
    await give(world, consent(0), consent(1))
    await world.flush(leases=[world.lease(0, 4)])
    scene = world.scene
    check = Check(scene.unit, MARKETING, False)
    await give(world, Record(phone_of(1), Act.REVOKED, None, NOW + 1))

    def reserve() -> Reserve:
        key = BlockKey(scene.bucket, world.run, 0)
        scrubs = [
            Scrub(scene.bucket, (scene.group,), PHONES[:1]),
            Scrub(scene.bucket, (scene.group,), PHONES[:3], check=check),
        ]
        return Reserve(scene.bucket, scene.code, world.lane.epoch, world.now + 100, [(key, 2)], [], scrubs)

    flush = world.flush_of(reserves=[reserve()])
    wanted = {scene.code: [{}, {phone_of(1): "no_consent", phone_of(2): "no_consent"}]}
    assert (await world.hot.flush(flush)).barred == wanted
    assert (await world.hot.flush(flush)).barred == wanted, "the same again, after an answer that was lost"
    plain = reserve()
    plain.scrubs = plain.scrubs[:1]
    assert (await world.flush(reserves=[plain])).barred == {}
