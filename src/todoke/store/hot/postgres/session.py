"""The sessions of the hot operations: one that flushes, a few that do the rest, all with their plans pinned."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from todoke.store import postgres
from todoke.store.address import Address
from todoke.store.postgres import Connection, Pool
from todoke.store.replication import Watch

T = TypeVar("T")

# Every hot statement goes by a key. Statistics of a table that was empty a second ago must not talk the planner
# into reading it from end to end.
PINNED = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "max_parallel_workers_per_gather": "0",
    # An engine that is frozen, or whose machine is gone, within a transaction holds its lanes' rows: whoever takes
    # the lanes over must not wait for it for long. What is rolled back here is offered again or recovered.
    "idle_in_transaction_session_timeout": "5000",
}
POOL_SIZE = 4
# Seconds after which a connection is given up and the outcome counts as unknown. A deadline of the driver's would
# cancel the statement instead, and with it perhaps the wait for the standby.
FLUSH_DEADLINE = 30.0
DEADLINE = 60.0


class Sessions:
    """Connections that are opened when they are needed, and again after the server went away."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._flushing: Connection | None = None
        self._watch = Watch()  # of the flushing connection
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    async def flush(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in a transaction on the flushing connection.

        After StoreUnavailable nobody knows whether it took place; the connection is not used again.
        """
        connection = await self._connected()
        try:
            result = await _within(FLUSH_DEADLINE, connection, _transact(connection, work))
            self._watch.check(self._address)
            return result
        except BaseException as error:
            sentence = postgres.unavailable(error, self._address)
            if sentence is not None or not isinstance(error, Exception):
                self._flushing = None
                connection.terminate()
            if sentence is None or sentence is error:
                raise
            raise sentence from error

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in a transaction on a connection of the pool; StoreUnavailable where the server is gone."""

        async def transact(connection: Connection) -> T:
            watch = Watch()
            connection.add_log_listener(watch)
            try:
                result = await _transact(connection, work)
            finally:
                with contextlib.suppress(*postgres.LOST):  # a connection that was lost has left the pool already
                    connection.remove_log_listener(watch)
            watch.check(self._address)
            return result

        return await self.read(transact)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` on a connection of the pool, each statement by itself; StoreUnavailable."""
        try:
            pool = await self._pooled()
            async with pool.acquire() as connection:
                return await _within(DEADLINE, connection, work(connection))
        except Exception as error:
            sentence = postgres.unavailable(error, self._address)
            if sentence is None or sentence is error:
                raise
            raise sentence from error

    async def dedicated(self) -> Connection:
        """A connection of the caller's own, which it closes; StoreUnavailable."""
        return await postgres.connect(self._address, {})

    async def close(self) -> None:
        """Close them all."""
        if self._flushing is not None:
            await self._flushing.close()
            self._flushing = None
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _connected(self) -> Connection:
        if self._flushing is None or self._flushing.is_closed():
            self._flushing = await postgres.connect(self._address, PINNED)
            self._watch = Watch()
            self._flushing.add_log_listener(self._watch)
        return self._flushing

    async def _pooled(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await postgres.create_pool(self._address, POOL_SIZE, PINNED, plain=True)
            return self._pool


async def _within(seconds: float, connection: Connection, work: Awaitable[T]) -> T:
    """What `work` on this connection returns; whatever it waits for fails when its time is over, or when the caller
    is cancelled.
    """
    running = asyncio.ensure_future(work)
    try:
        await asyncio.wait({running}, timeout=seconds)
    except asyncio.CancelledError:
        connection.terminate()
        running.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody waits for it
        raise
    if not running.done():
        connection.terminate()
    return await running


async def _transact(connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
    async with connection.transaction():
        return await work(connection)
