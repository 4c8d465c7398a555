"""Replies that a person has to read, with their words: nothing else shows these."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import NotFound
from todoke.store.catalogue.units import Unit
from todoke.store.schema import inbound, review


class ReviewRow(NamedTuple):
    """`business_unit_id` is None where no registration knows the code, `phone` where it came from no number: `source`
    and `code` are what the carrier said.
    """

    bucket: int
    id: int
    business_unit_id: int | None
    transport_code_id: int | None
    phone: int | None
    source: str
    code: str
    inbound_id: int
    text: str
    reason: str
    state: str
    meaning: str | None
    note: str
    at: Micros
    decided_at: Micros | None


async def every(
    connection: AsyncConnection, unit: Unit, *, state: str | None = "open", limit: int = 100
) -> list[ReviewRow]:
    """The unit's, the oldest first, and those of codes that belong to nobody."""
    r = review.c
    query = _query(unit).order_by(r.at, r.id).limit(limit)
    rows = await connection.execute(query if state is None else query.where(r.state == state))
    return [ReviewRow(*row) for row in rows]


async def find(connection: AsyncConnection, unit: Unit, review_id: int) -> ReviewRow:
    """The unit's review, or one that belongs to nobody; NotFound."""
    row = (await connection.execute(_query(unit).where(review.c.id == review_id))).first()
    if row is None:
        raise NotFound(f"There is no review {review_id}.", fix="See the open ones with todoke review list.")
    return ReviewRow(*row)


def _query(unit: Unit) -> Select[*tuple[Any, ...]]:
    """What is a unit's lies in its bucket; what is nobody's in bucket 0."""
    r, i = review.c, inbound.c
    return (
        select(
            r.bucket,
            r.id,
            r.business_unit_id,
            r.transport_code_id,
            func.nullif(r.phone, 0),
            i.source,
            i.destination,
            r.inbound_id,
            r.text,
            r.reason,
            r.state,
            r.meaning,
            r.note,
            r.at,
            r.decided_at,
        )
        .join(inbound, i.id == r.inbound_id)
        .where(r.bucket.in_({unit.bucket, 0}), or_(r.business_unit_id == unit.id, r.business_unit_id.is_(None)))
    )
