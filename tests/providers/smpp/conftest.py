"""The simulator in this process, an SMPP provider on a real socket to it, and a sink that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from todoke.model.clock import SystemClock
from todoke.model.transport_code import CODE_TYPES
from todoke.providers.base import Failure, Heard, Word
from todoke.providers.kinds import SimulatorSettings
from todoke.providers.simulator import Behaviour, Entry, Settings, Simulator, read
from todoke.providers.smpp.provider import SmppProvider
from todoke.sms.segments import header, split

DEADLINE = 10.0
CODE = "15551230001"


class Ear:
    """The sink: everything in order, and a way to wait for more."""

    def __init__(self) -> None:
        self.taken: list[tuple[object, str]] = []
        self.failures: list[Failure] = []
        self.late: list[tuple[object, str, Failure | None]] = []
        self.said: list[Word] = []
        self.messages: list[Heard] = []
        self.writables = 0
        self._new = asyncio.Event()

    def accepted(self, tokens: list[object], provider_message_ids: list[str]) -> None:
        self.taken.extend(zip(tokens, provider_message_ids, strict=True))
        self._new.set()

    def failed(self, failures: Sequence[Failure]) -> None:
        self.failures.extend(failures)
        self._new.set()

    def resolved(self, token: object, provider_message_id: str, failure: Failure | None) -> None:
        self.late.append((token, provider_message_id, failure))
        self._new.set()

    def words(self, words: Sequence[Word]) -> None:
        self.said.extend(words)
        self._new.set()

    def heard(self, heard: Sequence[Heard]) -> None:
        self.messages.extend(heard)
        self._new.set()

    def writable(self) -> None:
        self.writables += 1
        self._new.set()

    @property
    def answered(self) -> list[object]:
        """Every token that was answered, as often as it was."""
        return [token for token, _ in self.taken] + [failure.token for failure in self.failures]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self._new.clear()
                await self._new.wait()


class Lab:
    """A provider, its sink and the simulator behind it."""

    def __init__(self, simulator: Simulator, provider: SmppProvider, ear: Ear) -> None:
        self.simulator = simulator
        self.provider = provider
        self.ear = ear
        self._sender = provider.sender(CODE, CODE_TYPES["long"])

    async def up(self) -> None:
        await self.ear.until(lambda: self.provider.up)

    def body(self, number: int, text: str = "hello", destination: int = 819012345678) -> bytes:
        """The first segment of a text; `number` is its message id."""
        payload = split(text)
        total = len(payload.parts)
        udh = header(7, total, 1) if total > 1 else b""
        return self._sender.segment(destination, payload.parts[0], payload.encoding.data_coding, udh, number, 1, 0)

    def parts(self, number: int, text: str, destination: int = 819012345678) -> list[bytes]:
        found = split(text)
        return [
            self._sender.segment(
                destination, part, found.encoding.data_coding, header(7, len(found.parts), n), number, n, 2
            )
            for n, part in enumerate(found.parts, 1)
        ]

    def submit(self, *tokens: int) -> None:
        self.provider.submit([(self.body(token), token) for token in tokens])

    def behave(self, **changes: Any) -> None:
        assert self.simulator.smsc is not None
        behaviour = self.simulator.smsc.behaviour
        self.simulator.smsc.behave(msgspec.convert(msgspec.to_builtins(behaviour) | changes, Behaviour))

    def text(self, number: str, text: str) -> int:
        """A phone texts our code; the number of segments."""
        assert self.simulator.smsc is not None
        return self.simulator.smsc.reply(number, CODE, text)[1]

    def ledger(self) -> list[Entry]:
        assert self.simulator.settings.ledger is not None
        return list(read(self.simulator.settings.ledger))

    async def simulated(self, condition: Callable[[], bool]) -> None:
        """Wait until the simulator is in a state; it has no events for tests."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.002)


Open = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Open]:
    """`await lab(behaviour={...}, window=5)`: a started provider with these settings, its links coming up."""
    async with AsyncExitStack() as stack:

        async def start(behaviour: dict[str, Any] | None = None, *, up: bool = True, **settings: Any) -> Lab:
            chosen = msgspec.convert({"receipt_delay": 0.0} | (behaviour or {}), Behaviour)
            fixed = replace(Settings(), port=0, ledger=tmp_path / "ledger", behaviour=chosen)
            simulator = await stack.enter_async_context(Simulator(fixed))
            values = {"port": simulator.ports.smpp_port, "window": 10} | settings
            provider = SmppProvider(5, "carrier", msgspec.convert(values, SimulatorSettings), SystemClock())
            ear = Ear()
            await provider.start(ear)
            stack.push_async_callback(provider.stop)
            made = Lab(simulator, provider, ear)
            if up:
                await made.up()
            return made

        yield start
