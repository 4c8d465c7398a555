"""A key that is forgotten leaves no trace, and the others are found as before."""

from __future__ import annotations

import polars as pl
from sqlalchemy import insert, or_, select
from tests.factories import seed_list, seed_unit

from todoke.store.lists import keys
from todoke.store.lists.keys import CHUNK, Kind
from todoke.store.schema import list_key
from todoke.store.store import Store

BUCKET = 3


async def test_a_key_in_several_chunks_and_levels(store: Store) -> None:
    unit = await seed_unit(store)
    list_id = await seed_list(store, unit, n=0)
    often, n = 500, 2 * CHUNK
    pairs = sorted([(1000 + k, k) for k in range(n)] + [(1000 + CHUNK - 1, n + k) for k in range(often)])
    async with store.writing() as connection:
        rows = keys._rows(BUCKET, list_id, Kind.PHONE, 0, pl.DataFrame(pairs, schema=keys.SCHEMA, orient="row"))
        await connection.execute(insert(list_key), list(rows))
        later = pl.DataFrame({"key": [1000 + CHUNK - 1, 7], "position": [99_999, 99_998]})
        await keys.append(connection, BUCKET, list_id, Kind.PHONE, later)
    key = 1000 + CHUNK - 1
    found = await keys.find(store, BUCKET, list_id, Kind.PHONE, [key])
    positions = found[key]
    assert len(positions) == often + 2
    async with store.writing() as connection:
        assert await keys.forget(connection, BUCKET, list_id, Kind.PHONE, key, positions[:-1]) == often + 1
    assert await keys.find(store, BUCKET, list_id, Kind.PHONE, [key]) == {key: positions[-1:]}
    async with store.writing() as connection:
        assert await keys.forget(connection, BUCKET, list_id, Kind.PHONE, key, positions) == 1
        assert await keys.forget(connection, BUCKET, list_id, Kind.PHONE, key, positions) == 0
    left = await keys.read(store, BUCKET, list_id, Kind.PHONE)
    assert left.get_column("key").to_list() == [7] + [1000 + k for k in range(n) if k != CHUNK - 1]
    async with store.reading() as connection:
        c = list_key.c
        bounds = await connection.execute(select(c.first).where(or_(c.first == key, c.last == key)))
        assert bounds.all() == []
    everyone = [1000 + k for k in range(n) if k != CHUNK - 1]
    assert len(await keys.find(store, BUCKET, list_id, Kind.PHONE, everyone)) == n - 1
    assert await keys.find(store, BUCKET, list_id, Kind.PHONE, everyone[:2] + everyone[-1:]) == {
        k: [k - 1000] for k in everyone[:2] + everyone[-1:]
    }
