"""Where on a list a number or an external id is: its keys, sorted, in chunks.

The key of a number is the number; that of an external id is `key_hash.external_key`, which two ids may share. A key
may stand at several positions. Level 0 is what an import wrote; what is appended later stands in levels of its own,
which are merged while they fit into a chunk.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import polars as pl  # its types mention numpy, which is not here
from sqlalchemy import Select, and_, delete, func, insert, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.lists.base import OpenImport, TakenOver
from todoke.store.schema import calling_list, list_key
from todoke.store.store import Store

CHUNK = 8192  # keys
_TOGETHER = 16  # chunks in a transaction, some milliseconds on SQLite
_SINGLY = 16  # so many keys are looked for one by one; for more of them the list of chunks is read first
SCHEMA = pl.Schema({"key": pl.Int64(), "position": pl.UInt32()})

_key = list_key.c


class Kind(StrEnum):
    """What is looked for."""

    PHONE = "phone"
    EXTERNAL = "external"


class _Chunk(NamedTuple):
    level: int
    first: int
    chunk: int
    last: int


async def write(store: Store, opened: OpenImport, kind: Kind, frames: pl.DataFrame | Iterable[pl.DataFrame]) -> None:
    """Write the keys of a list that is being imported, in place of those that it has.

    Frames have the columns `key` and `position`, sorted by key, each going on where the last one ended: ValueError
    where they do not. They are taken in a thread. `TakenOver` where the list is not this import's any more.
    """
    mine = select(calling_list.c.id).where(
        calling_list.c.id == opened.list_id,
        calling_list.c.state == "importing",
        calling_list.c.importer == opened.importer,
    )
    await rewrite(store, opened.bucket, opened.list_id, kind, frames, mine)


async def rewrite(
    store: Store,
    bucket: int,
    list_id: int,
    kind: Kind,
    frames: pl.DataFrame | Iterable[pl.DataFrame],
    mine: Select[Any],
) -> int:
    """The same, while `mine` finds a row, which is held in each transaction; else `TakenOver`. Returns the chunks."""
    await _remove(store, bucket, list_id, kind)
    rows = _rows(bucket, list_id, kind, 0, frames)
    count = 0
    while piece := await asyncio.to_thread(lambda: list(islice(rows, _TOGETHER))):
        async with store.writing() as connection:
            if await connection.scalar(mine.with_for_update(read=True)) is None:
                raise TakenOver
            await connection.execute(insert(list_key), piece)
        count += len(piece)
    return count


async def append(
    connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, frame: pl.DataFrame, *, level: int | None = None
) -> None:
    """Add keys to a list in the caller's transaction, which holds the list's row; `frame` in any order.

    At most a chunk of them is merged, so this stays short for a few; for many it takes as long as they do. `level`:
    just there, where the list has none yet.
    """
    added = frame.select(pl.col("key").cast(pl.Int64), pl.col("position").cast(pl.UInt32))
    if added.is_empty():
        return
    of_list = (_key.bucket == bucket, _key.list_id == list_id, _key.kind == kind)
    if level is not None:
        await connection.execute(
            insert(list_key), list(_rows(bucket, list_id, kind, level, added.sort("key", "position")))
        )
        return
    top = await connection.scalar(select(func.max(_key.level)).where(*of_list)) or 0
    # Levels of about the same size are merged, so that there are few of them: as the carries of a binary number.
    while top and added.height < CHUNK:
        of_level = (*of_list, _key.level == top)
        if len((await connection.execute(select(_key.chunk).where(*of_level).limit(2))).all()) > 1:
            break
        data = await connection.scalar(select(_key["keys"]).where(*of_level))
        assert data is not None
        others = _decoded(data)
        if others.height > 2 * added.height or others.height + added.height > CHUNK:
            break
        added = pl.concat([others, added])
        await connection.execute(delete(list_key).where(*of_level))
        top -= 1
    rows = list(_rows(bucket, list_id, kind, top + 1, added.sort("key", "position")))
    await connection.execute(insert(list_key), rows)


async def find(store: Store, bucket: int, list_id: int, kind: Kind, keys: Iterable[int]) -> dict[int, list[int]]:
    """The positions of each of these keys that the list has, in ascending order; the others are not in the answer."""
    async with store.reading() as connection:
        return await find_in(connection, bucket, list_id, kind, keys)


async def find_in(
    connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, keys: Iterable[int]
) -> dict[int, list[int]]:
    """The same in a transaction that is open."""
    wanted = sorted(set(keys))
    found: dict[int, list[int]] = {}
    if not wanted:
        return found
    sought = pl.DataFrame({"key": pl.Series(wanted, dtype=pl.Int64)})
    chunks = await _candidates(connection, bucket, list_id, kind, wanted)
    for start in range(0, len(chunks), _TOGETHER):
        for frame in await _load(connection, bucket, list_id, kind, chunks[start : start + _TOGETHER]):
            for key, position in frame.join(sought, on="key", how="semi").iter_rows():
                found.setdefault(key, []).append(position)
    for positions in found.values():
        positions.sort()
    return found


async def chunks(store: Store, bucket: int, list_id: int, kind: Kind) -> AsyncGenerator[pl.DataFrame]:
    """All keys of the list, some chunks a frame: each level in the order of its keys, one level after the other.

    No snapshot is held: what is appended meanwhile may be in it or not, or, where levels are merged, twice.
    """
    async with store.reading() as connection:
        index = await _index(connection, bucket, list_id, kind)
    for start in range(0, len(index), _TOGETHER):
        async with store.reading() as connection:
            loaded = await _load(connection, bucket, list_id, kind, index[start : start + _TOGETHER])
        if loaded:
            yield pl.concat(loaded)


async def matches(store: Store, bucket: int, of_list: int, on_list: int, kind: Kind) -> pl.DataFrame:
    """Which contacts of one list have a key that the other has: `position` on the one, `other` on the other, sorted."""
    found = [pl.DataFrame(schema={"position": pl.UInt32, "other": pl.UInt32})]
    async for frame in chunks(store, bucket, of_list, kind):
        async with store.reading() as connection:
            wanted = frame.get_column("key").unique().sort().to_list()
            candidates = await _candidates(connection, bucket, on_list, kind, wanted)
            for start in range(0, len(candidates), _TOGETHER):
                for loaded in await _load(connection, bucket, on_list, kind, candidates[start : start + _TOGETHER]):
                    other = loaded.rename({"position": "other"})
                    found.append(frame.join(other, on="key").select("position", "other"))
    return pl.concat(found).unique().sort("position", "other")


async def read(store: Store, bucket: int, list_id: int, kind: Kind) -> pl.DataFrame:
    """All keys of the list, sorted, at one moment: 12 bytes each."""
    async with store.reading() as connection:
        index = await _index(connection, bucket, list_id, kind)
        frames = [SCHEMA.to_frame()]
        for start in range(0, len(index), _TOGETHER):
            frames += await _load(connection, bucket, list_id, kind, index[start : start + _TOGETHER])
    return await asyncio.to_thread(lambda: pl.concat(frames).sort("key", "position"))


async def remove(store: Store, bucket: int, list_id: int) -> None:
    """Remove the keys of a list, in short transactions. May be called again."""
    for kind in Kind:
        await _remove(store, bucket, list_id, kind)


def _rows(
    bucket: int, list_id: int, kind: Kind, level: int, frames: pl.DataFrame | Iterable[pl.DataFrame]
) -> Iterator[dict[str, object]]:
    for number, frame in enumerate(_cut([frames] if isinstance(frames, pl.DataFrame) else frames)):
        keys = frame.get_column("key")
        yield {
            "bucket": bucket,
            "list_id": list_id,
            "kind": kind,
            "level": level,
            "first": keys[0],
            "chunk": number,
            "last": keys[-1],
            "keys": _encoded(frame),
        }


def _cut(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """In chunks of one size; what is left of a frame goes with the next one."""
    left = SCHEMA.to_frame()
    end: int | None = None
    for frame in frames:
        if frame.is_empty():
            continue
        keys = frame.get_column("key")
        if not keys.is_sorted() or (end is not None and keys[0] < end):
            raise ValueError("the keys of a list must be sorted")
        end = keys[-1]
        left = pl.concat([left, frame.select(pl.col("key").cast(pl.Int64), pl.col("position").cast(pl.UInt32))])
        whole = left.height - left.height % CHUNK
        for start in range(0, whole, CHUNK):
            yield left.slice(start, CHUNK)
        left = left.slice(whole)
    if not left.is_empty():
        yield left


def _encoded(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.sort("key", "position").rechunk().write_ipc(out, compression="zstd")
    return out.getvalue()


def _decoded(data: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(data))


async def _candidates(
    connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, wanted: Sequence[int]
) -> list[_Chunk]:
    """The chunks that may hold one of the keys."""
    if len(wanted) > _SINGLY:
        index = await _index(connection, bucket, list_id, kind, wanted[0], wanted[-1])
        sought = pl.Series(wanted, dtype=pl.Int64)
        # How many keys are before the chunk and before its end: where the two differ, one is in it.
        firsts = sought.search_sorted(pl.Series([c.first for c in index], dtype=pl.Int64), side="left")
        lasts = sought.search_sorted(pl.Series([c.last for c in index], dtype=pl.Int64), side="right")
        return [chunk for chunk, here in zip(index, (firsts < lasts).to_list(), strict=True) if here]
    found: dict[_Chunk, None] = {}
    for key in wanted:
        for row in await _holding(connection, bucket, list_id, kind, key):
            found[row] = None
    return sorted(found)


async def _holding(connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, key: int) -> list[_Chunk]:
    columns = select(_key.level, _key.first, _key.chunk, _key.last).where(
        _key.bucket == bucket, _key.list_id == list_id, _key.kind == kind
    )
    # In one level chunks meet in one key at most. So the last chunk that begins before the key may have it, and those
    # that begin with it.
    before = columns.where(_key.level == 0, _key.first < key).order_by(_key.first.desc(), _key.chunk.desc()).limit(1)
    there = columns.where(
        or_(and_(_key.level == 0, _key.first == key), and_(_key.level > 0, _key.first <= key, _key.last >= key))
    )
    rows = [*(await connection.execute(before)), *(await connection.execute(there))]
    return [_Chunk(*row) for row in rows if row.last >= key]


async def _index(
    connection: AsyncConnection,
    bucket: int,
    list_id: int,
    kind: Kind,
    least: int | None = None,
    greatest: int | None = None,
) -> list[_Chunk]:
    query = select(_key.level, _key.first, _key.chunk, _key.last).where(
        _key.bucket == bucket, _key.list_id == list_id, _key.kind == kind
    )
    if least is not None:
        query = query.where(_key.last >= least, _key.first <= greatest)
    rows = await connection.execute(query.order_by(_key.level, _key.first, _key.chunk))
    return [_Chunk(*row) for row in rows]


async def _load(
    connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, chunks: Sequence[_Chunk]
) -> list[pl.DataFrame]:
    frames: list[pl.DataFrame] = []
    for chunk in chunks:
        data = await connection.scalar(
            select(_key["keys"]).where(
                _key.bucket == bucket,
                _key.list_id == list_id,
                _key.kind == kind,
                _key.level == chunk.level,
                _key.first == chunk.first,
                _key.chunk == chunk.chunk,
            )
        )
        if data is not None:
            frames.append(_decoded(data))
    return frames


async def _remove(store: Store, bucket: int, list_id: int, kind: Kind) -> None:
    of_list = (_key.bucket == bucket, _key.list_id == list_id, _key.kind == kind)
    while True:
        async with store.writing() as connection:
            piece = select(_key.level, _key.first, _key.chunk).where(*of_list)
            rows = (await connection.execute(piece.order_by(_key.level, _key.first, _key.chunk).limit(64))).all()
            if not rows:
                return
            upto = tuple_(*(literal(value) for value in rows[-1]))
            await connection.execute(
                delete(list_key).where(*of_list, tuple_(_key.level, _key.first, _key.chunk) <= upto)
            )


async def forget(
    connection: AsyncConnection, bucket: int, list_id: int, kind: Kind, key: int, positions: Sequence[int]
) -> int:
    """Take a key of these positions out of a list, in the caller's transaction; returns how many there were. No trace
    of it is left, also not as the bound of a chunk.
    """
    count = 0
    for chunk in await _candidates(connection, bucket, list_id, kind, [key]):
        for frame in await _load(connection, bucket, list_id, kind, [chunk]):
            kept = frame.filter(~((pl.col("key") == key) & pl.col("position").is_in(list(positions))))
            if kept.height == frame.height:
                continue
            count += frame.height - kept.height
            await connection.execute(
                delete(list_key).where(
                    _key.bucket == bucket,
                    _key.list_id == list_id,
                    _key.kind == kind,
                    _key.level == chunk.level,
                    _key.first == chunk.first,
                    _key.chunk == chunk.chunk,
                )
            )
            for row in _rows(bucket, list_id, kind, chunk.level, kept):
                await connection.execute(insert(list_key).values({**row, "chunk": chunk.chunk}))
    return count
