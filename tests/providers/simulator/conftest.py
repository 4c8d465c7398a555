"""A simulator on free ports, and the smallest SMPP client: frames by hand, PDUs by the codec."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from todoke.providers.simulator import MARK_TAG, Behaviour, Settings, Simulator, mark_value
from todoke.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    Pdu,
    SubmitSm,
    decode,
    encode,
)
from todoke.smpp.tlv import Tlv

DEADLINE = 10.0
CODE, NUMBER = "12025550100", "819012345678"
BINDS = {"receiver": BindReceiver, "transmitter": BindTransmitter, "transceiver": BindTransceiver}


class Client:
    """One connection. Every wait has a deadline; a connection that ended raises IncompleteReadError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._sequence = 0

    def write(self, *pdus: Pdu) -> None:
        self._writer.write(b"".join(encode(pdu) for pdu in pdus))

    def write_raw(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def send_all(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def read_raw(self) -> bytes:
        async with asyncio.timeout(DEADLINE):
            size = await self._reader.readexactly(4)
            return size + await self._reader.readexactly(int.from_bytes(size, "big") - 4)

    async def read(self, *kinds: type[Pdu]) -> Any:
        """The next PDU, which is one of `kinds`."""
        pdu = decode(await self.read_raw())
        assert not kinds or isinstance(pdu, kinds), f"expected {kinds}, got {pdu}"
        return pdu

    async def ended(self) -> bool:
        """Wait for the end of the connection; False when something comes instead."""
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._reader.read(1) == b""
        except ConnectionError:
            return True

    async def silent(self) -> bool:
        """Nothing comes although there was time: the one thing that only waiting can show."""
        try:
            async with asyncio.timeout(0.15):
                await self._reader.readexactly(1)
        except TimeoutError:
            return True
        return False

    async def bind(self, role: str = "transceiver", system_id: str = "todoke", password: str = "secret") -> Any:
        self.write(BINDS[role](sequence=self.next(), system_id=system_id, password=password))
        return await self.read()

    def next(self) -> int:
        self._sequence += 1
        return self._sequence

    def submit(self, text: bytes = b"hello", **fields: Any) -> int:
        """Write a submit_sm; its sequence number."""
        sequence = self.next()
        given = {"source_addr": CODE, "destination_addr": NUMBER, "registered_delivery": 1} | fields
        self.write(SubmitSm(sequence=sequence, short_message=text, **given))
        return sequence

    def submit_marked(self, message_id: int, segment: int = 1, attempt: int = 1, **fields: Any) -> int:
        return self.submit(tlvs=(Tlv(MARK_TAG, mark_value(message_id, segment, attempt)),), **fields)

    async def receive(self) -> DeliverSm | DataSm:
        """The next receipt or reply, acknowledged."""
        pdu = await self.read(DeliverSm, DataSm)
        self.acknowledge(pdu)
        return pdu

    def acknowledge(self, pdu: DeliverSm | DataSm, status: int = 0) -> None:
        kind = DeliverSmResp if isinstance(pdu, DeliverSm) else DataSmResp
        self.write(kind(sequence=pdu.sequence, status=status))

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass


class Lab:
    """One simulator, its clients and its control port."""

    def __init__(self, simulator: Simulator, stack: AsyncExitStack, http: aiohttp.ClientSession) -> None:
        self.simulator, self._stack, self._http = simulator, stack, http

    @property
    def ledger(self) -> Path:
        assert self.simulator.settings.ledger is not None
        return self.simulator.settings.ledger

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.simulator.ports.smpp_port))
        self._stack.push_async_callback(client.close)
        return client

    async def bound(self, role: str = "transceiver", **account: str) -> Client:
        client = await self.connect()
        assert (await client.bind(role, **account)).status == 0
        return client

    async def http(self, method: str, path: str, body: Any = None, raw: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON of a request to the control port."""
        data = raw if raw is not None else None if body is None else msgspec.json.encode(body)
        url = f"http://127.0.0.1:{self.simulator.ports.control_port}{path}"
        async with asyncio.timeout(DEADLINE), self._http.request(method, url, data=data) as response:
            return response.status, await response.json(content_type=None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the simulator, which runs in this loop, is in a state."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - the simulator has no events for tests
                await asyncio.sleep(0.002)


Open = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Open]:
    """`await lab(**behaviour)` starts a simulator; `settings=` replaces the fixed ones."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def start(settings: Settings | None = None, **behaviour: Any) -> Lab:
            base = settings or Settings()
            chosen = replace(
                base,
                port=0,
                ledger=base.ledger or tmp_path / "ledger",
                behaviour=msgspec.convert({"receipt_delay": 0.0} | behaviour, Behaviour),
            )
            simulator = await stack.enter_async_context(Simulator(chosen))
            return Lab(simulator, stack, http)

        yield start
