"""SMPP: what a message costs in the codec and the session, beside the generic codec and beside the bare octets.

Every figure is the median of several runs that alternate with the reference's in one process, in items a second of CPU
time: other work on the machine then weighs on both alike.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from struct import Struct

from todoke.smpp import pdu as p
from todoke.smpp import tlv
from todoke.smpp.receipt import parse
from todoke.smpp.session import Deliver, DeliverTemplate, Role, Session, Settings, SubmitTemplate

ROUNDS = 5
COUNT = 10_000
WINDOW = 100

_HEADER = Struct(">IIII")
_TEXT = b"Hello, your parcel arrives today between 10 and 12. Reply STOP to opt out."
_RECEIPT = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2511220935 done date:2511220936 stat:DELIVRD err:000 text:Hello, your"
)
_KEYS = re.compile(r"(id|sub|dlvrd|submit date|done date|stat|err|text):(\S*)", re.IGNORECASE)
_NUMBERS = [f"8190{number:08}" for number in range(COUNT)]
_TEMPLATE = SubmitTemplate("12025550100", 1, 1, 1, 1, registered_delivery=1)

Work = Callable[[], object]


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    yield _case("codec.submit", _submit, _submit_generic)
    yield _case("codec.submit.floor", _submit, _submit_floor())
    answers = _answers()
    yield _case("codec.submit_resp", lambda: _results(answers), lambda: _decode_all(answers))
    delivery = DeliverTemplate("12025550100").body(
        "819012345678",
        _RECEIPT,
        esm_class=4,
        tlvs=tlv.pack_text(tlv.RECEIPTED_MESSAGE_ID, "0123456789") + tlv.pack_int(tlv.MESSAGE_STATE, 2),
    )
    frames = [_HEADER.pack(16 + len(delivery), 5, 0, number + 1) + delivery for number in range(COUNT)]
    chunks = [b"".join(frames[start : start + WINDOW]) for start in range(0, COUNT, WINDOW)]
    yield _case("codec.deliver", lambda: _deliveries(chunks), lambda: _deliveries_generic(frames))
    (event,) = _deliveries([frames[0]])
    yield _case("codec.receipt", lambda: _receipts(event), lambda: [_findall(_RECEIPT) for _ in range(COUNT)])
    yield _case("codec.client.floor", lambda: _client(answers), _client_floor(answers))


def _bound() -> Session:
    esme = Session(Role.ESME, Settings(window=WINDOW, max_unanswered=2 * COUNT))
    number = esme.bind(p.BindTransceiver(), 0)
    esme.receive(p.encode(p.BindTransceiverResp(sequence=number)), 0)
    esme.outgoing()
    return esme


def _submit(answers: list[bytes] | None = None) -> None:
    """Make, queue and join submits, a window at a time; their responses take them off again."""
    esme = _bound()
    body, answers = _TEMPLATE.body, answers or []
    for start in range(0, COUNT, WINDOW):
        esme.submit_many([(body(number, _TEXT), number) for number in _NUMBERS[start : start + WINDOW]], 0)
        esme.outgoing()
        if answers:
            esme.receive(answers[start // WINDOW], 0)
        else:
            esme._window.drain()


def _submit_generic() -> None:
    for start in range(0, COUNT, WINDOW):
        b"".join(
            [
                p.encode(
                    p.SubmitSm(
                        sequence=start,
                        source_addr_ton=1,
                        source_addr_npi=1,
                        source_addr="12025550100",
                        dest_addr_ton=1,
                        dest_addr_npi=1,
                        destination_addr=number,
                        registered_delivery=1,
                        short_message=_TEXT,
                    )
                )
                for number in _NUMBERS[start : start + WINDOW]
            ]
        )


def _submit_floor() -> Work:
    """Headers before bodies that are there already."""
    bodies = [_TEMPLATE.body(number, _TEXT) for number in _NUMBERS]

    def work() -> None:
        pack = _HEADER.pack
        for start in range(0, COUNT, WINDOW):
            parts: list[bytes] = []
            for body in bodies[start : start + WINDOW]:
                parts += pack(16 + len(body), 4, 0, start), body
            b"".join(parts)

    return work


def _answers() -> list[bytes]:
    """A read's worth of submit_sm_resp each; the bind took sequence number 1."""
    body = b"0123456789\0"
    return [
        b"".join(
            [_HEADER.pack(16 + len(body), 0x80000004, 0, number + 2) + body for number in range(start, start + WINDOW)]
        )
        for start in range(0, COUNT, WINDOW)
    ]


def _results(answers: list[bytes]) -> None:
    esme = _bound()
    waiting = [(b"", number) for number in range(WINDOW)]
    for answer in answers:
        esme.submit_many(waiting, 0)
        esme._out.clear()
        esme.receive(answer, 0)


def _decode_all(chunks: list[bytes]) -> None:
    for chunk in chunks:
        position = 0
        while header := p.read_header(chunk, position):
            p.decode_body(
                header.command, header.status, header.sequence, chunk, position + 16, position + header.length
            )
            position += header.length


def _deliveries(chunks: list[bytes]) -> list[Deliver]:
    """Read and acknowledge, a read's worth at a time; returns the last."""
    esme = _bound()
    events: list[Deliver] = []
    for chunk in chunks:
        events = [event for event in esme.receive(chunk, 0) if type(event) is Deliver]
        for event in events:
            esme.respond_deliver(event.sequence)
        esme.outgoing()
    return events


def _deliveries_generic(frames: list[bytes]) -> None:
    for start in range(0, COUNT, WINDOW):
        deliveries = [p.decode(frame) for frame in frames[start : start + WINDOW]]
        b"".join([p.encode(p.DeliverSmResp(sequence=delivery.sequence)) for delivery in deliveries])


def _receipts(event: Deliver) -> None:
    for _ in range(COUNT):
        parse(event)


def _findall(text: bytes) -> dict[str, str]:
    return dict(_KEYS.findall(text.decode("latin-1")))


def _client(answers: list[bytes]) -> None:
    _submit(answers)


def _client_floor(answers: list[bytes]) -> Work:
    """Bodies that are there already, and of the responses only the headers."""
    submit = _submit_floor()

    def work() -> None:
        submit()
        unpack = _HEADER.unpack_from
        for answer in answers:
            position = 0
            while position < len(answer):
                position += unpack(answer, position)[0]

    return work


def _case(name: str, work: Work, reference: Work) -> dict[str, object]:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        ours.append(COUNT / _seconds(work))
        theirs.append(COUNT / _seconds(reference))
    return {
        "name": name,
        "value": round(statistics.median(ours)),
        "unit": "messages/s",
        "reference": round(statistics.median(theirs)),
        "ratio": round(statistics.median([one / other for one, other in zip(ours, theirs, strict=True)]), 2),
    }


def _seconds(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
