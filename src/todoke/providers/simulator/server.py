"""A running simulator: the SMPP port, the control port, the ledger; and `run`, which is the whole process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from types import TracebackType

from aiohttp import web

from todoke.model.errors import TodokeError
from todoke.providers.simulator.connection import Connection
from todoke.providers.simulator.control import control
from todoke.providers.simulator.fast import FastServer, repeat_every
from todoke.providers.simulator.ledger import Ledger
from todoke.providers.simulator.settings import Settings
from todoke.providers.simulator.smsc import Smsc
from todoke.providers.simulator.stats import Stats
from todoke.providers.simulator.timeline import Timeline

LOOPBACK = "127.0.0.1"


class PortTaken(TodokeError):
    """The simulator cannot listen on its port."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the simulator listens."""

    smpp_port: int
    control_port: int


def announce(ports: Ports) -> None:
    """Say on standard output, as one JSON line, that the simulator is ready."""
    sys.stdout.write(json.dumps(asdict(ports)) + "\n")
    sys.stdout.flush()


class Simulator:
    """An SMSC in this process: `async with Simulator(settings) as simulator`, then `simulator.ports`.

    Raises PortTaken or LedgerError on the way in.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stats = Stats()
        self.smsc: Smsc | None = None
        """The faithful SMSC; None in fast mode."""
        self._ports: Ports | None = None
        self._stack = contextlib.AsyncExitStack()

    @property
    def ports(self) -> Ports:
        """The ports, once it runs."""
        assert self._ports is not None
        return self._ports

    async def __aenter__(self) -> Simulator:
        async with contextlib.AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        settings, loop = self.settings, asyncio.get_running_loop()
        ledger = None
        if settings.ledger is not None:
            ledger = await asyncio.to_thread(Ledger, settings.ledger)
            stack.callback(ledger.close)
        if settings.fast:
            fast = self._fast(loop, ledger)
            stack.callback(repeat_every(fast, settings.behaviour.acknowledge_timeout))
            factory, drop_all = fast.connection, fast.drop_all
        else:
            smsc = self.smsc = self._faithful(loop, ledger)
            stack.callback(smsc.later.stop)
            factory, drop_all = (lambda: Connection(smsc)), smsc.drop_all
        try:
            server = await loop.create_server(factory, settings.host, settings.port, backlog=256)
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.", fix="Choose another port."
            ) from error
        stack.push_async_callback(_close, server, drop_all)
        runner = web.AppRunner(control(settings, self.stats, self.smsc, drop_all), access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, LOOPBACK, settings.control_port).start()
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {LOOPBACK}:{settings.control_port}: {error.strerror}.",
                fix="Choose another control port.",
            ) from error
        self._ports = Ports(server.sockets[0].getsockname()[1], runner.addresses[0][1])

    def _faithful(self, loop: asyncio.AbstractEventLoop, ledger: Ledger | None) -> Smsc:
        # Not for secrets: the seed makes a run of faults repeatable.
        smsc = Smsc(self.settings, ledger, Random(self.settings.seed), time.monotonic, time.time, self.stats)  # noqa: S311
        smsc.later = Timeline(time.monotonic, loop.call_later, smsc.settle)
        return smsc

    def _fast(self, loop: asyncio.AbstractEventLoop, ledger: Ledger | None) -> FastServer:
        behaviour = self.settings.behaviour
        return FastServer(
            loop,
            self.settings.accounts,
            ledger,
            self.stats,
            behaviour.receipt_delay if behaviour.receipts else None,
            self.settings.inbound_window,
        )


async def run(settings: Settings, ready: Callable[[Ports], None] = announce) -> None:
    """Run a simulator until SIGTERM, SIGINT or cancellation; `ready` is told the ports when it takes connections.

    Raises PortTaken or LedgerError when it cannot start.
    """
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, end.set)
    try:
        async with Simulator(settings) as simulator:
            ready(simulator.ports)
            await end.wait()
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


async def _close(server: asyncio.Server, drop_all: Callable[[], int]) -> None:
    server.close()
    drop_all()  # from Python 3.12 on the next line waits for the connections
    await server.wait_closed()
