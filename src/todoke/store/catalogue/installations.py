"""This database: which one it is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.schema import installation


async def incarnation(connection: AsyncConnection) -> str:
    """New for every new database: what a journal belongs to."""
    return (await connection.execute(select(installation.c.incarnation))).scalar_one()
