"""One socket and its session: asyncio moves the octets, the session says what they mean (asyncio, uvloop)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from .errors import SmppError
from .session import Broken, DeadLink, Event, Session, Unbound

_MUST_FLUSH = 256 * 1024  # octets waiting to be written; above, the peer is not read until it reads
_LONGEST_TICK = 1.0
_SHORTEST_TICK = 0.01
_CLOSE_WITHIN = 2.0  # seconds for the peer to take what is still to be written


class Owner(Protocol):
    """Who a connection reports to. Neither call may raise: an error ends the connection."""

    def events(self, connection: Connection, events: list[Event]) -> None:
        """What the session says; what it wants to send in answer is written when this returns."""
        ...

    def writable(self, connection: Connection) -> None:
        """The write buffer, which was not empty, is empty again."""
        ...

    def lost(self, connection: Connection, reason: str, tokens: list[object]) -> None:
        """The connection is gone, with requests outstanding whose outcome is unknown. Called once."""
        ...


class Connection(asyncio.Protocol):
    """Feeds a session from a transport and writes what it has to send, with one write for all of it."""

    def __init__(self, session: Session, owner: Owner, clock: Callable[[], float]) -> None:
        self.session = session
        self._owner = owner
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.reason = "The peer closed the connection"
        """Why the connection is gone, once it is."""
        self._reading = True
        self._closing = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is closed and `Owner.lost` was called."""

    # For the owner

    @property
    def peer(self) -> str:
        """The peer's address, for people."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return f"{name[0]}:{name[1]}" if name else "nowhere"

    @property
    def free(self) -> int:
        """Messages that may be written now: 0 while something written earlier waits in the buffer."""
        transport = self._transport
        if transport is None or self._closing or transport.get_write_buffer_size():
            return 0
        return self.session.free

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        """Submit each (body, token) in one write. Raises `WindowFullError` or `StateError`: none was sent."""
        self.session.submit_many(batch, self._clock())
        self.flush()

    def deliver(self, batch: Sequence[tuple[bytes, object]]) -> None:
        """Deliver each (body, token) in one write. Raises `WindowFullError` or `StateError`: none was sent."""
        self.session.deliver_many(batch, self._clock())
        self.flush()

    def flush(self) -> None:
        """Write what the session has to send; then read on, or stop reading, as it asks for."""
        transport = self._transport
        if transport is None:
            return
        data = self.session.outgoing()
        if data:
            transport.write(data)
        if self._closing:
            return
        read = not self.session.paused_reading and transport.get_write_buffer_size() < _MUST_FLUSH
        if read is not self._reading:
            self._reading = read
            if read:
                transport.resume_reading()
            else:
                transport.pause_reading()

    def close(self, reason: str) -> None:
        """Write what is outgoing, then close; `lost` follows."""
        if self._closing or self._transport is None:
            return
        self._closing = True
        self.reason = reason
        self.flush()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_CLOSE_WITHIN, self._transport.abort)
        self._transport.close()

    def abort(self, reason: str) -> None:
        """Close at once, whatever is still to be written; `lost` follows."""
        if self._transport is not None and not self.gone.done():
            if not self._closing:
                self.reason = reason
            self._closing = True
            self._transport.abort()

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio and uvloop have set TCP_NODELAY. (uvloop's transports are not of asyncio's class, hence the cast.)
        self._transport = cast(asyncio.Transport, transport)
        # With a limit of 0 "writable" is told whenever the buffer was not empty and is again.
        self._transport.set_write_buffer_limits(high=0)
        self._schedule()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._tell(self.session.receive(data, self._clock()))

    def resume_writing(self) -> None:
        self.flush()
        if not self._closing:
            self._owner.writable(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if exc is not None and not self._closing:
            self.reason = f"The connection broke: {exc}"
        self._closing = True
        tokens = self.session.close()
        try:
            self._owner.lost(self, self.reason, tokens)
        finally:
            if not self.gone.done():
                self.gone.set_result(None)

    # Inside

    def _tell(self, events: list[Event]) -> None:
        if events:
            try:
                self._owner.events(self, events)
            except BaseException:
                self.abort("Its owner could not take an event")
                raise
        self.flush()
        if self.session.closed and not self._closing:
            self.close(_reason(events))

    def _tick(self) -> None:
        try:
            self._tell(self.session.tick(self._clock()))
        except SmppError as error:  # pragma: no cover - the session does not raise here; the timer must not die
            self.abort(str(error))
        if not self._closing:
            self._schedule()

    def _schedule(self) -> None:
        delay = self.session.next_tick - self._clock()
        self._timer = asyncio.get_running_loop().call_later(min(max(delay, _SHORTEST_TICK), _LONGEST_TICK), self._tick)


def _reason(events: list[Event]) -> str:
    for event in reversed(events):
        if isinstance(event, Broken | DeadLink):
            return event.reason
        if isinstance(event, Unbound):
            return "The peer ended the session" if event.by_peer else "The session was ended"
    return "The session is closed"
