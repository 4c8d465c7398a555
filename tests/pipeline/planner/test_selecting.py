"""A run's selection: what is wanted, in its order, each contact once, whoever makes it and however often."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from sqlalchemy import insert, select, update
from tests.factories import NOW, Scene, phone_of, seed, seed_engine

from todoke.model.clock import HOUR, SECOND
from todoke.model.ids import SELECTED, message_id
from todoke.model.run import RunEvent, RunState
from todoke.pipeline.lanes import contacts
from todoke.pipeline.planner import selecting
from todoke.pipeline.planner.selecting import Lost, Selector, make
from todoke.store import schema
from todoke.store.hot.base import SEPARATOR, CursorAsk, Flush, Lease, NewRun, OpenRun, Selecting
from todoke.store.hot.selecting import CLAIM_FOR, Added, Apply, OpenSelection, Piece
from todoke.store.selection import scan
from todoke.store.store import Store

DAY = "2026-11-27"
FIELDS = ["FirstName", "Score", "State"]
ZONES = [["America/New_York"], ["Asia/Tokyo"]]


class Clock:
    """Stands still, and is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / SECOND


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a list of some dozens has many."""
    monkeypatch.setattr(scan, "PAGE", 7)
    monkeypatch.setattr(selecting, "PAGE", 7)
    monkeypatch.setattr(selecting, "CHUNK", 10)


@pytest.fixture
async def scene(store: Store) -> Scene:
    """A list of 40: the score of position p is 7 p mod 40, every third is of Florida; the second half is in Tokyo."""
    scene = await seed(store, n=40)
    c, lists, ranges = schema.contact, schema.calling_list, schema.list_range
    async with store.writing() as connection:
        for p in range(40):
            fields = SEPARATOR.join([f"name {p}", str(7 * p % 40), "FL" if p % 3 == 0 else "GA"])
            values = {"fields": fields, "zone_set": p // 20}
            await connection.execute(update(c).where(c.c.position == p).values(values))
        await connection.execute(update(lists).values(fields=FIELDS, zone_sets=ZONES))
        await connection.execute(update(ranges).values(last_position=19))
        second = {"list_id": scene.list, "number": 1, "zone_set": 1, "first_position": 20, "last_position": 39}
        await connection.execute(insert(ranges).values(second))
    return scene


async def start(store: Store, scene: Scene, wanted: str | None = None, order: Sequence[str] = ()) -> int:
    chosen = Selecting(wanted, tuple(order), DAY) if wanted or order else None
    ids = (scene.bucket, scene.unit, scene.skill, scene.list, scene.code)
    return await store.hot.start_run(NewRun(*ids, "Hi", None, (), NOW, NOW + HOUR, selecting=chosen))


async def claim(store: Store, clock: Clock, maker: str = "me") -> OpenSelection:
    (key,) = await store.hot.selections_to_make(clock.now())
    selection = await store.hot.claim_selection(key, maker, clock.now())
    assert selection is not None
    return selection


async def open_run(store: Store, scene: Scene, run: int) -> OpenRun:
    return next(each for each in await store.hot.open_runs([scene.code]) if each.id == run)


async def at_hand(store: Store, scene: Scene, run: int) -> list[int]:
    """The positions that lanes can take, in the order in which they would, and each as the contact that it is."""
    data = await open_run(store, scene, run)
    found: list[int] = []
    for cursor in data.cursors:
        if cursor.next_position <= cursor.last_position:
            read = await contacts.between(store.hot, data, cursor.next_position, cursor.last_position, ())
            assert [contact.position for contact in read] == [*range(cursor.next_position, cursor.last_position + 1)]
            assert cursor.zone_set in (-1, *{contact.zone_set for contact in read})
            found.extend(contact.destination - phone_of(0) for contact in read)
    return found


async def lease(store: Store, scene: Scene, run: int, count: int, *, seq: int = 1) -> list[int]:
    """An engine takes so many; their positions."""
    engine = await seed_engine(store, now=NOW)
    (lane,) = await store.hot.take_lanes(engine, NOW + 2 * HOUR, 0)
    data = await open_run(store, scene, run)
    asks = [
        CursorAsk(run, cursor.number, cursor.next_position, count)
        for cursor in data.cursors
        if cursor.next_position <= cursor.last_position
    ][:1]
    flushed = await store.hot.flush(Flush(engine, seq, NOW, leases=[Lease(scene.bucket, scene.code, lane.epoch, asks)]))
    (block,) = flushed.blocks
    read = await contacts.between(store.hot, data, block.first_position, block.last_position, ())
    await store.hot.mark_engine(engine, "alive", "gone")
    return [contact.destination - phone_of(0) for contact in read]


async def park_one(store: Store, scene: Scene, run: int) -> None:
    """One contact of the run has a time of its own."""
    id = message_id(scene.bucket, run, 1)
    values = {"bucket": scene.bucket, "message_id": id, "attempt": 1, "transport_code_id": scene.code, "run_id": run}
    async with store.writing() as connection:
        await connection.execute(insert(schema.due).values(**values, segments="", not_before=NOW, state="parked"))


async def due_states(store: Store) -> list[str]:
    async with store.reading() as connection:
        return list((await connection.execute(select(schema.due.c.state))).scalars())


FLORIDA = [p for p in range(40) if p % 3 == 0]


async def test_what_is_wanted_can_be_sent_in_the_order_of_the_list(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene, 'State = "FL"')
    assert await at_hand(store, scene, run) == []
    assert await make(store, clock, await claim(store, clock)) == len(FLORIDA)
    assert await at_hand(store, scene, run) == FLORIDA
    data = await open_run(store, scene, run)
    assert [cursor.zone_set for cursor in data.cursors] == [0, 1]  # a closed time zone is not asked
    assert data.cursors[0].next_position == SELECTED
    assert await contacts_of(store, run) == len(FLORIDA)


async def contacts_of(store: Store, run: int) -> int:
    async with store.reading() as connection:
        found = await connection.scalar(select(schema.skill_run.c.contacts).where(schema.skill_run.c.id == run))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("wanted", "order"),
    [(None, ["Score desc"]), ('State = "FL"', ["State", "Score"]), ("Score >= 20", ["FirstName desc"])],
)
async def test_an_order_holds_over_all_zones(
    store: Store, scene: Scene, clock: Clock, wanted: str | None, order: list[str]
) -> None:
    run = await start(store, scene, wanted, order)
    await make(store, clock, await claim(store, clock))
    meant = FLORIDA if wanted == 'State = "FL"' else [p for p in range(40) if wanted is None or 7 * p % 40 >= 20]
    keys = {"Score desc": lambda p: -(7 * p % 40), "State": lambda p: 7 * p % 40}
    if order == ["FirstName desc"]:
        meant = sorted(meant, key=lambda p: f"name {p}", reverse=True)
    else:
        meant = sorted(meant, key=keys[order[0]])
    assert await at_hand(store, scene, run) == meant


async def test_a_run_is_not_at_its_end_while_it_is_selected(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene, 'State = "TX"')
    selection = await claim(store, clock)
    assert await store.hot.settle_runs(clock.now()) == []
    await make(store, clock, selection)
    assert await store.hot.settle_runs(clock.now()) == [(scene.bucket, run, RunState.FINISHED)]


@pytest.mark.parametrize("order", [[], ["Score desc"]])
async def test_another_goes_on_where_a_maker_died(
    store: Store, scene: Scene, clock: Clock, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(store, scene, "Score < 38", order)
    dead = await claim(store, clock, "dead")
    calls = itertools.count()
    add = store.hot.add_to_selection

    async def dying(selection: OpenSelection, added: Added, now: int) -> OpenSelection | None:
        if next(calls) == 2:
            raise ZeroDivisionError
        return await add(selection, added, now)

    monkeypatch.setattr(store.hot, "add_to_selection", dying)
    with pytest.raises(ZeroDivisionError):
        await make(store, clock, dead)
    monkeypatch.undo()
    begun = await at_hand(store, scene, run)
    assert 0 < len(begun) < 38
    assert await store.hot.selections_to_make(clock.now()) == []  # it may live
    clock.at += CLAIM_FOR
    await make(store, clock, await claim(store, clock, "living"))
    meant = [p for p in range(40) if 7 * p % 40 < 38]
    if order:
        meant.sort(key=lambda p: -(7 * p % 40))
    assert await at_hand(store, scene, run) == meant
    with pytest.raises(Lost):  # and the dead one, which was only slow, adds nothing
        await make(store, clock, dead)
    assert await at_hand(store, scene, run) == meant


async def test_nothing_is_added_to_a_run_that_stops(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene, "Score >= 0")
    selection = await claim(store, clock)
    some = await store.hot.add_to_selection(selection, Added([Piece(0, 0, [1, 2])], 3, made=False), clock.now())
    assert some is not None
    await store.hot.control_run(scene.bucket, run, RunEvent.STOP, "", clock.now())
    assert await store.hot.add_to_selection(some, Added([Piece(0, 0, [3])], 4, made=True), clock.now()) is None
    assert await store.hot.settle_runs(clock.now()) == [(scene.bucket, run, RunState.STOPPED)]
    assert await contacts_of(store, run) == 2  # counted as stopped; of the others it never was to send


async def test_a_run_that_expires_is_selected_no_further(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene, "Score >= 0")
    selection = await claim(store, clock)
    clock.at += 2 * HOUR
    assert await store.hot.expire_runs(clock.now()) == 1
    with pytest.raises(Lost):
        await make(store, clock, selection)
    assert await store.hot.settle_runs(clock.now()) == [(scene.bucket, run, RunState.FINISHED)]
    assert await store.hot.expire_runs(clock.now()) == 0


async def test_an_engine_makes_what_is_to_be_made(store: Store, scene: Scene, clock: Clock) -> None:
    runs = [await start(store, scene, 'State = "FL"') for _ in range(6)]
    selector = Selector(store, clock)
    assert await selector.look() == 4
    await selector.idle()
    assert await selector.look() == 2
    await selector.idle()
    for run in runs:
        assert await at_hand(store, scene, run) == FLORIDA
    assert await selector.look() == 0


async def test_a_filter_that_is_none_is_told_and_stops_nothing(
    store: Store, scene: Scene, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await start(store, scene, "Score >>")
    selector = Selector(store, clock)
    await selector.look()
    await selector.idle()
    assert "value is expected here" in caplog.text


# ------------------------------------------------------------------ a new filter for what is on its way


@pytest.mark.parametrize("order", [[], ["Score desc"]])
async def test_nobody_is_texted_twice_by_a_new_filter(
    store: Store, scene: Scene, clock: Clock, order: list[str]
) -> None:
    run = await start(store, scene)  # by position
    first = await lease(store, scene, run, 10)
    assert first == [*range(10)]
    anew = Selecting('State = "FL"', tuple(order), DAY)
    assert await store.hot.select_anew(scene.bucket, run, anew, Apply.HOLD, clock.now())
    assert await at_hand(store, scene, run) == []  # nothing of the old is taken any more
    await make(store, clock, await claim(store, clock))
    meant = [p for p in FLORIDA if p >= 10]
    if order:
        meant.sort(key=lambda p: -(7 * p % 40))
    assert await at_hand(store, scene, run) == meant
    assert await contacts_of(store, run) == 10 + len(meant)
    second = await lease(store, scene, run, 3)
    assert second == meant[:3]
    # And once more, over a selection.
    assert await store.hot.select_anew(scene.bucket, run, Selecting(None, (), DAY), Apply.HOLD, clock.now())
    await make(store, clock, await claim(store, clock))
    rest = [p for p in range(40) if p not in first + second]
    assert await at_hand(store, scene, run) == rest
    assert await contacts_of(store, run) == 40


async def test_a_new_filter_may_hold_a_run_until_it_is_applied(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene)
    anew = Selecting('State = "FL"', (), DAY)
    await store.hot.select_anew(scene.bucket, run, anew, Apply.STOP, clock.now())
    assert (await open_run(store, scene, run)).state is RunState.PAUSED
    selection = await claim(store, clock)
    await store.hot.select_anew(scene.bucket, run, anew, Apply.HOLD, clock.now())  # and another before it is
    with pytest.raises(Lost):
        await make(store, clock, selection)
    await make(store, clock, await claim(store, clock))
    data = await open_run(store, scene, run)
    assert (data.state, data.recalls) == (RunState.RUNNING, 0)
    assert await at_hand(store, scene, run) == FLORIDA


async def test_a_filter_is_applied_although_the_list_was_made_inactive_meanwhile(
    store: Store, scene: Scene, clock: Clock
) -> None:
    """Else the whole list would be read again and again."""
    run = await start(store, scene)
    await store.hot.select_anew(scene.bucket, run, Selecting('State = "FL"', (), DAY), Apply.STOP, clock.now())
    async with store.writing() as connection:
        await connection.execute(update(schema.calling_list).values(active=False))
    await make(store, clock, await claim(store, clock))
    assert await store.hot.selections_to_make(clock.now() + CLAIM_FOR) == []
    assert (await open_run(store, scene, run)).state is RunState.PAUSED
    assert await at_hand(store, scene, run) == FLORIDA


async def test_what_a_person_paused_stays_paused(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene)
    await store.hot.control_run(scene.bucket, run, RunEvent.PAUSE, "", clock.now())
    await store.hot.select_anew(scene.bucket, run, Selecting('State = "FL"', (), DAY), Apply.FLUSH, clock.now())
    await make(store, clock, await claim(store, clock))
    data = await open_run(store, scene, run)
    assert (data.state, data.recalls) == (RunState.PAUSED, 1)


@pytest.mark.parametrize("at", ["before it is claimed", "while it is made"])
async def test_what_a_person_pauses_while_it_waits_for_its_filter_stays_paused(
    store: Store, scene: Scene, clock: Clock, at: str
) -> None:
    """... also what of it has a time of its own; and once resumed it is the person's, not the filter's."""
    run = await start(store, scene)
    await store.hot.select_anew(scene.bucket, run, Selecting('State = "FL"', (), DAY), Apply.STOP, clock.now())
    selection = await claim(store, clock) if at == "while it is made" else None
    await park_one(store, scene, run)
    state = await store.hot.control_run(scene.bucket, run, RunEvent.PAUSE, "lunch", clock.now())
    assert state is RunState.PAUSED
    await make(store, clock, selection or await claim(store, clock))
    assert (await open_run(store, scene, run)).state is RunState.PAUSED
    assert await at_hand(store, scene, run) == FLORIDA
    assert await due_states(store) == ["parked"]
    async with store.reading() as connection:
        t = schema.run_transition.c
        said = await connection.execute(select(t.old, t.new, t.reason).where(t.run_id == run).order_by(t.id))
        assert [tuple(row) for row in said][1:] == [
            ("running", "paused", "filter changed"),
            ("paused", "paused", "lunch"),
        ]
    await store.hot.control_run(scene.bucket, run, RunEvent.RESUME, "", clock.now())
    assert (await open_run(store, scene, run)).state is RunState.RUNNING
    assert await due_states(store) == ["ready"]


async def test_a_run_that_has_ended_is_not_selected_anew(store: Store, scene: Scene, clock: Clock) -> None:
    run = await start(store, scene, 'State = "TX"')
    await make(store, clock, await claim(store, clock))
    await store.hot.settle_runs(clock.now())
    anew = Selecting(None, (), DAY)
    assert not await store.hot.select_anew(scene.bucket, run, anew, Apply.HOLD, clock.now())


async def test_a_filter_knows_the_zones_that_an_update_of_the_list_brought(
    store: Store, scene: Scene, clock: Clock
) -> None:
    run = await start(store, scene, '@zone = "Europe/Berlin"')
    c, lists = schema.contact, schema.calling_list
    async with store.writing() as connection:
        await connection.execute(update(lists).values(zone_sets=[*ZONES, ["Europe/Berlin"]]))
        await connection.execute(update(c).where(c.c.position.in_([5, 25])).values(zone_set=2))
    assert await make(store, clock, await claim(store, clock)) == 2
    first = (await open_run(store, scene, run)).cursors[0].next_position
    assert await store.hot.passing(scene.bucket, run, [first, first + 1, 4, 5]) == {first, first + 1, 5}
