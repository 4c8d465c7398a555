"""Where people's data are, table by table, and what an erasure does with them.

A table that has a number must stand here; `tests/pipeline/privacy/test_personal.py` finds one that does not. Tables of
the first kind need nothing more than their line: they are in the export and in the erasure by it.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.units import Unit
from todoke.store.schema import answer, cap_use, dnc_change, opt_out, review, suppression


class How(Enum):
    """FORGET: its rows go. HASH: they stay under the number's keyed hash (as a negative number)."""

    FORGET = "forget"
    HASH = "hash"


class Personal(NamedTuple):
    """A table with `bucket`, `business_unit_id` and the number in `phone`. `blank`: texts that go, too. `external`: a
    row may have an external id in place of the number.
    """

    table: Table
    how: How
    blank: tuple[str, ...] = ()
    external: bool = False


PERSONAL: tuple[Personal, ...] = (
    Personal(opt_out, How.HASH, ("evidence",)),
    Personal(answer, How.HASH),
    Personal(dnc_change, How.HASH, ("reason",)),
    # The number is a part of its key: under the hash two replies are told apart as they were.
    Personal(review, How.HASH, ("text", "note")),
    Personal(suppression, How.FORGET, external=True),
    Personal(cap_use, How.FORGET),
)

# Columns that take a step of their own: in `erasing.py` and `finding.py`.
OWN_STEP = frozenset(
    (
        *("contact.destination", "contact.phones", "contact.external_id", "contact.fields", "list_key.keys"),
        *("inbound.source", "inbound.text", "dnc_entry.phone", "doubt.destination", "orphan.number", "orphan.raw"),
        *("consent.phone", "consent.reference", "consent.double_opt_in", "consent.words", "consent.confirmation"),
    )
)


async def rows_of(
    connection: AsyncConnection, unit: Unit, personal: Personal, phone: int, external_ids: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The rows of the number, or of one of these external ids, as they are."""
    rows = await connection.execute(select(personal.table).where(*_mine(unit, personal, phone, external_ids)))
    return [dict(row) for row in rows.mappings()]


async def erase(
    connection: AsyncConnection,
    unit: Unit,
    personal: Personal,
    phone: int,
    digest: int,
    external_ids: Collection[str] = (),
) -> int:
    """How many rows it had."""
    table = personal.table
    mine = _mine(unit, personal, phone, external_ids)
    if personal.how is How.FORGET:
        return (await connection.execute(delete(table).where(*mine))).rowcount
    values: dict[str, Any] = {"phone": -digest, **dict.fromkeys(personal.blank, "")}
    return (await connection.execute(update(table).where(*mine).values(values))).rowcount


def _mine(unit: Unit, personal: Personal, phone: int, external_ids: Collection[str]) -> tuple[Any, ...]:
    c = personal.table.c
    who = c.phone == phone
    if personal.external and external_ids:
        who = or_(who, c.external_id.in_(sorted(external_ids)))
    if c.business_unit_id.nullable:  # what came to a code that nobody knows is nobody's, and in bucket 0
        return c.bucket.in_({unit.bucket, 0}), or_(c.business_unit_id == unit.id, c.business_unit_id.is_(None)), who
    return c.bucket == unit.bucket, c.business_unit_id == unit.id, who
