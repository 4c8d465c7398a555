"""Hints by NOTIFY: sent with the transaction that makes the change, heard when it has committed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from todoke.store.hot.base import Hint, StoreUnavailable
from todoke.store.hot.hints import decode, encode
from todoke.store.postgres import LOST, Connection

CHANNEL = "todoke"
NOTIFY = f"SELECT pg_notify('{CHANNEL}', $1)"

_ALIVE_EVERY = 15.0  # seconds between looks whether the connection still stands
_AGAIN = 1.0
_EVERYTHING = Hint(work=True, many=True)


async def tell(connection: Connection, hint: Hint) -> None:
    """Part of the transaction: nobody hears it if that does not commit."""
    await connection.execute(NOTIFY, encode(hint))


async def listen(connect: Callable[[], Awaitable[Connection]], heard: Callable[[Hint], None]) -> None:
    """Until cancelled, on a connection of its own. After each connecting everything may have changed."""
    while True:
        with contextlib.suppress(StoreUnavailable):
            connection = await connect()
            try:
                await _listen(connection, heard)
            finally:
                connection.terminate()
        await asyncio.sleep(_AGAIN)


async def _listen(connection: Connection, heard: Callable[[Hint], None]) -> None:
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    try:
        await connection.add_listener(CHANNEL, lambda *told: heard(decode(told[3])))
        heard(_EVERYTHING)
        while not gone.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), _ALIVE_EVERY)
            if not gone.is_set():  # a half-open connection says nothing by itself
                await asyncio.wait_for(connection.execute("SELECT 1"), _ALIVE_EVERY)
    except LOST:
        return
