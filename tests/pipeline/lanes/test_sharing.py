"""Who has which bind groups: everybody works out the same, and it comes to rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.lanes.sharing import divide
from todoke.store.hot.base import BindGroup

rates = st.sampled_from([0.5, 1.0, 5.0, 100.0, 1000.0])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[BindGroup], list[int]]:
    engines = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    owners = st.one_of(st.none(), st.integers(1, 12))  # some of engines that are dead
    groups = [BindGroup(i, draw(owners), draw(rates)) for i in range(draw(st.integers(0, 12)))]
    return groups, engines


def settle(groups: list[BindGroup], engines: list[int]) -> tuple[list[BindGroup], int]:
    """Every engine acts on the same look, again and again; the groups at rest, and after how many looks."""
    for looks in range(1, 100):
        after = {group.provider_id: group for group in groups}
        taken: set[int] = set()
        for engine in engines:
            division = divide(groups, engines, engine)
            assert not taken & set(division.take), "two engines take the same group"
            taken.update(division.take)
            for provider in division.take:
                after[provider] = after[provider]._replace(owner=engine)
            for provider in division.leave:
                assert after[provider].owner == engine
                after[provider] = after[provider]._replace(owner=None)
        if list(after.values()) == groups:
            return groups, looks
        groups = list(after.values())
    raise AssertionError("it never comes to rest")


@given(worlds())
def test_everything_is_had_by_somebody_alive_and_it_comes_to_rest(world: tuple[list[BindGroup], list[int]]) -> None:
    groups, engines = world
    groups, _ = settle(groups, engines)
    assert all(group.owner in engines for group in groups)


@given(worlds())
def test_nobody_is_idle_where_somebody_has_two_that_could_be_parted(world: tuple[list[BindGroup], list[int]]) -> None:
    groups, engines = world
    groups, _ = settle(groups, engines)
    held = {engine: [g.rate for g in groups if g.owner == engine] for engine in engines}
    if any(not of for of in held.values()):
        # What an engine with several could give away must not be worth it: never with equal rates.
        assert all(len(of) < 2 or len(set(of)) > 1 for of in held.values())


@given(st.integers(0, 30), st.integers(1, 6))
def test_equal_groups_are_shared_evenly(groups: int, engines: int) -> None:
    ids = list(range(1, engines + 1))
    at_rest, _ = settle([BindGroup(i, 1, 10.0) for i in range(groups)], ids)
    counts = [sum(g.owner == engine for g in at_rest) for engine in ids]
    assert max(counts) - min(counts) <= 1


def test_nothing_is_left_while_something_is_free() -> None:
    groups = [BindGroup(1, 1, 5.0), BindGroup(2, 1, 5.0), BindGroup(3, None, 5.0)]
    assert divide(groups, [1, 2], 1) == ([], [])
    assert divide(groups, [1, 2], 2) == ([3], [])


def test_a_heavy_group_is_not_given_away_for_nothing() -> None:
    groups = [BindGroup(1, 1, 1000.0), BindGroup(2, 2, 5.0)]
    assert divide(groups, [1, 2], 1) == divide(groups, [1, 2], 2) == ([], [])
