"""Connections to PostgreSQL: the driver as we see it, and its errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from todoke.store.address import Address
from todoke.store.hot.base import StoreUnavailable

CONNECT_TIMEOUT = 10.0  # seconds

# Every session of ours: a client that vanished in the middle of a transaction does not keep its locks.
SESSION: dict[str, str] = {
    "application_name": "todoke",
    "timezone": "UTC",
    "jit": "off",
    "idle_in_transaction_session_timeout": "30000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Record(Protocol):
    """A row: by position or by name."""

    def __getitem__(self, key: int | str) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Connection(Protocol):
    """What we use of a driver connection."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...
    async def fetch(self, query: str, *args: Any) -> list[Record]: ...
    async def fetchrow(self, query: str, *args: Any) -> Record | None: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str] | None = None
    ) -> str: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...
    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    def add_termination_listener(self, callback: Callable[[Any], None]) -> None: ...
    def is_closed(self) -> bool: ...
    def terminate(self) -> None: ...
    async def close(self, *, timeout: float | None = None) -> None: ...


class Pool(Protocol):
    """What we use of a driver pool: `async with pool.acquire() as connection`."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...
    async def close(self) -> None: ...
    def terminate(self) -> None: ...


_asyncpg = cast(Any, asyncpg)

# Errors after which a statement may be tried again: the server or the way to it, not the statement.
LOST: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    _asyncpg.InterfaceError,
    _asyncpg.InternalClientError,  # told to go while idle, and not closed yet: "cannot switch to state"
    _asyncpg.PostgresConnectionError,
    _asyncpg.InsufficientResourcesError,
    _asyncpg.OperatorInterventionError,
    _asyncpg.PostgresSystemError,
    _asyncpg.TransactionRollbackError,
    _asyncpg.InvalidAuthorizationSpecificationError,
    _asyncpg.InvalidCatalogNameError,
    _asyncpg.ReadOnlySQLTransactionError,
    _asyncpg.LockNotAvailableError,
    _asyncpg.IdleInTransactionSessionTimeoutError,
)


def unavailable(error: BaseException, address: Address) -> StoreUnavailable | None:
    """The sentence for a person where the server or the way to it is at fault; None for a fault of ours."""
    if not isinstance(error, LOST) or isinstance(error, ValueError):  # the driver's word for a wrong argument
        return None
    where = address.shown
    if isinstance(error, _asyncpg.InvalidPasswordError):
        return StoreUnavailable("PostgreSQL refuses the password.", where=where, fix="Correct it in the address.")
    if isinstance(error, _asyncpg.InvalidAuthorizationSpecificationError):
        return StoreUnavailable(
            f"PostgreSQL refuses the user: {error}.", where=where, fix="Create the role, or allow it in pg_hba.conf."
        )
    if isinstance(error, _asyncpg.InvalidCatalogNameError):
        return StoreUnavailable(
            "PostgreSQL has no such database.", where=where, fix="Create it with createdb, then run `todoke migrate`."
        )
    if isinstance(error, _asyncpg.DiskFullError):
        return StoreUnavailable("The disk of PostgreSQL is full.", where=where, fix="Free some space there.")
    if isinstance(error, _asyncpg.TooManyConnectionsError):
        return StoreUnavailable(
            "PostgreSQL has no connection left.", where=where, fix="Raise max_connections or stop other clients."
        )
    said = str(error) or type(error).__name__
    return StoreUnavailable(
        f"PostgreSQL does not answer ({said}).", where=where, fix="Check that it runs and that its address is right."
    )


async def connect(address: Address, settings: dict[str, str] | None = None) -> Connection:
    """One connection; StoreUnavailable with the host named where it cannot be had."""
    try:
        connection = await _asyncpg.connect(
            address.dsn, timeout=CONNECT_TIMEOUT, server_settings={**SESSION, **(settings or {})}
        )
    except Exception as error:
        sentence = unavailable(error, address)
        if sentence is None:
            raise
        raise sentence from error
    return cast(Connection, connection)


async def create_pool(
    address: Address, size: int, settings: dict[str, str] | None = None, *, plain: bool = False
) -> Pool:
    """Up to `size` connections, opened when they are needed.

    Users of a `plain` one leave nothing behind in a session, which is not reset between them: that is a round trip.
    """
    more: dict[str, Any] = {"reset": _as_it_is} if plain else {}
    try:
        pool = await _asyncpg.create_pool(
            address.dsn,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT,
            server_settings={**SESSION, **(settings or {})},
            **more,
        )
    except Exception as error:
        sentence = unavailable(error, address)
        if sentence is None:
            raise
        raise sentence from error
    return cast(Pool, pool)


async def _as_it_is(connection: Connection) -> None:
    """Nothing to reset."""


async def require_durable(connection: Connection, address: Address) -> None:
    """Durability is not a setting: StoreUnavailable where the server may forget what it confirmed."""
    rows = await connection.fetch(
        "SELECT name FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        " AND setting = 'off' ORDER BY name"
    )
    off = [str(row[0]) for row in rows]
    if off:
        raise StoreUnavailable(
            f"PostgreSQL may lose what it confirmed: {', '.join(off)} {'is' if len(off) == 1 else 'are'} off.",
            where=address.shown,
            fix="Switch it on: a rewound list would be sent twice.",
        )
