"""Contacts on PostgreSQL: COPY, a transaction a batch, so that no snapshot is held for the length of an import."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import asyncio
import io

import polars as pl

from todoke.store.address import Address
from todoke.store.lists.base import CONTACT_SCHEMA, OpenImport, TakenOver
from todoke.store.postgres import LOST, Pool, unavailable

_PIECE_SIZE = 20_000  # contacts

_TEXTS = ("external_id", "fields", "phones")
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_COLUMNS = ("bucket", "list_id", *CONTACT_SCHEMA.names())

# The lock makes a process that takes the import over wait for the batch that is under way.
_MINE = "SELECT 1 FROM calling_list WHERE id = $1 AND state = 'importing' AND importer = $2 FOR SHARE"

# A piece of the contacts in their order; the last position of it comes from the index alone.
_REMOVE = (
    "DELETE FROM contact WHERE bucket = $1 AND list_id = $2 AND position <="
    " (SELECT max(position) FROM (SELECT position FROM contact"
    " WHERE bucket = $1 AND list_id = $2 ORDER BY position LIMIT $3) piece)"
)


class PostgresContacts:
    """A transaction a call."""

    at_once = 2

    def __init__(self, pool: Pool, address: Address) -> None:
        self._pool = pool
        self._address = address

    async def write(self, opened: OpenImport, contacts: pl.DataFrame) -> None:
        rows = await asyncio.to_thread(_text, opened, contacts)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                if await connection.fetchval(_MINE, opened.list_id, opened.importer) is None:
                    raise TakenOver
                await connection.copy_to_table("contact", source=rows, columns=_COLUMNS, format="text")
        except LOST as error:
            raise unavailable(error, self._address) or error from error

    async def remove(self, opened: OpenImport) -> None:
        try:
            async with self._pool.acquire() as connection:
                while await connection.execute(_REMOVE, opened.bucket, opened.list_id, _PIECE_SIZE) != "DELETE 0":
                    pass
        except LOST as error:
            raise unavailable(error, self._address) or error from error


def _text(opened: OpenImport, contacts: pl.DataFrame) -> io.BytesIO:
    """The rows as COPY reads them in its own form, which costs the server less than CSV."""
    out = io.BytesIO()
    shared = (pl.lit(opened.bucket).alias("bucket"), pl.lit(opened.list_id).alias("list_id"))
    rows = contacts.select(*shared, *CONTACT_SCHEMA.names())
    special = [name for name in _TEXTS if rows[name].str.contains(r"[\\\t\n\r]").any()]
    if special:
        escaped = pl.col(special)
        for sign, written in _ESCAPES:
            escaped = escaped.str.replace_all(sign, written, literal=True)
        rows = rows.with_columns(escaped)
    rows.write_csv(out, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    out.seek(0)
    return out
