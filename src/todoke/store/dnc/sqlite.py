"""DNC entries in bulk on SQLite: on the one writer thread, in transactions so short that no lane misses its slots."""

from __future__ import annotations

import time
from collections.abc import Sequence
from sqlite3 import Connection

import msgspec

from todoke.model.clock import Micros
from todoke.model.dnc import HELD
from todoke.store.dnc.base import EntryOut, Swept, Upload, UsesSwept, Written
from todoke.store.dnc.numbers import Numbers
from todoke.store.hot.sqlite.dnc import HOLDS, MOMENT
from todoke.store.resting import is_sending, rest
from todoke.store.writer import Reader, Writer

# Nobody else writes while a transaction of an import lasts.
TARGET = 0.006  # seconds; what the last piece and the commit take comes on top
_PIECE = 256  # numbers between two looks at the clock: one that holds longer from now on costs ten times a new one

# One statement a piece: a statement a row gives the interpreter away each time.
_ADD = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at, upload_id)
    SELECT ?1, ?2, k.value, 'upload', ?3, ?4, ?5 FROM json_each(?6) AS k WHERE true
    ON CONFLICT DO NOTHING
"""
_ADD_MIXED = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at, upload_id)
    SELECT ?1, ?2, json_extract(k.value, '$[0]'), 'upload', ?3, json_extract(k.value, '$[1]'), ?4
    FROM json_each(?5) AS k WHERE true
    ON CONFLICT DO NOTHING
"""

# Of these numbers the entries that do not hold for good; a mere hold gives way to a lasting entry.
_TEMPORARY = f"""
    SELECT d.phone, d.source, d.created_at, d.expires_at, d.upload_id, d.expires_at <= {MOMENT}
    FROM json_each(?1) AS k
    CROSS JOIN dnc_entry d ON d.bucket = ?2 AND d.dnc_group_id = ?3 AND d.phone = k.value
    WHERE d.expires_at IS NOT NULL OR d.source = '{HELD}'
"""

_REMOVE = "DELETE FROM dnc_entry WHERE bucket = ? AND dnc_group_id = ? AND phone = ?"

_EXTEND = """
    UPDATE dnc_entry SET expires_at = ?, source = 'upload', upload_id = ?
    WHERE bucket = ? AND dnc_group_id = ? AND phone = ?
"""

_EXTENDED = """
    INSERT INTO dnc_change (bucket, business_unit_id, dnc_group_id, phone, change, source, who, reason, upload_id,
                            count, since, old_upload_id, old_expires_at, expires_at, at)
    VALUES (?, ?, ?, ?, 'extended', 'upload', ?, ?, ?, 1, ?, ?, ?, ?, ?)
"""

_EXPIRED = """
    INSERT INTO dnc_change (bucket, business_unit_id, dnc_group_id, phone, change, source, who, reason, count, since,
                            old_upload_id, old_expires_at, at)
    VALUES (?, ?, ?, ?, 'expired', ?, '', '', 1, ?, ?, ?, ?)
"""

_PAGE = f"""
    SELECT d.phone, d.source, d.created_at, d.expires_at FROM dnc_entry d
    WHERE d.bucket = ? AND d.dnc_group_id = ? AND d.phone > ? AND {HOLDS} ORDER BY d.phone LIMIT ?
"""

_OVER = f"""
    SELECT d.bucket, g.business_unit_id, d.dnc_group_id, d.phone, d.source, d.created_at, d.upload_id, d.expires_at
    FROM (SELECT DISTINCT bucket FROM business_unit) b
    CROSS JOIN dnc_entry d INDEXED BY ix_dnc_entry_expires_at
      ON d.bucket = b.bucket AND d.expires_at IS NOT NULL AND d.expires_at <= {MOMENT}
    JOIN dnc_group g ON g.id = d.dnc_group_id
    LIMIT ?
"""

_WALK = """
    SELECT u.bucket, u.business_unit_id, u.phone, u.message_id,
           u.at < ?6 OR (r.state IN ('finished', 'stopped', 'expired') AND NOT EXISTS (
               SELECT 1 FROM event e WHERE e.bucket = u.bucket AND e.message_id = u.message_id
                AND e.kind IN (20, 30, 40, 60)))
    FROM (SELECT * FROM cap_use WHERE (bucket, business_unit_id, phone, message_id) > (?1, ?2, ?3, ?4)
          ORDER BY bucket, business_unit_id, phone, message_id LIMIT ?5) u
    LEFT JOIN skill_run r ON r.bucket = u.bucket AND r.id = (u.message_id >> 29) & 67108863
"""

_FORGET = "DELETE FROM cap_use WHERE bucket = ? AND business_unit_id = ? AND phone = ? AND message_id = ?"


class SqliteDnc:
    """A transaction ends when its time is over, whatever its numbers cost."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def write(self, upload: Upload, numbers: Numbers) -> Written:
        written = Written(0, 0, 0)
        start = 0
        while start < len(numbers):
            begun = time.perf_counter()
            one, start, sending = await self._writer.run(lambda db: _write(db, upload, numbers, start))  # noqa: B023
            written = written.plus(one)
            if sending:
                await rest(begun)
        return written

    async def page(self, bucket: int, group: int, after: int, limit: int) -> Sequence[EntryOut]:
        return await self._reader.run(lambda db: db.execute(_PAGE, (bucket, group, after, limit)).fetchall())

    async def expire(self, limit: int) -> Swept:
        if not await self._reader.run(lambda db: db.execute(_OVER, (1,)).fetchone()):
            return Swept([], False)  # without taking the writer
        return await self._writer.run(lambda db: _expire(db, min(limit, 500)))

    async def forget_uses(self, after: tuple[int, int, int, int], before: Micros, limit: int) -> UsesSwept:
        rows = await self._reader.run(lambda db: db.execute(_WALK, (*after, limit, before)).fetchall())
        gone = [row[:4] for row in rows if row[4]]
        for start in range(0, len(gone), 1000):
            some = gone[start : start + 1000]
            await self._writer.run(lambda db: db.executemany(_FORGET, some))  # noqa: B023
        last = rows[-1] if len(rows) == limit else None
        return UsesSwept(None if last is None else last[:4], len(gone))


def _write(db: Connection, upload: Upload, numbers: Numbers, start: int) -> tuple[Written, int, bool]:
    """Numbers from `start` on, where to go on, and whether an engine sends over this file."""
    begun = time.perf_counter()
    written = Written(0, 0, 0)
    while start < len(numbers) and time.perf_counter() - begun < TARGET:
        piece = numbers.part(start, _PIECE)
        written = written.plus(_put(db, upload, piece))
        start += len(piece)
    return written, start, is_sending(db)


def _put(db: Connection, upload: Upload, numbers: Numbers) -> Written:
    place = (upload.bucket, upload.dnc_group_id)
    phones = _json(numbers.phones)
    added = _add(db, upload, numbers, phones)
    extended = 0
    if added < len(numbers):
        temporary = db.execute(_TEMPORARY, (phones, *place)).fetchall()
        over = [row for row in temporary if row[5] or row[1] == HELD]
        if over:
            db.executemany(_REMOVE, [(*place, row[0]) for row in over])
            expired = [row for row in over if row[5]]
            db.executemany(_EXPIRED, [(place[0], upload.business_unit_id, place[1], *_was(row)) for row in expired])
            again = numbers.only([row[0] for row in over])
            added += _add(db, upload, again, _json(again.phones))
        longer = _longer([row for row in temporary if not row[5] and row[1] != HELD], numbers)
        extended = len(longer)
        db.executemany(_EXTEND, [(until, upload.id, *place, row[0]) for row, until in longer])
        own = (upload.who, upload.reason, upload.id)
        db.executemany(
            _EXTENDED,
            [
                (place[0], upload.business_unit_id, place[1], row[0], *own, row[2], row[4], row[3], until, upload.at)
                for row, until in longer
            ],
        )
    return Written(added, extended, len(numbers) - added - extended)


_Row = tuple[int, str, int, int, int | None, int]  # phone, source, since, expiry, upload, whether it has expired


def _was(row: _Row) -> tuple[object, ...]:
    return (row[0], row[1], row[2], row[4], row[3], row[3])


def _longer(rows: list[_Row], numbers: Numbers) -> list[tuple[_Row, int | None]]:
    """Entries that hold longer from now on, and until when."""
    if not rows:
        return []
    wanted = numbers.only([row[0] for row in rows]).ends
    return [(row, until) for row in rows if (until := wanted[row[0]]) is None or until > row[3]]


def _add(db: Connection, upload: Upload, numbers: Numbers, phones: str) -> int:
    """How many of them are new."""
    place = (upload.bucket, upload.dnc_group_id, upload.at)
    if numbers.same_end:
        return db.execute(_ADD, (*place, numbers.first_end, upload.id, phones)).rowcount
    return db.execute(_ADD_MIXED, (*place, upload.id, _json(numbers.pairs))).rowcount


def _expire(db: Connection, limit: int) -> Swept:
    rows = db.execute(_OVER, (limit,)).fetchall()
    db.executemany(_REMOVE, [(bucket, group, phone) for bucket, _, group, phone, *_ in rows])
    db.executemany(_EXPIRED, [(*row, row[7]) for row in rows])
    return Swept([(row[2], row[3]) for row in rows], len(rows) == limit)


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()
