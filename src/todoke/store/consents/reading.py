"""What the ledger has: of a number, or of a business unit in pages, with the opt-outs and opt-ins that count in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.consent import Act, Fact, Kind, Record, digest, hash_of, of_reply
from todoke.store.catalogue.units import Unit
from todoke.store.schema import consent, disclosure, dnc_group, opt_out
from todoke.store.store import Store

PAGE = 1000

_COLUMNS = [consent.c[name] for name in Record._fields]


class Entry(NamedTuple):
    """A row of the ledger. `hash`: of the disclosure. `intact`: it is what its digest was made of, and so is the text
    of its disclosure.
    """

    id: int
    record: Record
    hash: str
    recorded_at: Micros
    intact: bool

    @property
    def fact(self) -> Fact:
        """As the fold takes it."""
        r = self.record
        return Fact(r.act, r.at, r.kind, r.programme, r.purpose, r.channel, r.expires_at, self.id)


class ReplyRow(NamedTuple):
    """A row of `opt_out`: an opt-out ("out") or opt-in ("in") of a DNC group, with the words as they came."""

    id: int
    phone: int
    kind: str
    group: str
    source: str
    evidence: str
    inbound_id: int | None
    at: Micros

    @property
    def fact(self) -> Fact | None:
        """As the fold takes it; None where it says nothing of consent."""
        return of_reply(self.kind, self.at, replied=self.inbound_id is not None, id=self.id)


async def of_number(connection: AsyncConnection, unit: Unit, phone: int) -> list[Entry]:
    """The number's rows in the order in which they were recorded."""
    return await _read(connection, unit, consent.c.phone == phone)


async def replies_of(connection: AsyncConnection, unit: Unit, phone: int) -> list[ReplyRow]:
    """The number's opt-outs and opt-ins of all the unit's groups, in order."""
    return await _replies(connection, unit, opt_out.c.phone == phone)


async def entries(
    store: Store, unit: Unit, *, since: Micros | None = None, before: Micros | None = None
) -> AsyncIterator[list[Entry]]:
    """All the unit's rows in pages, by id; only those whose moment is in the range, where one is given. A page is a
    snapshot of its own: nothing is held between them.
    """
    after = 0
    while True:
        async with store.reading() as connection:
            page = await _read(connection, unit, consent.c.id > after, limit=PAGE)
        if not page:
            return
        after = page[-1].id
        kept = [e for e in page if (since is None or e.record.at >= since) and (before is None or e.record.at < before)]
        if kept:
            yield kept


async def replies(
    store: Store, unit: Unit, *, since: Micros | None = None, before: Micros | None = None
) -> AsyncIterator[list[ReplyRow]]:
    """All the unit's opt-outs and opt-ins, the same way."""
    after = 0
    while True:
        async with store.reading() as connection:
            page = await _replies(connection, unit, opt_out.c.id > after, limit=PAGE)
        if not page:
            return
        after = page[-1].id
        kept = [row for row in page if (since is None or row.at >= since) and (before is None or row.at < before)]
        if kept:
            yield kept


async def _replies(
    connection: AsyncConnection, unit: Unit, where: ColumnElement[bool], *, limit: int | None = None
) -> list[ReplyRow]:
    o = opt_out.c
    query = (
        select(o.id, o.phone, o.kind, dnc_group.c.name, o.source, o.evidence, o.inbound_id, o.at)
        .join(dnc_group, dnc_group.c.id == o.dnc_group_id)
        .where(o.bucket == unit.bucket, o.business_unit_id == unit.id, where)
        .order_by(o.id)
    )
    rows = await connection.execute(query if limit is None else query.limit(limit))
    return [ReplyRow(*row) for row in rows]


async def _read(
    connection: AsyncConnection, unit: Unit, where: ColumnElement[bool], *, limit: int | None = None
) -> list[Entry]:
    c, d = consent.c, disclosure.c
    query = (
        select(c.id, c.recorded_at, c.digest, d.text, *_COLUMNS)
        .outerjoin(
            disclosure,
            (d.bucket == c.bucket) & (d.business_unit_id == c.business_unit_id) & (d.hash == c.disclosure),
        )
        .where(c.bucket == unit.bucket, c.business_unit_id == unit.id, where)
        .order_by(c.id)
    )
    rows = await connection.execute(query if limit is None else query.limit(limit))
    return [_entry(unit, *row) for row in rows]


def _entry(unit: Unit, id: int, recorded_at: Micros, stored: str, text: str | None, *values: object) -> Entry:
    kept = Record(*values)  # pyright: ignore[reportArgumentType]
    kind = None if kept.kind is None else Kind(kept.kind)
    record = kept._replace(act=Act(kept.act), kind=kind, disclosure=text or "")
    return Entry(id, record, kept.disclosure, recorded_at, is_intact(unit.id, record, kept.disclosure, stored))


def is_intact(business_unit_id: int, record: Record, hashed: str, stored: str) -> bool:
    """Whether the record, and the text of its disclosure, are what the digest was made of."""
    return hash_of(record.disclosure) == hashed and digest(business_unit_id, record, hashed) == stored
