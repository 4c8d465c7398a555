"""The hot operations on PostgreSQL."""

from __future__ import annotations

from todoke.store.address import Address


class PostgresHot:
    """Hot on a server."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def close(self) -> None:
        """Close the connections."""
