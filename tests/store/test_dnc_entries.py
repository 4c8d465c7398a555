"""Entries of DNC groups: they hold until they expire, whoever looks; each change of one is told."""

from __future__ import annotations

import asyncio

from sqlalchemy import insert, select, update
from tests.factories import phone_of, seed_dnc_group, update_skill
from tests.store.world import World

from todoke.model.clock import HOUR, SystemClock
from todoke.model.ids import MAX_ORDINAL
from todoke.store import schema
from todoke.store.catalogue import dnc, dnc_history, units
from todoke.store.dnc.sweep import DncSweep
from todoke.store.hot.base import OptOut, Reserve, Scrub

NOW = SystemClock().now()


async def put(
    world: World, n: int, expires_at: int | None, *, group: int | None = None, source: str = "upload"
) -> None:
    values = {"bucket": world.scene.bucket, "dnc_group_id": group or world.scene.group, "phone": phone_of(n)}
    async with world.store.writing() as connection:
        await connection.execute(
            insert(schema.dnc_entry).values(**values, source=source, created_at=NOW - HOUR, expires_at=expires_at)
        )


def said(world: World, kind: str, n: int = 1, **more: object) -> OptOut:
    scene = world.scene
    own = OptOut(scene.bucket, scene.unit, scene.group, phone_of(n), kind, "person", "asked", None, NOW, who="ann")
    return own._replace(**more)  # type: ignore[arg-type]


async def entry(world: World, n: int = 1, group: int | None = None) -> tuple[str, int, int | None] | None:
    e = schema.dnc_entry.c
    query = select(e.source, e.created_at, e.expires_at).where(
        e.dnc_group_id == (group or world.scene.group), e.phone == phone_of(n)
    )
    async with world.store.reading() as connection:
        row = (await connection.execute(query)).first()
    return None if row is None else (row[0], row[1], row[2])


async def history(world: World, n: int = 1) -> list[tuple[str, str, str]]:
    async with world.store.reading() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == world.scene.unit)
        return [(row.change, row.source, row.who) for row in await dnc_history.of_phone(connection, unit, phone_of(n))]


async def blocked(world: World, *numbers: int) -> set[int]:
    """What the reserving flush says."""
    scene = world.scene
    scrub = Scrub(scene.bucket, (scene.group,), [phone_of(n) for n in numbers])
    reserve = Reserve(scene.bucket, scene.code, world.lane.epoch, 1, scrubs=[scrub])
    flushed = await world.flush(reserves=[reserve])
    return flushed.blocked[scene.code][0]


async def test_an_entry_holds_until_it_expires(world: World) -> None:
    scene = world.scene
    for n, expires_at in ((1, NOW - 1), (2, NOW + HOUR), (3, None)):
        await put(world, n, expires_at)
    contacts = await world.hot.read_contacts(scene.bucket, scene.list, 0, 4, (scene.group,))
    assert [c.position for c in contacts if c.on_dnc] == [2, 3]
    some = await world.hot.read_contacts_at(scene.bucket, scene.list, [1, 2, 3], (scene.group,))
    assert [c.position for c in some if c.on_dnc] == [2, 3]
    assert await blocked(world, 1, 2, 3) == {phone_of(2), phone_of(3)}
    async with world.store.reading() as connection:
        unit = next(unit for unit in await units.every(connection) if unit.id == scene.unit)
        group = dnc.Group(scene.group, "default", default=False)
        assert [row.phone for row in await dnc.entries(connection, unit, group, NOW)] == [phone_of(2), phone_of(3)]
        assert await dnc.count(connection, unit, group, NOW) == 2
        assert await dnc.on(connection, unit, phone_of(1), NOW) == []
        assert (await dnc.on(connection, unit, phone_of(2), NOW))[0].expires_at == NOW + HOUR


async def test_an_entry_frees_the_number_by_itself(world: World) -> None:
    """Nothing is swept and nobody does anything: the moment passes."""
    await put(world, 1, SystemClock().now() + 300_000)
    assert await blocked(world, 1)
    await asyncio.sleep(0.35)
    assert not await blocked(world, 1)


async def test_what_has_expired_is_swept_and_told(world: World) -> None:
    for n, expires_at in ((1, NOW - 1), (2, NOW + HOUR), (3, None)):
        await put(world, n, expires_at)
    sweep = DncSweep(world.store)
    assert await sweep.entries() == [(world.scene.group, phone_of(1))]
    assert await sweep.entries() == []
    assert (await entry(world, 1), await history(world, 1)) == (None, [("expired", "upload", "")])
    assert await entry(world, 2) is not None
    assert await entry(world, 3) is not None


async def test_more_than_one_piece_is_swept(world: World) -> None:
    rows = [
        {
            "bucket": world.scene.bucket,
            "dnc_group_id": world.scene.group,
            "phone": n,
            "source": "upload",
            "created_at": 1,
            "expires_at": 2 + n % 7,
        }
        for n in range(5_000)
    ]
    async with world.store.writing() as connection:
        await connection.execute(insert(schema.dnc_entry), rows)
    assert len(await DncSweep(world.store).entries()) == 5_000


async def test_for_good_is_stricter_than_any_expiry(world: World) -> None:
    await world.hot.apply_opt_outs([said(world, "out", expires_at=NOW + HOUR)], [])
    assert await entry(world) == ("person", NOW, NOW + HOUR)
    await world.hot.apply_opt_outs([said(world, "out", at=NOW + 1, source="reply")], [])
    assert await entry(world) == ("opt_out", NOW, None)
    await world.hot.apply_opt_outs([said(world, "out", at=NOW + 2, expires_at=NOW + 2 * HOUR)], [])
    assert await entry(world) == ("opt_out", NOW, None)
    await world.hot.apply_opt_outs([said(world, "in", at=NOW + 3)], [])
    assert await entry(world) is None
    assert await history(world) == [
        ("added", "person", "ann"),
        ("extended", "opt_out", "ann"),
        ("removed", "person", "ann"),
    ]


async def test_an_expired_entry_is_no_entry(world: World) -> None:
    await put(world, 1, NOW - 1)
    await world.hot.apply_opt_outs([said(world, "out", expires_at=NOW + HOUR)], [])
    assert await entry(world) == ("person", NOW, NOW + HOUR)
    assert await history(world) == [("expired", "upload", ""), ("added", "person", "ann")]


async def test_an_opt_out_goes_to_the_groups_of_the_skill_that_texted_last(world: World) -> None:
    scene, store = world.scene, world.store
    mine, other = [await seed_dnc_group(store, scene.unit, name=name) for name in ("mine", "other")]
    reply = said(world, "out", source="reply", who="", transport_code_id=scene.code)
    async with store.writing() as connection:
        row = {"skill_id": scene.skill, "contributes": True, "scrubs": False}
        await connection.execute(insert(schema.skill_dnc), [{**row, "dnc_group_id": mine}])
    # Nobody knows who texted: the groups of all skills of the code.
    applied = await world.hot.apply_opt_outs([reply], [])
    assert [(o.dnc_group_id, o.phone) for o in applied] == [(scene.group, phone_of(1)), (mine, phone_of(1))]
    assert await entry(world, 1, mine) == ("opt_out", NOW, None)
    assert await entry(world, 1, other) is None
    # Another skill texted last: none of this one's.
    async with store.writing() as connection:
        use = {"bucket": scene.bucket, "business_unit_id": scene.unit, "phone": phone_of(2), "message_id": 1, "at": NOW}
        await connection.execute(
            insert(schema.cap_use).values(**use, skill_id=scene.skill + 99, list_id=1, transport_code_id=scene.code)
        )
    applied = await world.hot.apply_opt_outs([reply._replace(phone=phone_of(2))], [])
    assert [o.dnc_group_id for o in applied] == [scene.group]
    # An opt-in lifts what an opt-out put there, and nothing else.
    await put(world, 3, None, group=mine)
    await world.hot.apply_opt_outs([reply._replace(kind="in", at=NOW + 1)], [])
    await world.hot.apply_opt_outs([reply._replace(kind="in", at=NOW + 1, phone=phone_of(3))], [])
    assert await entry(world, 1, mine) is None
    assert await entry(world, 3, mine) is not None


async def test_groups_of_a_running_run_are_live(world: World) -> None:
    scene, store = world.scene, world.store
    more, own, default = [await seed_dnc_group(store, scene.unit, name=name) for name in ("more", "own", "default 2")]
    (run,) = await world.hot.open_runs([scene.code])
    assert (run.scrub_groups, run.guard) == ((scene.group,), None)
    async with store.writing() as connection:
        row = {"skill_id": scene.skill, "contributes": False, "scrubs": True, "dnc_group_id": more}
        await connection.execute(insert(schema.skill_dnc), [row])
        registration = {"transport_code_id": scene.code, "dnc_group_id": own, "keywords": {}, "created_at": 1}
        await connection.execute(insert(schema.sms_registration).values(business_unit_id=scene.unit, **registration))
        await connection.execute(update(schema.business_unit).values(dnc_group_id=default))
    (run,) = await world.hot.open_runs([scene.code])
    assert run.scrub_groups == tuple(sorted({scene.group, more, own, default}))
    assert run.guard is None


async def test_guards_of_a_running_run_are_live(world: World) -> None:
    scene = world.scene
    await update_skill(world.store, scene, cap="1 in 24 hours")
    (run,) = await world.hot.open_runs([scene.code])
    assert run.guard is not None
    assert (str(run.guard.skill_cap), run.guard.unit_cap, run.guard.suppresses) == ("1 in 24 hours", None, False)
    assert world.message(0) & MAX_ORDINAL == 0
