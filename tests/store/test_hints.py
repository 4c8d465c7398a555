"""Hints: what another process commits is heard here soon after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import NOW, seed, seed_run
from tests.world import eventually

from todoke.model.run import RunEvent
from todoke.store.hot.base import Hint, OptOut
from todoke.store.hot.hints import MOST_NUMBERS, decode, encode
from todoke.store.store import Store, open_store

phones = st.integers(1, 999_999_999_999_999)
hints = st.builds(
    Hint,
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 1 << 40), phones, st.sampled_from(["out", "in"])), max_size=MOST_NUMBERS).map(
        tuple
    ),
    st.booleans(),
)


@given(hints)
def test_a_hint_comes_out_as_it_went_in_and_fits_a_notify(hint: Hint) -> None:
    assert decode(encode(hint)) == hint
    assert len(encode(hint)) < 8_000


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", "[1,[2]]", "[1,[2,3,4,5]]", "hello"])
def test_what_cannot_be_read_means_that_anything_may_have_changed(text: str) -> None:
    assert decode(text) == Hint(work=True, many=True)


class Ear:
    def __init__(self) -> None:
        self.heard: list[Hint] = []

    async def works(self) -> bool:
        return any(hint.work for hint in self.heard)

    async def knows(self, told: tuple[int, int, str]) -> bool:
        return any(told in hint.numbers for hint in self.heard)

    async def many(self) -> bool:
        return any(hint.many for hint in self.heard)


@pytest.fixture
async def ear(store: Store) -> AsyncIterator[Ear]:
    """Listens, and has heard that it may have missed something."""
    one = Ear()
    task = asyncio.create_task(store.hot.hints(one.heard.append))
    await eventually(one.many, "listening begins with a hint that anything may have changed")
    one.heard.clear()
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def out(scene_unit: int, group: int, phone: int, kind: str = "out") -> OptOut:
    return OptOut(3, scene_unit, group, phone, kind, "person", "", None, NOW)


async def test_a_run_that_starts_or_changes_is_heard_of(store: Store, ear: Ear, database_url: str) -> None:
    async with await open_store(database_url) as other:
        scene = await seed(other)
        ear.heard.clear()
        run = await seed_run(other, scene)
        await eventually(ear.works, "the start is heard")
        ear.heard.clear()
        await other.hot.control_run(scene.bucket, run, RunEvent.PAUSE, "", NOW)
        await eventually(ear.works, "the pause is heard")


async def test_an_opt_out_is_heard_with_its_number(store: Store, ear: Ear, database_url: str) -> None:
    async with await open_store(database_url) as other:
        scene = await seed(other)
        await other.hot.apply_opt_outs([out(scene.unit, scene.group, 15551230000)], [])
        await eventually(lambda: ear.knows((scene.group, 15551230000, "out")), "the opt-out is heard")
        await other.hot.apply_opt_outs([out(scene.unit, scene.group, 15551230000, "in")._replace(at=NOW + 1)], [])
        await eventually(lambda: ear.knows((scene.group, 15551230000, "in")), "the opt-in is heard")


async def test_many_opt_outs_are_told_as_many(store: Store, ear: Ear, database_url: str) -> None:
    async with await open_store(database_url) as other:
        scene = await seed(other)
        ear.heard.clear()
        many = [out(scene.unit, scene.group, 15551230000 + i) for i in range(MOST_NUMBERS + 1)]
        await other.hot.apply_opt_outs(many, [])
        await eventually(ear.many, "it is heard that there were many")
    assert not any(hint.numbers for hint in ear.heard)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_listener_whose_connection_is_cut_listens_again(store: Store, ear: Ear, database_url: str) -> None:
    server = await asyncpg.connect(database_url)
    try:
        await server.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    finally:
        await server.close()
    await eventually(ear.many, "it listens again and says that it may have missed something")
    ear.heard.clear()
    async with await open_store(database_url) as other:
        await seed_run(other, await seed(other))
    await eventually(ear.works, "the start is heard")
