"""The SMSC's side of the socket: takes connections, one session each. What to answer is the owner's affair."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from .connection import Connection, Owner
from .session import Role, Session, Settings


async def serve(
    owner: Callable[[], Owner],
    host: str,
    port: int,
    settings: Settings,
    *,
    clock: Callable[[], float],
    ssl_context: ssl.SSLContext | None = None,
    backlog: int = 128,
) -> asyncio.Server:
    """Listen on `host`:`port` (0: any free one); `owner` makes the owner of each new connection.

    Close the server first, then the connections that its owners know of. Raises `OSError` when it cannot listen.
    """

    def connection() -> Connection:
        return Connection(Session(Role.SMSC, settings, now=clock()), owner(), clock)

    return await asyncio.get_running_loop().create_server(connection, host, port, ssl=ssl_context, backlog=backlog)
