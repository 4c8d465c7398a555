"""Finding a number or an external id on a list by its keys, on both databases."""

from __future__ import annotations

import random
from collections import defaultdict

import polars as pl
import pytest
from sqlalchemy import func, select
from tests.factories import NOW, seed_unit

from todoke.store.catalogue import units
from todoke.store.lists import keys, lists
from todoke.store.lists.base import Finished, OpenImport, TakenOver
from todoke.store.lists.keys import CHUNK, Kind
from todoke.store.schema import list_key
from todoke.store.store import Store

Pairs = list[tuple[int, int]]


async def begin(store: Store, name: str = "list") -> OpenImport:
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    return await lists.begin(
        store, unit, name, fields=["A"], source="a.csv", importer="me", alive=lambda _: True, now=NOW
    )


def frame(pairs: Pairs) -> pl.DataFrame:
    return pl.DataFrame(sorted(pairs), schema=keys.SCHEMA, orient="row")


async def append(store: Store, opened: OpenImport, kind: Kind, pairs: Pairs) -> None:
    async with store.writing() as connection:
        await keys.append(connection, opened.bucket, opened.list_id, kind, frame(pairs))


async def found(store: Store, opened: OpenImport, kind: Kind, wanted: list[int]) -> dict[int, list[int]]:
    return await keys.find(store, opened.bucket, opened.list_id, kind, wanted)


async def test_keys_are_found_where_they_are_and_nowhere_else(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    pairs = [(81_90_0000_0000 + 2 * n, n) for n in range(3 * CHUNK + 17)]
    await keys.write(store, opened, Kind.PHONE, frame(pairs))
    wanted = [pairs[n] for n in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len(pairs) - 1)]

    assert await found(store, opened, Kind.PHONE, [key for key, _ in wanted]) == {key: [at] for key, at in wanted}
    assert await found(store, opened, Kind.PHONE, [key + 1 for key, _ in wanted] + [0, -5]) == {}
    assert await found(store, opened, Kind.PHONE, [key for key, _ in pairs]) == {key: [at] for key, at in pairs}
    assert await found(store, opened, Kind.EXTERNAL, [pairs[0][0]]) == {}
    assert await found(store, opened, Kind.PHONE, []) == {}


@pytest.mark.parametrize("before", [0, CHUNK - 2, CHUNK, 2 * CHUNK - 1])
async def test_a_key_that_stands_often_is_found_at_every_place(store: Store, before: int) -> None:
    """Over the borders of chunks too: as many as a chunk holds, and more than two of them hold."""
    await seed_unit(store)
    opened = await begin(store)
    often = 2 * CHUNK + 5
    pairs = [(-9 - n, n) for n in range(before)] + [(7, before + n) for n in range(often)] + [(8, before + often)]
    await keys.write(store, opened, Kind.EXTERNAL, frame(pairs))

    assert await found(store, opened, Kind.EXTERNAL, [7]) == {7: [before + n for n in range(often)]}
    assert await found(store, opened, Kind.EXTERNAL, [8, 9]) == {8: [before + often]}
    many = [*range(-9 - before, 0), 7, 8]
    assert len(await found(store, opened, Kind.EXTERNAL, many)) == before + 2


@pytest.mark.parametrize("seed", [1, 3])
async def test_what_is_appended_is_found_with_the_rest(store: Store, seed: int) -> None:
    """Any sizes, any keys, also the same ones again."""
    await seed_unit(store)
    opened = await begin(store)
    choose = random.Random(seed)
    told: dict[int, list[int]] = defaultdict(list)
    imported = [(choose.randrange(-5000, 5000), n) for n in range([0, 20_000][seed % 4 == 3])]
    await keys.write(store, opened, Kind.EXTERNAL, frame(imported))
    position, rounds = len(imported), 25
    for key, at in imported:
        told[key].append(at)
    for _ in range(rounds):
        size = choose.choice([1, 1, 1, 2, 50, 3000, CHUNK + 1 if seed == 3 else 1])
        pairs = [(choose.randrange(-6000, 6000), position + n) for n in range(size)]
        await append(store, opened, Kind.EXTERNAL, pairs)
        position += size
        for key, at in pairs:
            told[key].append(at)

    everything = await found(store, opened, Kind.EXTERNAL, list(range(-6000, 6000)))
    assert everything == {key: sorted(at) for key, at in told.items()}
    for key in choose.sample(range(-6000, 6000), 20):
        assert (await found(store, opened, Kind.EXTERNAL, [key])).get(key, []) == sorted(told.get(key, []))
    assert (await keys.read(store, opened.bucket, opened.list_id, Kind.EXTERNAL)).height == position


async def test_one_by_one_levels_stay_few(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    for n in range(70):
        await append(store, opened, Kind.PHONE, [(n * 7 % 70, n)])
    async with store.reading() as connection:
        levels = await connection.scalar(select(func.count()).select_from(list_key))
    assert levels is not None
    assert levels <= 8


async def test_a_list_without_rows_has_no_keys(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    await keys.write(store, opened, Kind.PHONE, frame([]))
    await append(store, opened, Kind.PHONE, [])

    assert await found(store, opened, Kind.PHONE, [1]) == {}
    assert (await keys.read(store, opened.bucket, opened.list_id, Kind.PHONE)).is_empty()
    assert [one async for one in keys.chunks(store, opened.bucket, opened.list_id, Kind.PHONE)] == []


async def test_frames_may_come_in_pieces_and_all_come_back_in_order(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    pairs = [(n // 3, n) for n in range(4 * CHUNK)]
    pieces = [frame(pairs[start : start + 5000]) for start in range(0, len(pairs), 5000)]
    await keys.write(store, opened, Kind.PHONE, iter([*pieces, frame([])]))

    assert (await keys.read(store, opened.bucket, opened.list_id, Kind.PHONE)).rows() == pairs
    back = [one async for one in keys.chunks(store, opened.bucket, opened.list_id, Kind.PHONE)]
    assert pl.concat(back).rows() == pairs


async def test_keys_out_of_order_are_refused(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    with pytest.raises(ValueError, match="sorted"):
        await keys.write(store, opened, Kind.PHONE, frame([(1, 0), (2, 1)]).reverse())
    with pytest.raises(ValueError, match="sorted"):
        await keys.write(store, opened, Kind.PHONE, [frame([(5, 0)]), frame([(4, 1)])])


async def test_two_lists_know_nothing_of_each_other(store: Store) -> None:
    await seed_unit(store)
    one, other = await begin(store, "one"), await begin(store, "other")
    await keys.write(store, one, Kind.PHONE, frame([(n, n) for n in range(2 * CHUNK)]))
    await keys.write(store, other, Kind.PHONE, frame([(5, 0)]))
    await append(store, other, Kind.PHONE, [(6, 1)])

    assert await found(store, other, Kind.PHONE, [4, 5, 6]) == {5: [0], 6: [1]}
    await keys.remove(store, one.bucket, one.list_id)
    assert await found(store, one, Kind.PHONE, [4, 5, 6]) == {}
    assert await found(store, other, Kind.PHONE, [5]) == {5: [0]}


async def test_writing_again_begins_anew(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    await keys.write(store, opened, Kind.PHONE, frame([(n, n) for n in range(2 * CHUNK)]))
    await keys.write(store, opened, Kind.PHONE, frame([(3, 9)]))

    assert (await keys.read(store, opened.bucket, opened.list_id, Kind.PHONE)).rows() == [(3, 9)]


async def test_only_the_import_of_the_list_writes_its_keys(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    with pytest.raises(TakenOver):
        await keys.write(store, opened._replace(importer="another"), Kind.PHONE, frame([(3, 9)]))
    await lists.finish(store, opened, Finished([["Asia/Tokyo"]], [(0, 0, 0)], 1, 0, {}), NOW)
    with pytest.raises(TakenOver):
        await keys.write(store, opened, Kind.PHONE, frame([(3, 9)]))


async def test_an_abandoned_list_leaves_no_keys(store: Store) -> None:
    await seed_unit(store)
    opened = await begin(store)
    await keys.write(store, opened, Kind.PHONE, frame([(n, n) for n in range(70 * 3)]))
    await lists.abandon(store, opened)

    async with store.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(list_key)) == 0
