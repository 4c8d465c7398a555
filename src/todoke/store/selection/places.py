"""The other way round: at which ordinals a run has a contact. Rarely asked, and answered by looking through."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.hot.positions import unpack
from todoke.store.schema import selection

_ROWS = 50


async def ordinals(connection: AsyncConnection, bucket: int, run_id: int, position: int) -> list[int]:
    """All ordinals that the run's messages to this contact may have: the position itself, and its places in
    selections.
    """
    s = selection.c
    found, last = [position], -1
    while True:
        rows = (
            await connection.execute(
                select(s.first_ordinal, s.positions)
                .where(s.bucket == bucket, s.run_id == run_id, s.first_ordinal > last)
                .order_by(s.first_ordinal)
                .limit(_ROWS)
            )
        ).all()
        for first, packed in rows:
            found.extend(first + place for place, each in enumerate(unpack(packed)) if each == position)
        if len(rows) < _ROWS:
            return found
        last = rows[-1][0]
