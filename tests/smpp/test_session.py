from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from todoke.smpp import pdu as p
from todoke.smpp.errors import FieldError, SmppError, StateError, WindowFullError
from todoke.smpp.session import (
    BindRefused,
    BindRequested,
    Bound,
    Broken,
    DeadLink,
    Deliver,
    DeliverResult,
    DeliverTemplate,
    Notice,
    Rejected,
    Requested,
    RequestResult,
    Role,
    Session,
    Settings,
    State,
    StrayResponse,
    SubmitRequest,
    SubmitResult,
    SubmitTemplate,
    Timeout,
    Unbound,
)
from todoke.smpp.tlv import Tlv, pack_text

BODY = SubmitTemplate("Todoke").body("8190", b"hi")
MAIL = DeliverTemplate("Todoke").body("8190", b"yes")


def header(octets: bytes) -> p.Header:
    found = p.read_header(octets)
    assert found is not None
    return found


def frame(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return p.HEADER.pack(16 + len(body), command, status, sequence) + body


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (p.BindTransmitter, State.BOUND_TX),
        (p.BindReceiver, State.BOUND_RX),
        (p.BindTransceiver, State.BOUND_TRX),
    ],
)
def test_each_bind_leads_to_its_state(make_pair: Callable[..., Any], kind: type[p.Bind], state: State) -> None:
    pair = make_pair(kind, window=5)
    assert pair.bound == [Bound("centre", 0x34)]
    assert pair.esme.state is pair.smsc.state is state
    assert pair.esme.free == (0 if state is State.BOUND_RX else 5)
    assert pair.smsc.deliver_window == (0 if state is State.BOUND_TX else 5)


def test_a_refused_bind_may_be_tried_again() -> None:
    esme, smsc = Session(Role.ESME), Session(Role.SMSC)
    esme.bind(p.BindTransceiver(), 0)
    (asked,) = smsc.receive(esme.outgoing(), 0)
    assert isinstance(asked, BindRequested)
    smsc.respond_bind(asked.sequence, 0x0E)
    assert esme.receive(smsc.outgoing(), 0) == [BindRefused(0x0E)]
    assert esme.state is smsc.state is State.OPEN
    esme.bind(p.BindTransceiver(), 0)
    assert len(smsc.receive(esme.outgoing(), 0)) == 1


def test_a_bind_that_is_nacked_is_refused() -> None:
    esme = Session(Role.ESME)
    number = esme.bind(p.BindTransceiver(), 0)
    assert esme.receive(frame(p.Command.GENERIC_NACK, number, status=3), 0) == [BindRefused(3)]


def test_a_bind_that_does_not_fit_changes_nothing() -> None:
    esme = Session(Role.ESME)
    with pytest.raises(FieldError):
        esme.bind(p.BindTransceiver(password="far too long"), 0)
    assert esme.state is State.OPEN
    assert esme.outgoing() == b""


def test_submits_and_their_results(pair: Any) -> None:
    pair.esme.submit(BODY, "one", pair.now)
    pair.esme.submit_many([(BODY, "two"), (BODY, "three")], pair.now)
    assert (pair.esme.free, pair.esme.outstanding) == (7, 3)
    requests = pair.to_smsc()
    assert [type(request) for request in requests] == [SubmitRequest] * 3
    assert requests[0].destination == "8190"
    assert requests[0].payload == b"hi"
    assert pair.smsc.unanswered == 3
    pair.smsc.respond_submit(requests[2].sequence, "c3")
    pair.smsc.respond_submit(requests[0].sequence, "", 0x58)
    pair.smsc.respond_submit(requests[1].sequence, "x" * 64)
    assert pair.to_esme() == [
        SubmitResult("three", 0, "c3"),
        SubmitResult("one", 0x58, ""),
        SubmitResult("two", 0, "x" * 64),
    ]
    assert (pair.esme.free, pair.smsc.unanswered) == (10, 0)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b"", ""),
        (b"\0", ""),
        (b"abc\0", "abc"),
        (b"abc", "abc"),
        (b"abc\0" + pack_text(0x001D, "why"), "abc"),
        (b"x" * 65 + b"\0", ""),
        (b"x" * 64 + b"\0", "x" * 64),
    ],
)
def test_a_message_id_in_every_form_that_is_met(pair: Any, body: bytes, message_id: str) -> None:
    number = pair.esme.submit(BODY, "token", pair.now)
    answer = frame(p.Command.SUBMIT_SM_RESP, number, body)
    assert pair.esme.receive(answer, pair.now) == [SubmitResult("token", 0, message_id)]


def test_a_nack_answers_a_submit(pair: Any) -> None:
    first, second = (pair.esme.submit(BODY, token, pair.now) for token in "ab")
    octets = frame(p.Command.GENERIC_NACK, first, status=3) + frame(p.Command.GENERIC_NACK, second, status=0)
    assert pair.esme.receive(octets, pair.now) == [SubmitResult("a", 3, ""), SubmitResult("b", 0xFF, "")]


def test_the_window_is_never_exceeded(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(window=2)
    pair.esme.submit(BODY, 1, pair.now)
    with pytest.raises(WindowFullError):
        pair.esme.submit_many([(BODY, 2), (BODY, 3)], pair.now)
    pair.esme.request(p.QuerySm(message_id="1"), 2, pair.now)
    assert pair.esme.free == 0
    with pytest.raises(WindowFullError):
        pair.esme.submit(BODY, 3, pair.now)
    with pytest.raises(WindowFullError):
        pair.esme.request(p.QuerySm(message_id="1"), 3, pair.now)
    assert len(pair.to_smsc()) == 2


def test_sequence_numbers_come_round(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(window=10)
    pair.esme._window.start_at(p.MAX_SEQUENCE - 1)
    pair.esme.submit(BODY, "a", pair.now)
    pair.esme.submit_many([(BODY, "b"), (BODY, "c"), (BODY, "d")], pair.now)
    requests = pair.to_smsc()
    assert [request.sequence for request in requests] == [p.MAX_SEQUENCE - 1, p.MAX_SEQUENCE, 1, 2]
    for request in requests:
        pair.smsc.respond_submit(request.sequence, "x")
    assert [result.token for result in pair.to_esme()] == list("abcd")


def test_a_delivery_is_answered_only_when_told_to(pair: Any) -> None:
    pair.smsc.deliver_many([(MAIL, "first"), (MAIL, "second")], pair.now)
    first, second = pair.to_esme()
    assert type(first) is Deliver
    assert (first.source, first.destination, first.payload, first.epoch) == ("8190", "Todoke", b"yes", 7)
    assert pair.esme.outgoing() == b""
    assert pair.esme.respond_deliver(second.sequence)
    assert pair.esme.respond_deliver(first.sequence, 0x64)
    assert not pair.esme.respond_deliver(first.sequence)
    assert pair.to_smsc() == [DeliverResult("second", 0), DeliverResult("first", 0x64)]


def test_data_sm_is_a_message_both_ways(pair: Any) -> None:
    pdu = p.DataSm(source_addr="8190", destination_addr="1", esm_class=4, tlvs=(Tlv(0x0424, b"long"),))
    pair.smsc.request(pdu, "down", pair.now)
    (deliver,) = pair.to_esme()
    assert (type(deliver), deliver.payload, deliver.esm_class) == (Deliver, b"long", 4)
    pair.esme.respond_deliver(deliver.sequence)
    ((token, answer),) = pair.to_smsc()
    assert (token, type(answer)) == ("down", p.DataSmResp)
    pair.esme.request(pdu, "up", pair.now)
    (submit,) = pair.to_smsc()
    assert type(submit) is SubmitRequest
    pair.smsc.respond_submit(submit.sequence, "id7")
    ((token, answer),) = pair.to_esme()
    assert (token, answer.message_id) == ("up", "id7")


@pytest.mark.parametrize(
    ("request_pdu", "response"),
    [
        (p.QuerySm(message_id="7"), p.QuerySmResp(message_id="7", message_state=2)),
        (p.CancelSm(message_id="7"), p.CancelSmResp()),
        (p.ReplaceSm(message_id="7"), p.ReplaceSmResp(status=0x13)),
        (p.SubmitMulti(destinations=(p.Destination("1"),)), p.SubmitMultiResp(message_id="8")),
    ],
)
def test_other_requests(pair: Any, request_pdu: p.Pdu, response: Any) -> None:
    number = pair.esme.request(request_pdu, "token", pair.now)
    (asked,) = pair.to_smsc()
    assert isinstance(asked, Requested)
    assert (type(asked.pdu), asked.pdu.sequence) == (type(request_pdu), number)
    answer = replace(response, sequence=number)
    assert pair.smsc.respond(answer)
    assert not pair.smsc.respond(answer)
    assert pair.to_esme() == [RequestResult("token", answer)]


def test_what_takes_no_answer(pair: Any) -> None:
    pair.smsc.request(p.AlertNotification(source_addr="8190"), None, pair.now)
    (notice,) = pair.to_esme()
    assert isinstance(notice, Notice)
    assert pair.esme.outgoing() == b""
    assert pair.smsc.outstanding == 0
    esme, smsc = Session(Role.ESME), Session(Role.SMSC)
    smsc.request(p.Outbind(system_id="centre"), None, 0)
    assert [type(event) for event in esme.receive(smsc.outgoing(), 0)] == [Notice]


def test_responses_that_nothing_waits_for(pair: Any) -> None:
    number = pair.esme.submit(BODY, "token", pair.now)
    pair.esme.outgoing()
    answer = frame(p.Command.SUBMIT_SM_RESP, number, b"id\0")
    assert pair.esme.receive(answer + answer, pair.now) == [
        SubmitResult("token", 0, "id"),
        StrayResponse(p.Command.SUBMIT_SM_RESP, number, 0, "id", False, None),
    ]
    for command in (p.Command.QUERY_SM_RESP, p.Command.ENQUIRE_LINK_RESP, p.Command.GENERIC_NACK, 0x80000099):
        (event,) = pair.esme.receive(frame(command, 99, status=8), pair.now)
        assert event == StrayResponse(command, 99, 8, "", False, None)
    assert pair.esme.outgoing() == b""
    (event,) = pair.smsc.receive(frame(p.Command.DELIVER_SM_RESP, 99), pair.now)
    assert isinstance(event, StrayResponse)


def test_a_response_of_the_wrong_kind_leaves_the_request_waiting(pair: Any) -> None:
    number = pair.esme.submit(BODY, "token", pair.now)
    (event,) = pair.esme.receive(frame(p.Command.DATA_SM_RESP, number, b"id\0"), pair.now)
    assert isinstance(event, StrayResponse)
    assert pair.esme.outstanding == 1


def test_a_response_that_is_late_names_its_token(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(window=2, response_timeout=10, enquire_link=60)
    first = pair.esme.submit(BODY, "a", pair.now)
    pair.esme.submit(BODY, "b", pair.now + 5)
    assert pair.esme.next_tick == pair.now + 10
    assert pair.esme.tick(pair.now + 9.9) == []
    assert pair.esme.tick(pair.now + 10) == [Timeout("a", p.Command.SUBMIT_SM, first)]
    assert pair.esme.free == 1
    answer = frame(p.Command.SUBMIT_SM_RESP, first, b"id\0")
    late = StrayResponse(p.Command.SUBMIT_SM_RESP, first, 0, "id", True, "a")
    assert pair.esme.receive(answer, pair.now + 11) == [late]
    assert pair.esme.receive(answer, pair.now + 11) == [late._replace(late=False, token=None)]
    assert pair.esme.close() == ["b"]


def test_other_requests_time_out_too(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(response_timeout=10, enquire_link=60)
    number = pair.esme.request(p.QuerySm(message_id="1"), "q", pair.now)
    assert pair.esme.tick(pair.now + 10) == [Timeout("q", p.Command.QUERY_SM, number)]


def test_what_is_remembered_of_late_requests_is_bounded(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(window=5, response_timeout=1, enquire_link=60, remember_late=2)
    pair.esme.submit_many([(BODY, token) for token in range(5)], pair.now)
    timeouts = pair.esme.tick(pair.now + 1)
    strays = [
        pair.esme.receive(frame(p.Command.SUBMIT_SM_RESP, timeout.sequence), pair.now + 2)[0] for timeout in timeouts
    ]
    assert [stray.token for stray in strays] == [None, None, None, 3, 4]


def test_a_silent_peer_is_asked_and_then_given_up(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(enquire_link=20, response_timeout=10)
    start = pair.now
    assert pair.esme.next_tick == start + 20
    assert pair.esme.tick(start + 20) == []
    question = pair.esme.outgoing()
    assert header(question).command == p.Command.ENQUIRE_LINK
    assert pair.smsc.receive(question, start + 20) == []
    assert pair.esme.receive(pair.smsc.outgoing(), start + 21) == []
    assert pair.esme.next_tick == start + 41
    pair.esme.tick(start + 41)
    assert pair.esme.outgoing()
    (dead,) = pair.esme.tick(start + 51)
    assert isinstance(dead, DeadLink)
    assert pair.esme.closed
    assert pair.esme.next_tick == float("inf")
    assert pair.esme.tick(start + 99) == []


def test_a_peer_that_speaks_but_never_answers_enquiries_is_alive(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(enquire_link=20, response_timeout=10)
    pair.esme.tick(pair.now + 20)
    pair.smsc.deliver(MAIL, 1, pair.now)
    pair.esme.receive(pair.smsc.outgoing(), pair.now + 25)
    assert pair.esme.tick(pair.now + 30) == []
    assert pair.esme.bound


def test_a_request_that_waits_does_not_kill_the_link(make_pair: Callable[..., Any]) -> None:
    """Only an enquiry without an answer does."""
    pair = make_pair(enquire_link=20, response_timeout=10)
    pair.esme.submit(BODY, "x", pair.now + 12)
    pair.esme.tick(pair.now + 20)
    assert [type(event) for event in pair.esme.tick(pair.now + 22)] == [Timeout]
    assert pair.esme.bound


def test_binds_that_take_too_long() -> None:
    esme = Session(Role.ESME, Settings(bind_timeout=5), now=0)
    esme.bind(p.BindTransceiver(), 1)
    assert esme.next_tick == 6
    assert [type(event) for event in esme.tick(6)] == [DeadLink]
    smsc = Session(Role.SMSC, Settings(bind_timeout=5), now=0)
    assert smsc.tick(4.9) == []
    assert [type(event) for event in smsc.tick(5)] == [DeadLink]


def test_unbinding(pair: Any) -> None:
    pair.esme.unbind(pair.now)
    assert pair.esme.free == 0
    assert pair.to_smsc() == [Unbound(by_peer=True)]
    assert pair.to_esme() == [Unbound(by_peer=False)]
    assert pair.esme.closed
    assert pair.smsc.closed
    with pytest.raises(StateError):
        pair.esme.unbind(pair.now)


def test_responses_count_after_the_peer_unbound(pair: Any) -> None:
    number = pair.esme.submit(BODY, "token", pair.now)
    pair.esme.outgoing()
    octets = frame(p.Command.UNBIND, 1) + frame(p.Command.SUBMIT_SM_RESP, number, b"id\0")
    assert pair.esme.receive(octets, pair.now) == [Unbound(by_peer=True), SubmitResult("token", 0, "id")]
    assert header(pair.esme.outgoing()).command == p.Command.UNBIND_RESP


def test_both_unbind_at_once(pair: Any) -> None:
    pair.esme.unbind(pair.now)
    pair.smsc.unbind(pair.now)
    asked = pair.esme.outgoing()
    assert pair.to_esme() == [Unbound(by_peer=True)]
    assert pair.smsc.receive(asked, pair.now) == [Unbound(by_peer=True)]


def test_an_unbind_without_answer_ends(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(response_timeout=10)
    pair.esme.unbind(pair.now)
    assert [type(event) for event in pair.esme.tick(pair.now + 10)] == [DeadLink]


def test_reading_pauses_while_too_much_is_unanswered(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(max_unanswered=2, response_timeout=10, enquire_link=20)
    pair.esme.submit(BODY, "token", pair.now)
    pair.smsc.deliver_many([(MAIL, 1), (MAIL, 2), (MAIL, 3)], pair.now)
    events = pair.to_esme()
    assert len(events) == 3
    assert pair.esme.paused_reading
    # The answers may lie unread before us, so nothing is given up and nobody is asked.
    assert pair.esme.tick(pair.now + 60) == []
    assert pair.esme.outgoing() == frame(4, 2, BODY)
    for event in events[:2]:
        pair.esme.respond_deliver(event.sequence)
    assert not pair.esme.paused_reading
    assert pair.esme.next_tick == pair.now + 70
    assert [type(event) for event in pair.esme.tick(pair.now + 70)] == [Timeout]


def test_requests_that_are_not_allowed_are_answered_so(make_pair: Callable[..., Any]) -> None:
    pair = make_pair(p.BindReceiver)
    for octets, answer in (
        (frame(p.Command.SUBMIT_SM, 5, BODY), p.Command.SUBMIT_SM_RESP),
        (frame(p.Command.DELIVER_SM, 5, MAIL), p.Command.DELIVER_SM_RESP),
        (p.encode(p.QuerySm(sequence=5)), p.Command.QUERY_SM_RESP),
    ):
        (event,) = pair.smsc.receive(octets, pair.now)
        assert isinstance(event, Rejected)
        assert event.status == 4
        assert header(pair.smsc.outgoing()) == p.Header(16, answer, 4, 5)
    (event,) = pair.smsc.receive(p.encode(p.BindReceiver(sequence=5)), pair.now)
    assert header(pair.smsc.outgoing()) == p.Header(16, p.Command.BIND_RECEIVER_RESP, 5, 5)
    (event,) = pair.esme.receive(p.encode(p.BindReceiver(sequence=5)), pair.now)
    assert header(pair.esme.outgoing()).status == 4


def test_requests_that_cannot_be_read_are_answered_so(pair: Any) -> None:
    (event,) = pair.esme.receive(frame(p.Command.DELIVER_SM, 5, b"x" * 40), pair.now)
    assert (type(event), event.status) == (Rejected, 1)
    assert header(pair.esme.outgoing()) == p.Header(16, p.Command.DELIVER_SM_RESP, 1, 5)
    (event,) = pair.esme.receive(frame(p.Command.DELIVER_SM, 5, MAIL + b"\1"), pair.now)
    assert header(pair.esme.outgoing()).status == 0xC0
    (event,) = pair.esme.receive(frame(0x99, 6), pair.now)
    assert header(pair.esme.outgoing()) == p.Header(16, p.Command.GENERIC_NACK, 3, 6)
    (event,) = pair.esme.receive(frame(p.Command.ALERT_NOTIFICATION, 6), pair.now)
    assert pair.esme.outgoing() == b""
    (event,) = pair.esme.receive(frame(p.Command.QUERY_SM_RESP, 6, b"x"), pair.now)
    assert isinstance(event, Rejected)
    assert pair.esme.outgoing() == b""
    assert pair.esme.bound
    assert pair.esme.unanswered == 0


def test_a_stream_out_of_step_is_not_read_on(pair: Any) -> None:
    number = pair.esme.submit(BODY, "token", pair.now)
    pair.esme.outgoing()
    octets = frame(p.Command.SUBMIT_SM_RESP, number, b"id\0") + b"GET / HTTP/1.1\r\n\r\n"
    result, broken = pair.esme.receive(octets, pair.now)
    assert result == SubmitResult("token", 0, "id")
    assert isinstance(broken, Broken)
    assert header(pair.esme.outgoing()) == p.Header(16, p.Command.GENERIC_NACK, 2, 0)
    assert pair.esme.closed
    assert pair.esme.receive(octets, pair.now) == []


def test_what_the_owner_must_not_do(pair: Any) -> None:
    for wrong in (
        lambda: pair.smsc.bind(p.BindTransceiver(), 0),
        lambda: pair.esme.bind(p.BindTransceiver(), 0),
        lambda: pair.smsc.submit(BODY, 1, 0),
        lambda: pair.smsc.submit_many([], 0),
        lambda: pair.esme.deliver(MAIL, 1, 0),
        lambda: pair.esme.deliver_many([], 0),
        lambda: pair.esme.request(p.AlertNotification(), 1, 0),
        lambda: pair.esme.request(p.EnquireLink(), 1, 0),
        lambda: pair.smsc.respond_bind(77),
        lambda: Session(Role.ESME).submit(BODY, 1, 0),
    ):
        with pytest.raises(StateError):
            wrong()
    with pytest.raises(FieldError):
        pair.smsc.respond_submit(1, "x" * 65)
    assert not pair.smsc.respond_submit(1, "x")
    assert pair.esme.outgoing() == pair.smsc.outgoing() == b""


@pytest.mark.parametrize(
    "wrong",
    [{"window": 0}, {"response_timeout": 0}, {"enquire_link": 3601}, {"max_pdu": 15}, {"max_unanswered": 0}],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(SmppError):
        Settings(**wrong)
