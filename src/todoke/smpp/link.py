"""The client's side of the socket: one bind to an SMSC that is kept up (asyncio, uvloop).

`Link` connects, binds, asks whether the peer is there, and connects again with growing waits. It decides nothing about
messages: what is submitted comes back as `SubmitResult`, `Timeout`, or one of the tokens of `LinkDown`, exactly once.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from .backoff import Backoff
from .connection import Connection
from .errors import SmppError, StateError
from .pdu import Bind, encode
from .session import BindRefused, Bound, Deliver, Event, Receipted, Role, Session, Settings
from .status import Verdict, sentence, verdict


class LinkUp(NamedTuple):
    """The bind was accepted: messages may be submitted. `epoch` is another, greater number for every connection."""

    epoch: int
    system_id: str
    version: int | None


class LinkDown(NamedTuple):
    """A link that was up is not any more. The outcome of every request in `tokens` is unknown."""

    epoch: int
    reason: str
    tokens: list[object]


class Retrying(NamedTuple):
    """Not up; the next try comes in `wait` seconds, after `failures` in a row."""

    reason: str
    wait: float
    failures: int


class Writable(NamedTuple):
    """What was written earlier has left: `free` counts again."""


LinkEvent: TypeAlias = Event | LinkUp | LinkDown | Retrying | Writable


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where to bind and how. `bind` is a `BindTransceiver`, or one link each for a transmitter and a receiver."""

    host: str
    port: int
    bind: Bind
    session: Settings = field(default_factory=Settings)
    backoff: Backoff = field(default_factory=Backoff)
    connect_timeout: float = 10.0
    ssl_context: ssl.SSLContext | None = None
    server_hostname: str | None = None
    """The name that the certificate must hold, when it is not `host`."""

    def __post_init__(self) -> None:
        """Raises `SmppError` now rather than on every connection."""
        encode(self.bind)
        if not self.host or not 0 < self.port < 65_536:
            raise SmppError(f"{self.host!r} and {self.port} are not a host and a port")
        if self.connect_timeout <= 0:
            raise SmppError("connect_timeout must be more than 0 seconds")


class Link:
    """One bind to one SMSC. `on_events` gets every event in order, on the loop; it must be quick and not raise."""

    def __init__(
        self,
        settings: LinkSettings,
        on_events: Callable[[Sequence[LinkEvent]], None],
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        epoch: int = 0,
    ) -> None:
        """`epoch` is counted on from here."""
        self.settings = settings
        self.epoch = epoch
        self.refused: int | None = None
        """The status of the bind when a person must correct it: the link has stopped then."""
        self._on_events = on_events
        self._clock = clock
        self._jitter = jitter
        self._connection: Connection | None = None
        self._up_since: float | None = None
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()  # something came in; wakes `close`
        self._reason = ""
        self._lasted = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether the link is bound."""
        return self._up_since is not None

    @property
    def free(self) -> int:
        """Messages that `submit` takes now: 0 unless bound and everything written earlier has left for the kernel."""
        if self._connection is None or self._stopping.is_set():
            return 0
        return self._connection.free

    @property
    def outstanding(self) -> int:
        """Requests whose response is awaited."""
        return self._connection.session.outstanding if self._connection else 0

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        """Submit each (body, token), all in one write. `SubmitTemplate.body` makes the bodies; at most `free` of them.

        Raises `StateError` or `WindowFullError` when it may not; then none was written.
        """
        if self._connection is None:
            raise StateError("The link is down")
        self._connection.submit(batch)

    def respond(self, answers: Iterable[tuple[Deliver | Receipted, int]]) -> int:
        """Acknowledge each delivery with its status, all in one write; returns how many still could be.

        A delivery of an earlier connection cannot: its SMSC sends it again.
        """
        connection = self._connection
        if connection is None:
            return 0
        session = connection.session
        epoch = session.epoch
        done = session.respond_delivers(
            [(deliver.sequence, status) for deliver, status in answers if deliver.epoch == epoch]
        )
        connection.flush()
        return done

    def drop(self, reason: str) -> None:
        """Cut the connection, if there is one; the link comes up again as after any other loss."""
        if self._connection is not None:
            self._connection.abort(reason)

    async def start(self) -> None:
        """Run in a task of its own until `close`."""
        if self._task is None:
            self._task = asyncio.create_task(self.run())

    async def run(self) -> None:
        """Keep the link up until `close` is called, or the SMSC refuses the credentials. Cancel it to drop the link."""
        failures = 0
        while not self._stopping.is_set():
            lasted = await self._once()
            if self._stopping.is_set() or self.refused is not None:
                return
            failures = 1 if lasted >= self.settings.backoff.stable else failures + 1
            wait = self.settings.backoff.wait(failures, self._jitter)
            self._on_events([Retrying(self._reason, wait, failures)])
            try:
                async with asyncio.timeout(wait):
                    await self._stopping.wait()
            except TimeoutError:
                pass

    async def close(self, deadline: float = 5.0) -> None:
        """Take no more messages, await what is outstanding, unbind, close: all within `deadline` seconds."""
        self._stopping.set()
        connection = self._connection
        if connection is not None:
            await self._leave(connection, deadline)
            connection.abort("The SMSC did not answer the unbind in time")
            await connection.gone
        if self._task is not None:
            await self._task

    # What a connection tells its owner

    def events(self, connection: Connection, events: Sequence[LinkEvent]) -> None:
        if self._up_since is None:
            events = [self._bound(event) if isinstance(event, Bound | BindRefused) else event for event in events]
            if any(isinstance(event, BindRefused) for event in events):
                connection.close(self._reason)
        self._changed.set()
        self._on_events(events)

    def writable(self, connection: Connection) -> None:  # noqa: ARG002
        if self.up:
            self._on_events([Writable()])

    def lost(self, connection: Connection, reason: str, tokens: list[object]) -> None:  # noqa: ARG002
        self._reason = reason
        self._connection = None
        self._changed.set()
        if self._up_since is not None:
            self._lasted = self._clock() - self._up_since
            self._up_since = None
            self._on_events([LinkDown(self.epoch, reason, tokens)])

    # Inside

    def _bound(self, event: Bound | BindRefused) -> LinkEvent:
        if isinstance(event, Bound):
            self._up_since = self._clock()
            return LinkUp(self.epoch, event.system_id, event.version)
        self._reason = f"The SMSC refused the bind. {sentence(event.status)}"
        if verdict(event.status) is Verdict.CREDENTIALS:
            self.refused = event.status
        return event

    async def _once(self) -> float:
        """One connection from its beginning to its end; returns for how many seconds it was bound."""
        settings = self.settings
        self._lasted = 0.0
        self.epoch += 1
        session = Session(Role.ESME, settings.session, now=self._clock(), epoch=self.epoch)
        connection = Connection(session, self, self._clock)
        self._reason = await self._dial(lambda: connection)
        if self._reason:
            return 0.0
        if connection.gone.done():
            self._reason = connection.reason
            return 0.0
        self._connection = connection
        try:
            if not self._stopping.is_set():
                if not session.closed:  # as it is when the peer spoke first, and not SMPP
                    session.bind(settings.bind, self._clock())
                    connection.flush()
                await asyncio.shield(connection.gone)
        finally:
            connection.abort("The link was dropped")
            await connection.gone
        return self._lasted

    async def _dial(self, protocol: Callable[[], Connection]) -> str:
        """Connect; returns why it could not, or an empty string."""
        settings = self.settings
        where = f"{settings.host}:{settings.port}"
        dial = asyncio.ensure_future(
            asyncio.get_running_loop().create_connection(
                protocol,
                settings.host,
                settings.port,
                ssl=settings.ssl_context,
                server_hostname=settings.server_hostname if settings.ssl_context else None,
            )
        )
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({dial, stop}, timeout=settings.connect_timeout, return_when=asyncio.FIRST_COMPLETED)
            if not dial.done():
                return f"{where} did not answer in {settings.connect_timeout:g} s"
            dial.result()
        except (OSError, UnicodeError) as error:
            return f"{where} cannot be reached: {error}"
        finally:
            dial.cancel()
            stop.cancel()
        return ""

    async def _leave(self, connection: Connection, deadline: float) -> None:
        session = connection.session
        try:
            async with asyncio.timeout(deadline * 0.75):
                while session.bound and session.outstanding:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        if session.bound:
            session.unbind(self._clock())
            connection.flush()
            await asyncio.wait({connection.gone}, timeout=deadline * 0.25)
