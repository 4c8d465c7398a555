"""Adding to the ledger: one record or a million, each a row with its digest."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from todoke.model.clock import Micros
from todoke.model.consent import Record, digest, hash_of
from todoke.store.catalogue.units import Unit
from todoke.store.postgres import LOST, unavailable
from todoke.store.store import Store

BATCH = 5_000  # records in a transaction
_BATCH_SQLITE = 500  # some 10 ms of its one writer

COLUMNS = ("bucket", "business_unit_id", *Record._fields, "recorded_at", "digest")

# What is there already of the same numbers: an import that is repeated adds nothing twice.
_THERE_SQLITE = """
    SELECT c.digest FROM json_each(?) AS k CROSS JOIN consent c ON c.bucket = ? AND c.phone = k.value
    WHERE c.business_unit_id = ?
"""
_THERE_POSTGRES = """
    SELECT digest FROM consent WHERE bucket = $2 AND phone = ANY ($1::bigint[]) AND business_unit_id = $3
"""
# Many rows a statement, as for contacts: `executemany` gives the interpreter away at every row.
_SIZES = (100, 10, 1)
_MARKS = f"({', '.join('?' * len(COLUMNS))})"
_INSERTS_SQLITE = {
    size: f"INSERT INTO consent ({', '.join(COLUMNS)}) VALUES {', '.join([_MARKS] * size)}"  # noqa: S608  # our names
    for size in _SIZES
}
_TEXT_SQLITE = """
    INSERT INTO disclosure (bucket, business_unit_id, hash, text, first_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_TEXT_POSTGRES = """
    INSERT INTO disclosure (bucket, business_unit_id, hash, text, first_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""

_Row = tuple[Any, ...]
_hash_of = lru_cache(1024)(hash_of)  # a file's records mostly share their few disclosures


async def add(store: Store, unit: Unit, records: Sequence[Record], now: Micros) -> int:
    """Append them, in transactions of at most `BATCH`; returns how many were not in the ledger already, to the letter.

    StoreUnavailable; what was committed before stays, and adding all of them again is safe.
    """
    added = 0
    append, size = (_sqlite, _BATCH_SQLITE) if store.address.path else (_postgres, BATCH)
    for start in range(0, len(records), size):
        texts, rows = _rows(unit, records[start : start + size], now)
        added += await append(store, unit, texts, rows)
    return added


def _rows(unit: Unit, records: Sequence[Record], now: Micros) -> tuple[list[_Row], dict[str, _Row]]:
    """Rows of `disclosure`, and of `consent` by digest."""
    texts: dict[str, str] = {}
    rows: dict[str, _Row] = {}
    for record in records:
        hashed = _hash_of(record.disclosure)
        if hashed:
            texts[hashed] = record.disclosure
        name = digest(unit.id, record, hashed)
        kind = None if record.kind is None else int(record.kind)
        kept = record._replace(disclosure=hashed, act=record.act.value, kind=kind)  # pyright: ignore[reportArgumentType]
        rows[name] = (unit.bucket, unit.id, *kept, now, name)
    return [(unit.bucket, unit.id, hashed, text, now) for hashed, text in texts.items()], rows


async def _sqlite(store: Store, unit: Unit, texts: list[_Row], rows: dict[str, _Row]) -> int:
    def work(db: sqlite3.Connection) -> int:
        phones = json.dumps(sorted({row[2] for row in rows.values()}))
        there = {row[0] for row in db.execute(_THERE_SQLITE, (phones, unit.bucket, unit.id))}
        db.executemany(_TEXT_SQLITE, texts)
        fresh = [row for name, row in rows.items() if name not in there]
        start = 0
        for size in _SIZES:
            while len(fresh) - start >= size:
                db.execute(_INSERTS_SQLITE[size], list(chain.from_iterable(fresh[start : start + size])))
                start += size
        return len(fresh)

    return await store.writer.run(work)


async def _postgres(store: Store, unit: Unit, texts: list[_Row], rows: dict[str, _Row]) -> int:
    try:
        async with store.pool.acquire() as connection, connection.transaction():
            phones = sorted({row[2] for row in rows.values()})
            found = await connection.fetch(_THERE_POSTGRES, phones, unit.bucket, unit.id)
            there = {row[0] for row in found}
            for text in texts:
                await connection.execute(_TEXT_POSTGRES, *text)
            fresh = [row for name, row in rows.items() if name not in there]
            await connection.copy_records_to_table("consent", records=fresh, columns=COLUMNS)
            return len(fresh)
    except LOST as error:
        raise unavailable(error, store.address) or error from error
