"""What holds whatever comes over the connection, in whatever pieces."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from todoke.smpp import pdu as p
from todoke.smpp.session import (
    Broken,
    Event,
    Role,
    Session,
    Settings,
    StrayResponse,
    SubmitRequest,
    SubmitResult,
    SubmitTemplate,
    Timeout,
)

BODY = SubmitTemplate("Todoke").body("8190", b"hi")


def bound(**settings: Any) -> Session:
    esme = Session(Role.ESME, Settings(**settings))
    number = esme.bind(p.BindTransceiver(), 0)
    esme.receive(p.encode(p.BindTransceiverResp(sequence=number)), 0)
    esme.outgoing()
    return esme


@given(st.data(), st.integers(1, 60))
def test_one_chunk_equals_any_other_cut(pdus: st.SearchStrategy[p.Pdu], data: st.DataObject, size: int) -> None:
    stream = b"".join(p.encode(pdu) for pdu in data.draw(st.lists(pdus, max_size=6)))
    stream += data.draw(st.one_of(st.just(b""), st.binary(max_size=40)))
    whole, bytewise, pieces = bound(), bound(), bound()
    expected = whole.receive(stream, 1)
    by_byte: list[Event] = []
    for place in range(len(stream)):
        by_byte += bytewise.receive(stream[place : place + 1], 1)
    by_piece: list[Event] = []
    for place in range(0, len(stream), size):
        by_piece += pieces.receive(stream[place : place + size], 1)
    assert by_byte == expected
    assert by_piece == expected
    kinds = [type(event) for event in expected]  # events are tuples, which compare by content alone
    assert [type(event) for event in by_byte] == [type(event) for event in by_piece] == kinds
    assert whole.outgoing() == bytewise.outgoing() == pieces.outgoing()


@given(st.binary(max_size=400), st.sampled_from(Role))
def test_garbage_never_raises(octets: bytes, role: Role) -> None:
    session = Session(role) if role is Role.SMSC else bound()
    session.receive(octets, 0)
    session.tick(1)
    session.outgoing()


@given(st.lists(st.tuples(st.sampled_from(sorted(p.KINDS)), st.integers(0, 5), st.binary(max_size=60)), max_size=8))
def test_garbled_pdus_never_raise(frames: list[tuple[int, int, bytes]]) -> None:
    session = bound()
    session.submit_many([(BODY, token) for token in range(5)], 0)
    for command, sequence, body in frames:
        session.receive(p.HEADER.pack(16 + len(body), command, 0, sequence) + body, 0)
    session.tick(1)


def test_a_promise_of_much_takes_no_memory() -> None:
    """A header that announces the longest PDU, and then nothing or a trickle."""
    session = bound()
    tracemalloc.start()
    session.receive(p.HEADER.pack(65_536, p.Command.DELIVER_SM, 0, 1), 0)
    for _ in range(1000):
        session.receive(b"x", 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000


def test_a_flood_that_is_out_of_step_takes_no_memory() -> None:
    session = bound()
    assert isinstance(session.receive(b"\xff" * 100_000, 0)[-1], Broken)
    session.outgoing()
    tracemalloc.start()
    for _ in range(100):
        session.receive(b"\xff" * 100_000, 0)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10_000


class Tokens(RuleBasedStateMachine):
    """Whatever happens, in whatever order: the window holds, and every token is reported exactly once."""

    window = 4

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.session = bound(window=self.window, response_timeout=10, enquire_link=1000)
        self.smsc = Session(Role.SMSC, Settings(max_unanswered=10_000, bind_timeout=1000))
        (asked,) = self.smsc.receive(p.encode(p.BindTransceiver(sequence=1)), 0)
        self.smsc.respond_bind(asked.sequence)  # type: ignore[union-attr]
        self.smsc.outgoing()
        self.given = 0
        self.reported: Counter[object] = Counter()
        self.late: Counter[object] = Counter()
        self.asked: list[SubmitRequest] = []
        self.closed = False

    def note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, SubmitResult | Timeout):
                self.reported[event.token] += 1
            elif isinstance(event, StrayResponse) and event.late:
                assert self.reported[event.token] == 1
                self.late[event.token] += 1

    @precondition(lambda self: not self.closed)
    @rule(count=st.integers(0, 4))
    def submit(self, count: int) -> None:
        count = min(count, self.session.free)
        self.session.submit_many([(BODY, self.given + place) for place in range(count)], self.now)
        self.given += count
        events = self.smsc.receive(self.session.outgoing(), self.now)
        self.asked += [event for event in events if isinstance(event, SubmitRequest)]

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), twice=st.booleans(), keep=st.booleans())
    def answer(self, data: st.DataObject, twice: bool, keep: bool) -> None:
        request = data.draw(st.sampled_from(self.asked))
        if not keep:
            self.asked.remove(request)
        octets = p.encode(p.SubmitSmResp(sequence=request.sequence, message_id="x"))
        self.note(self.session.receive(octets * (1 + twice), self.now))

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.note(self.session.tick(self.now))

    @precondition(lambda self: not self.closed)
    @rule()
    def lose(self) -> None:
        self.closed = True
        for token in self.session.close():
            self.reported[token] += 1
        assert self.session.outstanding == 0

    @invariant()
    def the_books_balance(self) -> None:
        assert 0 <= self.session.outstanding <= self.window
        assert all(count == 1 for count in self.reported.values())
        assert all(count == 1 for count in self.late.values())
        assert len(self.reported) + self.session.outstanding == self.given


TestTokens: Callable[..., Any] = Tokens.TestCase
