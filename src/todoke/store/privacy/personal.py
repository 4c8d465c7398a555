"""Where people's data are, table by table, and what an erasure does with them.

A table that has a number must stand here; `tests/pipeline/privacy/test_personal.py` finds one that does not. Tables of
the first kind need nothing more than their line: they are in the export and in the erasure by it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.units import Unit
from todoke.store.schema import opt_out


class How(Enum):
    """FORGET: its rows go. HASH: they stay under the number's keyed hash (as a negative number)."""

    FORGET = "forget"
    HASH = "hash"


class Personal(NamedTuple):
    """A table with `bucket`, `business_unit_id` and the number in `phone`. `blank`: texts that go, too."""

    table: Table
    how: How
    blank: tuple[str, ...] = ()


PERSONAL: tuple[Personal, ...] = (Personal(opt_out, How.HASH, ("evidence",)),)

# Columns that take a step of their own: in `erasing.py` and `finding.py`.
OWN_STEP = frozenset(
    (
        *("contact.destination", "contact.phones", "contact.external_id", "contact.fields", "list_key.keys"),
        *("inbound.source", "inbound.text", "dnc_entry.phone", "doubt.destination", "orphan.number", "orphan.raw"),
        *("consent.phone", "consent.reference", "consent.double_opt_in", "consent.words", "consent.confirmation"),
    )
)


async def rows_of(connection: AsyncConnection, unit: Unit, personal: Personal, phone: int) -> list[dict[str, Any]]:
    """The rows of the number, as they are."""
    table = personal.table
    rows = await connection.execute(select(table).where(*_mine(unit, table, phone)))
    return [dict(row) for row in rows.mappings()]


async def erase(connection: AsyncConnection, unit: Unit, personal: Personal, phone: int, digest: int) -> int:
    """How many rows it had."""
    table = personal.table
    mine = _mine(unit, table, phone)
    if personal.how is How.FORGET:
        return (await connection.execute(delete(table).where(*mine))).rowcount
    values: dict[str, Any] = {"phone": -digest, **dict.fromkeys(personal.blank, "")}
    return (await connection.execute(update(table).where(*mine).values(values))).rowcount


def _mine(unit: Unit, table: Table, phone: int) -> tuple[Any, ...]:
    c = table.c
    return c.bucket == unit.bucket, c.business_unit_id == unit.id, c.phone == phone
