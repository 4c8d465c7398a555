"""Numbers that are held while a person reads their reply stay held when an entry of theirs ends.

An entry with an end takes the place of a hold, and a hold does not take that of an entry: whatever lists the number is
told as what it is. So before such an entry ends, the hold takes over.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import SECOND, Micros
from todoke.model.dnc import HELD, DncChange
from todoke.store.hot.replies import HELD_FOR
from todoke.store.schema import business_unit, dnc_change, dnc_entry, dnc_group, review
from todoke.store.store import Store

AHEAD: Micros = 60 * SECOND
"""So long before an entry ends its place is taken; several times as long as from one look to the next."""
_PAGE = 500
_NOBODYS = 0  # where reviews lie that belong to no unit

Held = tuple[int, int, int]
"""Bucket, DNC group, number."""


async def keep_held(store: Store, now: Micros) -> int:
    """For every open review a number that nothing will list in a minute is held; how many there were."""
    found: list[tuple[int, Held]] = []
    async with store.reading() as connection:
        units = await connection.scalars(select(business_unit.c.bucket).distinct())
        for bucket in sorted({_NOBODYS, *units}):
            found += await _to_hold(connection, bucket, now + AHEAD)
    for review_id, held in found:
        async with store.writing() as connection:
            await _hold(connection, review_id, held, now)
    return len(found)


async def _to_hold(connection: AsyncConnection, bucket: int, until: Micros) -> list[tuple[int, Held]]:
    r = review.c
    found: list[tuple[int, Held]] = []
    last = 0
    while True:
        page = select(r.id, r.phone, r.holds).where(r.bucket == bucket, r.state == "open", r.id > last)
        rows = (await connection.execute(page.order_by(r.id).limit(_PAGE))).all()
        wanted = {row.id: {(*hold, row.phone) for hold in row.holds} for row in rows if row.phone}
        listed = await _listed(connection, {held for holds in wanted.values() for held in holds}, until)
        found += [(number, held) for number, holds in wanted.items() for held in sorted(holds - listed)]
        if len(rows) < _PAGE:
            return found
        last = rows[-1].id


async def _listed(connection: AsyncConnection, wanted: set[Held], until: Micros) -> set[Held]:
    """Those that an entry lists for longer than that."""
    e = dnc_entry.c
    found: set[Held] = set()
    for bucket, group in {held[:2] for held in wanted}:
        phones = [held[2] for held in wanted if held[:2] == (bucket, group)]
        rows = await connection.scalars(
            select(e.phone)
            .where(e.bucket == bucket, e.dnc_group_id == group, e.phone.in_(phones))
            .where(or_(e.expires_at.is_(None), e.expires_at > until))
        )
        found.update((bucket, group, phone) for phone in rows)
    return found


async def _hold(connection: AsyncConnection, review_id: int, held: Held, now: Micros) -> None:
    """Unless it was decided meanwhile: who decides waits for us, or we see it."""
    r, e = review.c, dnc_entry.c
    bucket, group, phone = held
    if (await connection.scalar(select(r.id).where(r.id == review_id, r.state == "open").with_for_update())) is None:
        return
    gone = (
        await connection.execute(
            delete(dnc_entry)
            .where(e.bucket == bucket, e.dnc_group_id == group, e.phone == phone, e.expires_at <= now + AHEAD)
            .returning(e.source, e.created_at, e.upload_id, e.expires_at)
        )
    ).first()
    place = {"bucket": bucket, "dnc_group_id": group, "phone": phone}
    if gone is not None:
        unit = await connection.scalar(select(dnc_group.c.business_unit_id).where(dnc_group.c.id == group))
        was = {"since": gone.created_at, "old_upload_id": gone.upload_id, "old_expires_at": gone.expires_at}
        told = {
            "change": DncChange.EXPIRED.value,
            "source": gone.source,
            "who": "",
            "reason": "",
            "count": 1,
            "at": now,
        }
        await connection.execute(insert(dnc_change).values(business_unit_id=unit, **place, **was, **told))
    insert_or_leave = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    hold = insert_or_leave(dnc_entry).values(**place, source=HELD, created_at=now, expires_at=now + HELD_FOR)
    await connection.execute(hold.on_conflict_do_nothing())
