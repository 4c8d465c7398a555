"""A ready list that is made inactive, deleted, restored, removed, given another end; and its counts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, update
from tests.factories import NOW, Scene, seed, seed_list, seed_run
from tests.store.world import World, make_world

from todoke.model.clock import HOUR
from todoke.model.errors import Conflict, NotFound
from todoke.model.event import Kind
from todoke.model.run import RunEvent, RunState
from todoke.model.stream import Stream
from todoke.store.catalogue import list_counts, lists, runs, units
from todoke.store.catalogue.list_counts import ListCounts, SkillCounts
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import DueRow, NewRun
from todoke.store.lists import keys, life, removal
from todoke.store.schema import calling_list, contact, list_key, list_range, tally
from todoke.store.store import Store

DAY = 24 * HOUR


async def unit_of(store: Store) -> Unit:
    async with store.reading() as connection:
        return await units.only(connection, None)


async def state_of(store: Store, scene: Scene, run: int) -> RunState:
    async with store.reading() as connection:
        return (await runs.find(connection, await unit_of(store), run)).state


async def end(store: Store, scene: Scene, run: int) -> None:
    await store.hot.control_run(scene.bucket, run, RunEvent.STOP, "", NOW)
    await store.hot.settle_runs(NOW)


async def test_an_inactive_list_is_not_texted(store: Store) -> None:
    """Its running runs are paused; none can be started or resumed before it is active again."""
    scene = await seed(store)
    unit = await unit_of(store)
    run, stopping = await seed_run(store, scene), await seed_run(store, scene)
    await store.hot.control_run(scene.bucket, stopping, RunEvent.STOP, "", NOW)

    assert await life.deactivate(store, unit, "list", NOW) == [run]

    assert await state_of(store, scene, run) is RunState.PAUSED
    with pytest.raises(Conflict, match="inactive"):
        await seed_run(store, scene)
    with pytest.raises(Conflict, match="inactive"):
        await store.hot.control_run(scene.bucket, run, RunEvent.RESUME, "", NOW)
    assert await state_of(store, scene, run) is RunState.PAUSED
    await life.activate(store, unit, "list")
    assert await state_of(store, scene, run) is RunState.PAUSED  # a person says when
    assert await store.hot.control_run(scene.bucket, run, RunEvent.RESUME, "", NOW) is RunState.RUNNING
    await seed_run(store, scene)


async def test_a_deactivation_that_was_cut_short_is_seen(store: Store) -> None:
    scene = await seed(store)
    other = await seed_list(store, scene.unit, name="other")
    run = await seed_run(store, scene)
    await seed_run(store, scene._replace(list=other))
    async with store.writing() as connection:
        await connection.execute(update(calling_list).where(calling_list.c.name == "list").values(active=False))

    assert await life.left_running(store) == [(scene.bucket, scene.list)]
    assert await life.pause_runs(store, scene.bucket, scene.list, NOW) == [run]
    assert await life.left_running(store) == []


async def test_a_list_with_an_open_run_is_not_deleted(store: Store) -> None:
    scene = await seed(store)
    unit = await unit_of(store)
    run = await seed_run(store, scene)
    with pytest.raises(Conflict, match=f"Run {run}"):
        await life.delete(store, unit, "list", NOW)
    await end(store, scene, run)

    await life.delete(store, unit, "list", NOW)

    with pytest.raises(Conflict, match="deleted"):
        await seed_run(store, scene)
    with pytest.raises(NotFound):
        await life.delete(store, unit, "list", NOW)


async def test_a_deleted_list_can_be_restored_for_ten_days(store: Store) -> None:
    scene = await seed(store)
    unit = await unit_of(store)
    await life.delete(store, unit, "list", NOW)
    async with store.reading() as connection:
        assert await lists.every(connection, unit) == []
        assert [row.name for row in await lists.every(connection, unit, deleted=True)] == ["list"]
    with pytest.raises(NotFound, match="can be restored"):
        await life.restore(store, unit, "list", NOW + 10 * DAY)
    await life.restore(store, unit, "list", NOW + 10 * DAY - 1)

    await seed_run(store, scene)


async def test_a_taken_name_needs_another(store: Store) -> None:
    scene = await seed(store)
    unit = await unit_of(store)
    await life.delete(store, unit, "list", NOW)
    await seed_list(store, scene.unit, name="list")
    await life.delete(store, unit, "list", NOW + 1)
    await seed_list(store, scene.unit, name="list")
    with pytest.raises(Conflict, match="another list 'list'") as caught:
        await life.restore(store, unit, "list", NOW + 2)
    assert "--as" in str(caught.value)

    last = await life.restore(store, unit, "list", NOW + 2, as_name="second")
    first = await life.restore(store, unit, "list", NOW + 2, as_name="first")

    assert (first.id, last.id) == (scene.list, scene.list + 1)


async def test_what_was_deleted_long_ago_goes_and_reports_stay(store: Store) -> None:
    """Contacts, keys and ranges go, also where an engine was killed in the middle; other lists stay."""
    scene = await seed(store, n=1200)
    unit = await unit_of(store)
    other = await seed_list(store, scene.unit, name="other", n=7)
    run = await seed_run(store, scene)
    await end(store, scene, run)
    row = {"bucket": scene.bucket, "list_id": scene.list, "kind": keys.Kind.PHONE, "level": 0, "chunk": 0}
    async with store.writing() as connection:
        await connection.execute(insert(list_key).values(**row, first=1, last=2, keys=b"x"))
    await life.delete(store, unit, "list", NOW)
    assert await removal.remove_deleted(store, NOW + 10 * DAY - 1, rest=0) == []

    assert await removal.remove_deleted(store, NOW + 10 * DAY, rest=0) == [scene.list]

    async with store.reading() as connection:
        left = select(contact.c.list_id, func.count()).group_by(contact.c.list_id)
        assert [tuple(row) for row in await connection.execute(left)] == [(other, 7)]
        assert await connection.scalar(select(func.count()).select_from(list_key)) == 0
        assert (await connection.execute(select(list_range.c.list_id).distinct())).scalars().all() == [other]
        assert (await runs.find(connection, unit, run)).calling_list == "list"
        assert (await runs.progress(connection, unit, run)).contacts == 1200
    with pytest.raises(NotFound):
        await life.restore(store, unit, "list", NOW + 1)
    assert await removal.remove_deleted(store, NOW + 20 * DAY, rest=0) == []


async def test_a_removal_that_was_cut_short_goes_on(store: Store) -> None:
    scene = await seed(store)
    async with store.writing() as connection:
        await connection.execute(update(calling_list).values(state="removed", deleted_at=NOW))

    assert await removal.remove_deleted(store, NOW, rest=0) == [scene.list]
    assert await removal.remove_deleted(store, NOW, rest=0) == []


async def test_an_expired_list_is_not_started(store: Store) -> None:
    scene = await seed(store)
    unit = await unit_of(store)
    await life.expire(store, unit, "list", NOW)
    with pytest.raises(Conflict, match="expired"):
        await seed_run(store, scene, started_at=NOW)
    await seed_run(store, scene, started_at=NOW - 1)
    await life.expire(store, unit, "list", None)
    await seed_run(store, scene, started_at=NOW)


async def counts(store: Store) -> ListCounts:
    unit = await unit_of(store)
    async with store.reading() as connection:
        return await list_counts.count(connection, unit, await lists.find(connection, unit, "list"))


async def test_counts_come_from_the_tallies(store: Store) -> None:
    world: World = await make_world(store)
    assert await counts(store) == ListCounts(20, 20, 0, 0, (SkillCounts("skill", world.run, 20, 0, 0),))
    await world.flush(leases=[world.lease(0, limit=8)])
    events = [world.event(n, Kind.ACCEPTED, id=f"p{n}") for n in range(5)] + [world.event(5, Kind.DEFERRED)]
    retry = DueRow(world.scene.bucket, world.message(5), 1, world.run, world.scene.code, NOW + HOUR, "", None)
    held = DueRow(world.scene.bucket, world.message(6), 0, world.run, world.scene.code, NOW + HOUR, "", None)
    await world.flush(events=events, due=[retry, held])
    async with store.writing() as connection:
        await connection.execute(update(calling_list).values(contacts=23, rejected=4, appended=3))

    assert await counts(store) == ListCounts(27, 23, 4, 5, (SkillCounts("skill", world.run, 17, 1, 5),))

    await store.hot.control_run(world.scene.bucket, world.run, RunEvent.STOP, "", NOW)
    again = await seed_run(store, world.scene)
    assert (await counts(store)).skills == (SkillCounts("skill", again, 23, 0, 0),)
    async with store.reading() as connection:
        assert (await connection.scalar(select(func.sum(tally.c.messages))) or 0) >= 5


async def test_a_contact_is_read_with_its_own_expiry(store: Store) -> None:
    scene = await seed(store, n=3)
    async with store.writing() as connection:
        await connection.execute(update(contact).where(contact.c.position == 1).values(expires_at=NOW, destination=0))
    read = await store.hot.read_contacts(scene.bucket, scene.list, 0, 2, (scene.group,))
    at = await store.hot.read_contacts_at(scene.bucket, scene.list, [1], (scene.group,))

    assert [one.expires_at for one in read] == [None, NOW, None]
    assert [(one.destination, one.on_dnc, one.expires_at) for one in at] == [(0, False, NOW)]


async def test_a_run_hears_of_zone_sets_that_an_update_brings(store: Store) -> None:
    scene = await seed(store)
    await seed_run(store, scene)
    zone_sets = [["America/New_York"], ["Asia/Tokyo"]]
    async with store.writing() as connection:
        await connection.execute(update(calling_list).values(zone_sets=zone_sets))
    (run,) = await store.hot.open_runs([scene.code])
    assert run.zone_sets == zone_sets


async def test_what_was_never_merged_goes(store: Store) -> None:
    """A staged list whose import was cancelled, and one without an import that is a day old; not a fresh one."""
    scene = await seed(store)
    staged = [await seed_list(store, scene.unit, n=3, name="list", state="staged") for _ in range(2)]
    async with store.writing() as connection:
        of_staged = calling_list.c.id.in_(staged)
        await connection.execute(update(calling_list).where(of_staged).values(into_list_id=scene.list))
        await connection.execute(
            update(calling_list).where(calling_list.c.id == staged[1]).values(created_at=NOW + removal.STRAY)
        )
    await removal.remove_deleted(store, NOW + removal.STRAY, rest=0)

    async with store.reading() as connection:
        left = (await connection.execute(select(calling_list.c.id).order_by(calling_list.c.id))).scalars().all()
        assert left == [scene.list, staged[1]]
        query = select(contact.c.list_id).distinct().order_by(contact.c.list_id)
        assert (await connection.execute(query)).scalars().all() == [scene.list, staged[1]]


async def test_a_standing_run_that_was_paused_goes_on(store: Store) -> None:
    """Its hidden list is neither active nor inactive: nobody sees it."""
    scene = await seed(store)
    ids = (scene.bucket, scene.unit, scene.skill, 0, scene.code)
    run = await store.hot.start_run(NewRun(*ids, "{Text}", None, (), NOW, NOW + HOUR, Stream.ANSWER, standing=True))
    await store.hot.control_run(scene.bucket, run, RunEvent.PAUSE, "", NOW)

    assert await store.hot.control_run(scene.bucket, run, RunEvent.RESUME, "", NOW) is RunState.RUNNING
    async with store.reading() as connection:
        assert [row.name for row in await lists.every(connection, await unit_of(store))] == ["list"]
