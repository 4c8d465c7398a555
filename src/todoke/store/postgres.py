"""Connections to PostgreSQL: the driver as we see it, and its errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from todoke.store.address import Address, Host
from todoke.store.hot.base import StoreUnavailable

CONNECT_TIMEOUT = 10.0  # seconds
NEXT_AFTER = 3.0  # seconds after which the next server of several is asked: a machine that lost power says nothing

# Every session of ours: a client that vanished in the middle of a transaction does not keep its locks.
SESSION: dict[str, str] = {
    "application_name": "todoke",
    "timezone": "UTC",
    "jit": "off",
    "idle_in_transaction_session_timeout": "30000",
    "client_connection_check_interval": "5000",
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
    async def copy_to_table(self, table_name: str, *, source: Any, columns: Sequence[str], format: str) -> str: ...
    async def copy_from_query(self, query: str, *args: Any, output: Any) -> str: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...
    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    def add_termination_listener(self, callback: Callable[[Any], None]) -> None: ...
    def add_log_listener(self, callback: Any) -> None: ...
    def remove_log_listener(self, callback: Any) -> None: ...
    def is_closed(self) -> bool: ...
    def terminate(self) -> None: ...
    async def close(self, *, timeout: float | None = None) -> None: ...


class Pool(Protocol):
    """What we use of a driver pool: `async with pool.acquire() as connection`."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...
    async def close(self) -> None: ...
    def terminate(self) -> None: ...


_asyncpg = cast(Any, asyncpg)

# A row whose key is there already.
Duplicate = cast("type[Exception]", _asyncpg.UniqueViolationError)

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


def unavailable(error: BaseException, address: Address, host: Host | None = None) -> StoreUnavailable | None:
    """The sentence for a person where the server or the way to it is at fault; None for a fault of ours. `host`: the
    one server that was asked, where it is known. What is such a sentence already is returned as it is.
    """
    if isinstance(error, StoreUnavailable):
        return error
    if not isinstance(error, LOST) or isinstance(error, ValueError):  # the driver's word for a wrong argument
        return None
    where = address.shown if host is None else address.at(host)
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
    """One connection to the server that writes; StoreUnavailable with each server named where there is none."""
    failed: list[StoreUnavailable] = []
    hosts = address.hosts
    for host in hosts:
        try:
            return await _connect(address, host, settings or {}, CONNECT_TIMEOUT if len(hosts) == 1 else NEXT_AFTER)
        except StoreUnavailable as error:
            failed.append(error)
    if len(failed) == 1:
        raise failed[0]
    raise StoreUnavailable(
        "No PostgreSQL server takes our writes: " + " ".join(f"{error.where}: {error.sentence}" for error in failed),
        where=address.shown,
        fix="Start the primary, or promote the standby that has everything.",
    ) from failed[-1]


async def _connect(address: Address, host: Host, settings: dict[str, str], timeout: float) -> Connection:
    """To this one; StoreUnavailable also where it is a standby."""
    try:
        connection = await _asyncpg.connect(
            address.dsn,
            host=host.name,
            port=host.port,
            timeout=timeout,
            target_session_attrs="any",  # looked at below, by our own words
            server_settings={**SESSION, **settings},
        )
    except Exception as error:
        sentence = unavailable(error, address, host)
        if sentence is None:
            raise
        raise sentence from error
    if getattr(connection.get_settings(), "in_hot_standby", "off") == "on":
        connection.terminate()
        raise StoreUnavailable(
            "This PostgreSQL is a standby: it only reads.",
            where=address.at(host),
            fix="Name the primary in the address, or all servers that may become it: postgresql://...@one,two/...",
        )
    return cast(Connection, connection)


async def create_pool(
    address: Address, size: int, settings: dict[str, str] | None = None, *, plain: bool = False
) -> Pool:
    """Up to `size` connections, opened when they are needed.

    Users of a `plain` one leave nothing behind in a session, which is not reset between them: that is a round trip.
    """

    async def connect_one(*_: Any, **__: Any) -> Connection:
        return await connect(address, settings)

    more: dict[str, Any] = {"reset": _as_it_is} if plain else {}
    pool = await _asyncpg.create_pool(min_size=0, max_size=size, connect=connect_one, **more)
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
