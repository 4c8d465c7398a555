"""The keys of a list that has none: an earlier version imported it, or an import that writes none."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import polars as pl
from sqlalchemy import Update, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from todoke.model.errors import Conflict
from todoke.store.lists import keys
from todoke.store.lists.key_hash import external_keys
from todoke.store.lists.keys import Kind
from todoke.store.schema import calling_list, contact, list_key
from todoke.store.store import Store

_PIECE = 20_000  # contacts
_AT_ONCE = 100_000  # keys that are written in one transaction
_list, _contact, _key = calling_list.c, contact.c, list_key.c


async def ensure(store: Store, bucket: int, list_id: int) -> None:
    """Make the list's keys, once. It takes 24 bytes a contact. Conflict where another process makes them now."""
    async with store.reading() as connection:
        if await connection.scalar(select(_list.keyed).where(_list.id == list_id, _list.bucket == bucket)):
            return
    frames = await _read(store, bucket, list_id)
    if all(frame.height <= _AT_ONCE for frame in frames.values()):
        await _small(store, bucket, list_id, frames)
    else:
        await _large(store, bucket, list_id, frames)


async def _small(store: Store, bucket: int, list_id: int, frames: dict[Kind, pl.DataFrame]) -> None:
    """In one transaction: who comes second finds them made."""
    async with store.writing() as connection:
        query = select(_list.keyed).where(_list.id == list_id, _list.bucket == bucket).with_for_update()
        if await connection.scalar(query):
            return
        await connection.execute(delete(list_key).where(_key.bucket == bucket, _key.list_id == list_id))
        for kind, frame in frames.items():
            await keys.append(connection, bucket, list_id, kind, frame, level=0)
        await connection.execute(_made(bucket, list_id))


async def _large(store: Store, bucket: int, list_id: int, frames: dict[Kind, pl.DataFrame]) -> None:
    unkeyed = select(_list.id).where(_list.id == list_id, _list.bucket == bucket, _list.keyed.is_(False))
    try:
        counts = {
            kind: await keys.rewrite(store, bucket, list_id, kind, frame, unkeyed) for kind, frame in frames.items()
        }
    except (keys.TakenOver, IntegrityError) as error:
        raise _busy() from error
    async with store.writing() as connection:
        await connection.execute(select(_list.id).where(_list.id == list_id).with_for_update())
        for kind, count in counts.items():
            there = select(func.count()).where(_key.bucket == bucket, _key.list_id == list_id, _key.kind == kind)
            if await connection.scalar(there) != count:
                raise _busy()
        await connection.execute(_made(bucket, list_id))


def _made(bucket: int, list_id: int) -> Update:
    return update(calling_list).where(_list.id == list_id, _list.bucket == bucket).values(keyed=True)


async def _read(store: Store, bucket: int, list_id: int) -> dict[Kind, pl.DataFrame]:
    phones, externals = [keys.SCHEMA.to_frame()], [keys.SCHEMA.to_frame()]
    last = -1
    while True:
        async with store.reading() as connection:
            rows = (
                await connection.execute(
                    select(_contact.position, _contact.destination, _contact.external_id)
                    .where(_contact.bucket == bucket, _contact.list_id == list_id, _contact.position > last)
                    .order_by(_contact.position)
                    .limit(_PIECE)
                )
            ).all()
        if not rows:
            break
        last = rows[-1][0]
        positions = pl.Series("position", [row[0] for row in rows], dtype=pl.UInt32)
        numbers = pl.Series("key", [row[1] for row in rows], dtype=pl.Int64)
        phones.append(pl.DataFrame([numbers, positions]).filter(pl.col("key") != 0))
        ids = external_keys(pl.Series([row[2] for row in rows], dtype=pl.String))
        externals.append(pl.DataFrame([ids.alias("key"), positions]))
    return {
        Kind.PHONE: pl.concat(phones).sort("key", "position"),
        Kind.EXTERNAL: pl.concat(externals).sort("key", "position"),
    }


def _busy() -> Conflict:
    return Conflict("The keys of the list are being made by another process.", fix="Try again in a minute.")
