"""Starting: what is wrong is said before anything is written, and a run is what it was when it started."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update
from tests.factories import NOW, Scene, seed, seed_code, seed_list

from todoke.model.calling_window import Window
from todoke.model.clock import HOUR
from todoke.model.errors import Conflict, Invalid, NotFound
from todoke.model.stream import Stream
from todoke.pipeline.planner.start import StartedRun, start_skill, start_text
from todoke.store import schema
from todoke.store.hot.base import OpenRun
from todoke.store.store import Store

DAY, WHOLE = Window(480, 1260), Window(0, 1440)


@pytest.fixture
async def scene(store: Store) -> Scene:
    return await seed(store, n=10)


async def send(store: Store, text: str, window: Window = WHOLE, calling_list: str = "list") -> StartedRun:
    return await start_text(
        store, business_unit=None, code=None, calling_list=calling_list, text=text, window=window, now=NOW
    )


async def start(store: Store, text: str | None = None) -> StartedRun:
    return await start_skill(store, business_unit=None, skill="skill", calling_list="list", now=NOW, text=text)


async def runs(store: Store, scene: Scene) -> dict[int, OpenRun]:
    return {run.id: run for run in await store.hot.open_runs([scene.code])}


async def empty(store: Store, *positions: int) -> None:
    """These contacts have no first name."""
    contact = schema.contact
    async with store.writing() as connection:
        await connection.execute(update(contact).where(contact.c.position.in_(positions)).values(fields=""))


async def count(store: Store) -> list[int]:
    async with store.reading() as connection:
        tables = (schema.skill, schema.template, schema.template_version, schema.skill_run)
        return [await connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def test_a_skill_starts_with_its_template(store: Store, scene: Scene) -> None:
    started = await start(store)
    assert (started.bucket, started.contacts, started.warnings) == (scene.bucket, 10, ())
    run = (await runs(store, scene))[started.run_id]
    assert (run.body, run.fields, run.scrub_groups) == ("Hello {FirstName}", ["FirstName"], ())
    assert run.expires_at == NOW + 24 * HOUR


async def test_a_run_keeps_the_stream_it_started_with(store: Store, scene: Scene) -> None:
    async with store.writing() as connection:
        await connection.execute(update(schema.skill).values(stream="transactional"))
    started = await start(store)
    async with store.writing() as connection:
        await connection.execute(update(schema.skill).values(stream="bulk"))
    found = await runs(store, scene)
    assert found[started.run_id].stream is Stream.TRANSACTIONAL
    assert found[started.run_id].weight == 1
    later = await start(store)
    assert (await runs(store, scene))[later.run_id].stream is Stream.BULK


async def test_a_skill_may_start_with_another_text(store: Store, scene: Scene) -> None:
    started = await start(store, "Bye {FirstName}")
    assert (await runs(store, scene))[started.run_id].body == "Bye {FirstName}"


async def test_texting_a_list_needs_no_skill(store: Store, scene: Scene) -> None:
    started = await send(store, "Hi {FirstName}", DAY)
    run = (await runs(store, scene))[started.run_id]
    assert (run.body, run.window, run.transport_code_id) == ("Hi {FirstName}", (480, 1260), scene.code)


async def test_another_text_at_other_hours_leaves_the_first_its_hours(store: Store, scene: Scene) -> None:
    """The window of a run is its skill's, and live: the second must not open the first one's at night."""
    first = await send(store, "By day", DAY)
    second = await send(store, "At any time", WHOLE)
    third = await send(store, "By day again", DAY)
    found = await runs(store, scene)
    assert [found[run.run_id].window for run in (first, second, third)] == [(480, 1260), (0, 1440), (480, 1260)]
    assert [found[run.run_id].body for run in (first, second, third)] == ["By day", "At any time", "By day again"]
    skills, _, versions, _ = await count(store)
    assert (skills, versions) == (3, 4)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("  ", "The text is empty"),
        ("Hi {Firstname}", "FirstName"),
        ("Hi {", "{"),
    ],
)
async def test_a_text_that_cannot_be_sent_is_refused_and_nothing_is_written(
    store: Store, scene: Scene, text: str, error: str
) -> None:
    before = await count(store)
    for way in (send, start):
        with pytest.raises(Invalid) as said:
            await way(store, text)
        assert error in str(said.value)
    assert await count(store) == before


async def test_a_field_that_nobody_has_is_a_mistake(store: Store, scene: Scene) -> None:
    await empty(store, *range(10))
    before = await count(store)
    for way in (send, start):
        with pytest.raises(Invalid, match="nobody would get a text"):
            await way(store, "Hi {FirstName}")
    assert await count(store) == before
    assert (await send(store, "Hi {FirstName|friend}")).warnings == ()


async def test_a_field_that_some_lack_is_a_warning(store: Store, scene: Scene) -> None:
    await empty(store, 3, 4)
    (warning,) = (await start(store)).warnings
    assert "empty for 2 of the first 10 contacts" in warning


async def test_a_list_that_is_not_ready_or_empty_is_refused(store: Store, scene: Scene) -> None:
    await seed_list(store, scene.unit, n=0, name="nobody")
    before = await count(store)
    with pytest.raises(Conflict, match="no contacts"):
        await send(store, "Hi", calling_list="nobody")
    assert await count(store) == before
    with pytest.raises(NotFound, match="missing"):
        await send(store, "Hi", calling_list="missing")


async def test_with_several_codes_one_must_be_named(store: Store, scene: Scene) -> None:
    await seed_code(store, scene.unit, scene.provider, code="15551230002")
    with pytest.raises(Invalid, match=r"15551230001.*15551230002"):
        await send(store, "Hi")
