"""Messages of a run whose time is still to come: outside of their hours, held by a cap or a suppression, or tried again
later.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.ids import SELECTED, address
from todoke.store.catalogue.runs import RunRow
from todoke.store.schema import contact, due

LOOKED_AT = 100_000
"""So many rows are counted at the most: a run of millions is shown as quickly as a small one."""


class Waiting(NamedTuple):
    """`messages` of which none goes before `first`, and all may by `last`; there are `more` than were counted. `phone`
    is the number of one of them, to ask `todoke why` about; None where the run has a selection.
    """

    messages: int
    first: Micros
    last: Micros
    more: bool
    phone: int | None


async def waiting(connection: AsyncConnection, run: RunRow, now: Micros) -> Waiting | None:
    """What of the run waits for a moment that is known; None where nothing does."""
    d = due.c
    later = (
        select(d.message_id, d.not_before)
        .where(d.bucket == run.bucket, d.run_id == run.id, d.state == "ready", d.not_before > now)
        .limit(LOOKED_AT + 1)
        .subquery()
    )
    moment = later.c.not_before
    found = select(func.count(), func.min(moment), func.max(moment), func.min(later.c.message_id))
    messages, first, last, message_id = (await connection.execute(found)).one()
    if not messages:
        return None
    phone = await _phone(connection, run, address(message_id).ordinal)
    return Waiting(min(messages, LOOKED_AT), first, last, messages > LOOKED_AT, phone)


async def _phone(connection: AsyncConnection, run: RunRow, ordinal: int) -> int | None:
    if ordinal >= SELECTED:
        return None
    c = contact.c
    return await connection.scalar(
        select(c.destination).where(c.bucket == run.bucket, c.list_id == run.list_id, c.position == ordinal)
    )
