"""What another business unit has is as unknown as what nobody has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.factories import NOW, Scene, seed, seed_dnc, seed_list

from todoke.model.clock import HOUR
from todoke.model.errors import Conflict, Invalid, NotFound
from todoke.model.event import State
from todoke.model.run import OPEN, RunState
from todoke.store import schema
from todoke.store.catalogue import campaigns, codes, dnc, lists, providers, reports, runs, skills, templates, units
from todoke.store.catalogue.runs import Count
from todoke.store.catalogue.units import Unit
from todoke.store.store import Store

Reading = Callable[[AsyncConnection, Unit], Awaitable[Any]]


async def insert_run(
    store: Store, scene: Scene, run_id: int = 1, *, state: str = "running", contacts: int = 10
) -> None:
    values = {
        "bucket": scene.bucket,
        "id": run_id,
        "business_unit_id": scene.unit,
        "skill_id": scene.skill,
        "list_id": scene.list,
        "transport_code_id": scene.code,
        "state": state,
        "body": "Hello {FirstName}",
        "template_version_id": None,
        "fields": ["FirstName"],
        "zone_sets": [["America/New_York"]],
        "scrub_groups": [scene.group],
        "contacts": contacts,
        "force": False,
        "started_at": NOW,
        "expires_at": NOW + HOUR,
        "ended_at": None,
    }
    async with store.writing() as connection:
        await connection.execute(insert(schema.skill_run).values(values))
        await connection.execute(
            insert(schema.run_transition).values(
                bucket=scene.bucket, run_id=run_id, old="", new="running", reason="started", at=NOW
            )
        )


async def insert_tallies(store: Store, scene: Scene, run_id: int, *tallies: tuple[str, str, int, int, int]) -> None:
    rows = [
        {
            "bucket": scene.bucket,
            "run_id": run_id,
            "outcome": outcome,
            "reason": reason,
            "hour": hour,
            "messages": messages,
            "segments": segments,
        }
        for outcome, reason, hour, messages, segments in tallies
    ]
    async with store.writing() as connection:
        await connection.execute(insert(schema.tally), rows)


@pytest.fixture
async def mine(store: Store) -> Scene:
    scene = await seed(store, name="-mine")
    await insert_run(store, scene)
    await seed_dnc(store, scene.group, [15550000003], bucket=scene.bucket)
    async with store.writing() as connection:
        await connection.execute(insert(schema.list_rejection).values(list_id=scene.list, reason="landline", count=4))
    return scene


@pytest.fixture
async def theirs(store: Store, mine: Scene) -> Scene:
    """A second unit in the same bucket, with a run of its own."""
    scene = await seed(store, name="-theirs")
    await insert_run(store, scene, 2)
    return scene


async def unit_of(connection: AsyncConnection, scene: Scene) -> Unit:
    return next(unit for unit in await units.every(connection) if unit.id == scene.unit)


FINDINGS: dict[str, Callable[[Scene], Reading]] = {
    "run": lambda scene: lambda connection, unit: runs.find(connection, unit, 1),
    "progress": lambda scene: lambda connection, unit: runs.progress(connection, unit, 1),
    "transitions": lambda scene: lambda connection, unit: runs.transitions(connection, unit, 1),
    "report": lambda scene: lambda connection, unit: reports.run_facts(connection, unit, 1),
}
EMPTY: dict[str, Callable[[Scene], Reading]] = {
    "rejections": lambda scene: lambda connection, unit: lists.rejections(connection, unit, scene.list),
    "dnc entries": lambda scene: (
        lambda connection, unit: dnc.entries(connection, unit, dnc.Group(scene.group, "default", False), NOW)
    ),
    "dnc count": lambda scene: (
        lambda connection, unit: dnc.count(connection, unit, dnc.Group(scene.group, "default", False), NOW)
    ),
    "dnc of a number": lambda scene: lambda connection, unit: dnc.on(connection, unit, 15550000003, NOW),
}


@pytest.mark.parametrize("reading", FINDINGS)
async def test_another_units_run_is_unknown(store: Store, mine: Scene, theirs: Scene, reading: str) -> None:
    find = FINDINGS[reading](mine)
    async with store.reading() as connection:
        assert await find(connection, await unit_of(connection, mine))
        with pytest.raises(NotFound):
            await find(connection, await unit_of(connection, theirs))


@pytest.mark.parametrize("reading", EMPTY)
async def test_another_units_rows_are_not_there(store: Store, mine: Scene, theirs: Scene, reading: str) -> None:
    read = EMPTY[reading](mine)
    async with store.reading() as connection:
        assert await read(connection, await unit_of(connection, mine))
        assert not await read(connection, await unit_of(connection, theirs))


async def test_each_unit_has_its_own_of_every_kind(store: Store, mine: Scene, theirs: Scene) -> None:
    every: list[Reading] = [
        codes.every,
        campaigns.every,
        templates.every,
        skills.every,
        lists.every,
        dnc.groups,
        lambda connection, unit: runs.every(connection, unit),
    ]
    async with store.reading() as connection:
        for read in every:
            first = await read(connection, await unit_of(connection, mine))
            second = await read(connection, await unit_of(connection, theirs))
            assert len(first) == len(second) == 1
            assert first[0].id != second[0].id


async def test_a_name_is_looked_for_in_the_unit_and_the_closest_is_told(
    store: Store, mine: Scene, theirs: Scene
) -> None:
    await seed_list(store, mine.unit, name="Spring customers")
    async with store.reading() as connection:
        unit, other = await unit_of(connection, mine), await unit_of(connection, theirs)
        assert (await lists.find(connection, unit, "Spring customers")).contacts == 10
        with pytest.raises(NotFound, match="'spring-customer'"):
            await lists.find(connection, other, "spring-customer")
        with pytest.raises(NotFound) as caught:
            await lists.find(connection, unit, "spring-customer")
        assert caught.value.fix == "Did you mean 'Spring customers'?"
        for find in (skills.find, templates.find, campaigns.find, codes.find, dnc.find):
            with pytest.raises(NotFound):
                await find(connection, unit, "nobody's")
        with pytest.raises(NotFound):
            await providers.find(connection, "nobody's")


async def test_a_list_that_is_not_ready_cannot_be_found(store: Store, mine: Scene) -> None:
    await seed_list(store, mine.unit, name="Coming", state="importing")
    await seed_list(store, mine.unit, name="Gone", state="deleted")
    async with store.reading() as connection:
        unit = await unit_of(connection, mine)
        with pytest.raises(Conflict, match="still being imported"):
            await lists.find(connection, unit, "Coming")
        with pytest.raises(NotFound):
            await lists.find(connection, unit, "Gone")
        assert [row.name for row in await lists.every(connection, unit)] == ["Coming", "list"]


async def test_the_only_unit_needs_no_name(store: Store) -> None:
    async with store.reading() as connection:
        with pytest.raises(NotFound, match="no business unit yet"):
            await units.only(connection, None)
    await seed(store, name="-a")
    async with store.reading() as connection:
        only = await units.only(connection, None)
        assert only == await units.find(connection, "unit-a")
        assert (await codes.only(connection, only, None)).code == "15551230001"
    await seed(store, name="-b")
    async with store.reading() as connection:
        with pytest.raises(Invalid) as caught:
            await units.only(connection, None)
        assert caught.value.fix == "Say which one with --business-unit: 'unit-a', 'unit-b'."
        with pytest.raises(NotFound, match="'unit-c'"):
            await units.only(connection, "unit-c")


async def test_progress_adds_up_to_the_contacts(store: Store, mine: Scene) -> None:
    await insert_tallies(
        store,
        mine,
        1,
        ("delivered", "", 1, 2, 4),
        ("delivered", "", 2, 1, 2),
        ("sent", "", 2, 1, 1),
        ("failed", "receipt:UNDELIV:027", 2, 1, 1),
        ("in_doubt", "link_dropped", 2, 1, 1),
        ("skipped", "dnc", 2, 2, 0),
        ("sent", "", 1, 0, 0),
    )
    async with store.reading() as connection:
        progress = await runs.progress(connection, await unit_of(connection, mine), 1)
    assert progress.counts[0] == Count(State.DELIVERED, "", 3, 6)
    assert (progress.contacts, progress.waiting, progress.handed_over, progress.segments) == (10, 2, 6, 9)
    assert progress.messages(State.SKIPPED, State.FAILED) == 3


async def test_runs_are_listed_newest_first_and_by_state(store: Store, mine: Scene) -> None:
    await insert_run(store, mine, 5, state="finished")
    async with store.reading() as connection:
        unit = await unit_of(connection, mine)
        assert [run.id for run in await runs.every(connection, unit)] == [5, 1]
        assert [run.id for run in await runs.every(connection, unit, limit=1)] == [5]
        (running,) = await runs.every(connection, unit, states=OPEN)
        assert (running.id, running.state, running.skill, running.calling_list) == (
            1,
            RunState.RUNNING,
            "skill",
            "list",
        )
        (step,) = await runs.transitions(connection, unit, 1)
        assert (step.new, step.reason) == ("running", "started")


async def test_the_facts_of_a_report(store: Store, mine: Scene) -> None:
    async with store.reading() as connection:
        facts = await reports.run_facts(connection, await unit_of(connection, mine), 1)
    assert (facts.unit, facts.accepted, facts.rejections) == ("unit-mine", 10, {"landline": 4})
