"""Provider accounts. They belong to the operator of the installation, not to one business unit."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.store.catalogue.naming import pick
from todoke.store.schema import provider


class ProviderRow(NamedTuple):
    """`settings` as stored: `todoke.model.provider_kind.resolve` makes them the kind's class, secrets read."""

    id: int
    name: str
    kind: str
    bucket: int
    settings: dict[str, Any]


_COLUMNS = tuple(provider.c[name] for name in ProviderRow._fields)


async def every(connection: AsyncConnection) -> list[ProviderRow]:
    """All providers by name."""
    rows = await connection.execute(select(*_COLUMNS).order_by(provider.c.name))
    return [ProviderRow(*row) for row in rows]


async def find(connection: AsyncConnection, name: str) -> ProviderRow:
    """The provider of that name; NotFound."""
    return pick(name, await every(connection), "provider", "Declare it under [[provider]] and run todoke apply.")
