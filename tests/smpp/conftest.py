"""Any PDU at all, and pairs of sessions that talk to each other without a socket."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp.connection import Connection
from todoke.smpp.pdu.fields import Field, Int, ShortMessage, Text, Time
from todoke.smpp.pdu.multi import Destinations, Refusals
from todoke.smpp.server import serve
from todoke.smpp.session import BindRequested, DeliverResult, Event, Role, Session, Settings, SubmitRequest
from todoke.smpp.tlv import SIZES, Tlv

_CHARACTERS = st.characters(min_codepoint=1, max_codepoint=255)


def _text(size: int) -> st.SearchStrategy[str]:
    return st.text(_CHARACTERS, max_size=size - 1)


def _number(size: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << 8 * size) - 1)


def _value(field: Field) -> st.SearchStrategy[Any]:
    match field:
        case Int(_, size):
            return _number(size)
        case Text(_, size):
            return _text(size)
        case Time():
            return st.one_of(st.just(""), st.text(_CHARACTERS, min_size=16, max_size=16))
        case ShortMessage():
            return st.binary(max_size=254)
        case Destinations():
            number = st.builds(p.Destination, _text(21), _number(1), _number(1))
            entry = st.one_of(number, st.builds(p.DistributionList, _text(21)))
            return st.lists(entry, min_size=1, max_size=5).map(tuple)
        case Refusals():
            refusal = st.builds(p.Unsuccessful, _text(21), _number(1), _number(1), _number(4))
            return st.lists(refusal, max_size=5).map(tuple)
    raise AssertionError(field)


@st.composite
def _tlv(draw: st.DrawFn) -> Tlv:
    tag = draw(st.one_of(st.sampled_from(sorted(SIZES)), st.integers(0, 0xFFFF)))
    least, most = SIZES.get(tag, (0, 300))
    return Tlv(tag, draw(st.binary(min_size=least, max_size=most)))


@st.composite
def any_pdu(draw: st.DrawFn) -> p.Pdu:
    kind = draw(st.sampled_from(sorted(p.KINDS.values(), key=lambda kind: kind.command)))
    values = {field.name: draw(_value(field)) for field in kind.fields}
    if kind.takes_tlvs:
        values["tlvs"] = tuple(draw(st.lists(_tlv(), max_size=4)))
    return kind(sequence=draw(st.integers(0, p.MAX_SEQUENCE)), status=draw(_number(4)), **values)


@pytest.fixture(scope="session")
def pdus() -> st.SearchStrategy[p.Pdu]:
    return any_pdu()


class Pair:
    """A bound ESME and SMSC. `to_smsc` and `to_esme` carry what is outgoing over, and return the events there."""

    def __init__(self, kind: type[p.Bind] = p.BindTransceiver, **settings: Any) -> None:
        self.now = 100.0
        self.esme = Session(Role.ESME, Settings(**settings), now=self.now, epoch=7)
        self.smsc = Session(Role.SMSC, Settings(**settings), now=self.now)
        self.esme.bind(kind(system_id="me", password="secret"), self.now)
        (asked,) = self.to_smsc()
        self.smsc.respond_bind(asked.sequence, 0, "centre")  # type: ignore[union-attr]
        self.bound = self.to_esme()

    def to_smsc(self) -> list[Event]:
        return self.smsc.receive(self.esme.outgoing(), self.now)

    def to_esme(self) -> list[Event]:
        return self.esme.receive(self.smsc.outgoing(), self.now)


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.fixture(scope="session")
def make_pair() -> Callable[..., Pair]:
    return Pair


class Centre:
    """An SMSC for the link to speak with: answers binds by itself, and messages as it is told to."""

    def __init__(self, bind_status: int = 0, answer: bool = True) -> None:
        self.bind_status = bind_status
        self.answer = answer
        self.binds: list[p.Bind] = []
        self.submits: list[SubmitRequest] = []
        self.answered: list[DeliverResult] = []
        self.connections: list[Connection] = []
        self.lost_count = 0
        self._server: asyncio.Server | None = None

    def events(self, connection: Connection, events: list[Event]) -> None:
        for event in events:
            match event:
                case BindRequested(sequence, bind):
                    self.binds.append(bind)
                    self.connections.append(connection)
                    connection.session.respond_bind(sequence, self.bind_status, "centre")
                case SubmitRequest():
                    self.submits.append(event)
                    if self.answer:
                        connection.session.respond_submit(event.sequence, f"id{len(self.submits)}")
                case DeliverResult():
                    self.answered.append(event)
                case _:
                    pass

    def writable(self, connection: Connection) -> None:
        pass

    def lost(self, connection: Connection, reason: str, tokens: list[object]) -> None:
        self.lost_count += 1
        if connection in self.connections:
            self.connections.remove(connection)

    async def listen(self, port: int = 0, context: ssl.SSLContext | None = None) -> int:
        self._server = await serve(
            lambda: self, "127.0.0.1", port, Settings(window=1000), clock=time.monotonic, ssl_context=context
        )
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        gone = [connection.gone for connection in self.connections]
        for connection in list(self.connections):
            connection.abort("stopped")
        if gone:
            await asyncio.wait(gone, timeout=5)


@pytest.fixture
def centres() -> list[Centre]:
    return []


@pytest.fixture
def centre(centres: list[Centre]) -> Callable[..., Centre]:
    """Makes an SMSC; `run` stops it."""

    def make(**how: Any) -> Centre:
        centres.append(Centre(**how))
        return centres[-1]

    return make


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, centres: list[Centre]) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a coroutine on each of the two loops, for at most 20 seconds."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    async def guarded(main: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(20):
                await main
        finally:
            for one in centres:
                await one.stop()

    def runner(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as loop:
            loop.run(guarded(main))

    return runner
