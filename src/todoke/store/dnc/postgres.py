"""DNC entries in bulk on PostgreSQL: COPY, a transaction a piece, so that no STOP waits for a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from todoke.model.clock import Micros
from todoke.store.address import Address
from todoke.store.dnc.base import EntryOut, Swept, Upload, UsesSwept, Written
from todoke.store.dnc.numbers import Numbers
from todoke.store.hot.base import Hint
from todoke.store.hot.hints import MOST_NUMBERS
from todoke.store.hot.postgres import hints
from todoke.store.hot.postgres.dnc import MOMENT
from todoke.store.postgres import LOST, Connection, Duplicate, Pool, unavailable

_PIECE = 50_000  # numbers

# Whether anything of the group lies between two numbers.
_ANY = "SELECT EXISTS (SELECT FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = $2 AND phone BETWEEN $3 AND $4)"

_STAGE = "CREATE TEMPORARY TABLE dnc_staged (phone BIGINT NOT NULL, expires_at BIGINT) ON COMMIT DROP"

# What has expired is over, before anything is put in its place.
_OVER = f"""
    WITH gone AS (
        DELETE FROM dnc_entry d USING dnc_staged k
        WHERE d.bucket = $1 AND d.dnc_group_id = $2 AND d.phone = k.phone AND d.expires_at <= {MOMENT}
        RETURNING d.*)
    INSERT INTO dnc_change (bucket, business_unit_id, dnc_group_id, phone, change, source, who, reason, count, since,
                            old_upload_id, old_expires_at, at)
    SELECT bucket, $3, dnc_group_id, phone, 'expired', source, '', '', 1, created_at, upload_id, expires_at, expires_at
    FROM gone
"""

_ADD = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at, upload_id)
    SELECT $1, $2, phone, 'upload', $3, expires_at, $4 FROM dnc_staged ORDER BY phone
    ON CONFLICT DO NOTHING
"""

# Entries that hold longer from now on; each of them tells what it was.
_EXTEND = """
    WITH stricter AS (
        SELECT d.bucket, d.dnc_group_id, d.phone, d.created_at, d.expires_at, d.upload_id, k.expires_at AS until
        FROM dnc_staged k JOIN dnc_entry d ON d.bucket = $1 AND d.dnc_group_id = $2 AND d.phone = k.phone
        WHERE d.expires_at IS NOT NULL AND (k.expires_at IS NULL OR k.expires_at > d.expires_at)
        ORDER BY d.phone FOR UPDATE OF d),
    moved AS (
        UPDATE dnc_entry d SET expires_at = s.until, source = 'upload', upload_id = $4
        FROM stricter s WHERE d.bucket = $1 AND d.dnc_group_id = $2 AND d.phone = s.phone)
    INSERT INTO dnc_change (bucket, business_unit_id, dnc_group_id, phone, change, source, who, reason, upload_id,
                            count, since, old_upload_id, old_expires_at, expires_at, at)
    SELECT bucket, $5, dnc_group_id, phone, 'extended', 'upload', $6, $7, $4,
           1, created_at, upload_id, expires_at, until, $3
    FROM stricter
"""

_PAGE = f"""
    SELECT phone, source, created_at, expires_at FROM dnc_entry
    WHERE bucket = $1 AND dnc_group_id = $2 AND phone > $3 AND (expires_at IS NULL OR expires_at > {MOMENT})
    ORDER BY phone LIMIT $4
"""

# Entries that have expired; several engines sweep side by side.
_EXPIRE = f"""
    WITH over AS (
        SELECT bucket, dnc_group_id, phone FROM dnc_entry WHERE bucket = $1 AND expires_at <= {MOMENT}
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    gone AS (
        DELETE FROM dnc_entry d USING over o
        WHERE d.bucket = o.bucket AND d.dnc_group_id = o.dnc_group_id AND d.phone = o.phone RETURNING d.*),
    told AS (
        INSERT INTO dnc_change (bucket, business_unit_id, dnc_group_id, phone, change, source, who, reason, count,
                                since, old_upload_id, old_expires_at, at)
        SELECT n.bucket, g.business_unit_id, n.dnc_group_id, n.phone, 'expired', n.source, '', '', 1,
               n.created_at, n.upload_id, n.expires_at, n.expires_at
        FROM gone n JOIN dnc_group g ON g.id = n.dnc_group_id)
    SELECT dnc_group_id, phone FROM gone
"""

_BUCKETS = "SELECT DISTINCT bucket FROM business_unit ORDER BY bucket"

_WALK = """
    SELECT u.bucket, u.business_unit_id, u.phone, u.message_id,
           u.at < $6 OR (r.state IN ('finished', 'stopped', 'expired') AND NOT EXISTS (
               SELECT FROM event e WHERE e.bucket = u.bucket AND e.message_id = u.message_id
                AND e.kind IN (20, 30, 40, 60)))
    FROM (SELECT * FROM cap_use WHERE (bucket, business_unit_id, phone, message_id) > ($1, $2, $3, $4)
          ORDER BY bucket, business_unit_id, phone, message_id LIMIT $5) u
    LEFT JOIN skill_run r ON r.bucket = u.bucket AND r.id = (u.message_id >> 29) & 67108863
    ORDER BY u.bucket, u.business_unit_id, u.phone, u.message_id
"""

_FORGET = """
    DELETE FROM cap_use u USING unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[])
                          AS k (bucket, unit, phone, message_id)
    WHERE u.bucket = k.bucket AND u.business_unit_id = k.unit AND u.phone = k.phone AND u.message_id = k.message_id
"""


class PostgresDnc:
    """A transaction a piece."""

    def __init__(self, pool: Pool, address: Address) -> None:
        self._pool = pool
        self._address = address

    async def write(self, upload: Upload, numbers: Numbers) -> Written:
        written = Written(0, 0, 0)
        for start in range(0, len(numbers), _PIECE):
            written = written.plus(await self._write(upload, numbers.part(start, _PIECE)))
        return written

    async def _write(self, upload: Upload, numbers: Numbers) -> Written:
        place = (upload.bucket, upload.dnc_group_id)
        async with self._connection() as connection:
            if not await connection.fetchval(_ANY, *place, numbers.first, numbers.last):
                try:
                    async with connection.transaction():
                        await self._copy(connection, upload, numbers)
                    return Written(len(numbers), 0, 0)
                except Duplicate:
                    pass  # one of them opted out a moment ago
            async with connection.transaction():
                return await self._merge(connection, upload, numbers)

    async def _copy(self, connection: Connection, upload: Upload, numbers: Numbers) -> None:
        """Straight into the group: nothing is there."""
        before = {"bucket": upload.bucket, "dnc_group_id": upload.dnc_group_id}
        after = {"source": "upload", "created_at": upload.at, "upload_id": upload.id}
        rows, columns = numbers.csv(before, after)
        await connection.copy_to_table("dnc_entry", source=rows, columns=columns, format="csv")
        await hints.tell(connection, Hint(work=True, many=True))

    async def _merge(self, connection: Connection, upload: Upload, numbers: Numbers) -> Written:
        place = (upload.bucket, upload.dnc_group_id)
        await connection.execute(_STAGE)
        rows, columns = numbers.csv({}, {})
        await connection.copy_to_table("dnc_staged", source=rows, columns=columns, format="csv")
        await connection.execute("ANALYZE dnc_staged")
        await connection.execute(_OVER, *place, upload.business_unit_id)
        added = _count(await connection.execute(_ADD, *place, upload.at, upload.id))
        extended = 0
        if added < len(numbers):
            values = (*place, upload.at, upload.id, upload.business_unit_id, upload.who, upload.reason)
            extended = _count(await connection.execute(_EXTEND, *values))
        await hints.tell(connection, Hint(work=True, many=True))
        return Written(added, extended, len(numbers) - added - extended)

    async def page(self, bucket: int, group: int, after: int, limit: int) -> Sequence[EntryOut]:
        async with self._connection() as connection:
            return [tuple(row) for row in await connection.fetch(_PAGE, bucket, group, after, limit)]

    async def expire(self, limit: int) -> Swept:
        freed: list[tuple[int, int]] = []
        async with self._connection() as connection:
            for (bucket,) in await connection.fetch(_BUCKETS):
                if limit <= len(freed):
                    break
                async with connection.transaction():
                    gone = [(row[0], row[1]) for row in await connection.fetch(_EXPIRE, bucket, limit - len(freed))]
                    for start in range(0, len(gone), MOST_NUMBERS):
                        some = gone[start : start + MOST_NUMBERS]
                        told = tuple((group, phone, "in") for group, phone in some)
                        await hints.tell(connection, Hint(numbers=told))
                freed += gone
        return Swept(freed, len(freed) == limit)

    async def forget_uses(self, after: tuple[int, int, int, int], before: Micros, limit: int) -> UsesSwept:
        async with self._connection() as connection, connection.transaction():
            rows = await connection.fetch(_WALK, *after, limit, before)
            gone = [tuple(row)[:4] for row in rows if row[4]]
            if gone:
                await connection.execute(_FORGET, *map(list, zip(*gone, strict=True)))
        last = rows[-1] if len(rows) == limit else None
        return UsesSwept(None if last is None else (last[0], last[1], last[2], last[3]), len(gone))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        try:
            async with self._pool.acquire() as connection:
                yield connection
        except LOST as error:
            raise unavailable(error, self._address) or error from error


def _count(status: str) -> int:
    """Of `INSERT 0 25`."""
    return int(status.rpartition(" ")[2])
