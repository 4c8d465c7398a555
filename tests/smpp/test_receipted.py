"""The short way of receipts says what the long way says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp.errors import SmppError
from todoke.smpp.pdu import BindTransceiver, BindTransceiverResp, DeliverSm, encode, encode_body
from todoke.smpp.receipt import State, parse
from todoke.smpp.session import Deliver, Receipted, Role, Session, Settings
from todoke.smpp.session.incoming import make_deliver, read_message
from todoke.smpp.session.receipted import read
from todoke.smpp.tlv import Tlv

TEXT = b"id:%b sub:001 dlvrd:001 submit date:2511271934 done date:251127193459 stat:%b err:%b text:%b"
ID, STATE, REFERENCE, NETWORK = 0x1E, 0x427, 0x204, 0x423


def body(
    text: bytes = TEXT % (b"A1", b"DELIVRD", b"000", b"Hi"),
    *tlvs: tuple[int, bytes],
    esm_class: int = 4,
    data_coding: int = 0,
    registered_delivery: int = 0,
) -> bytes:
    return encode_body(
        DeliverSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="819012345678",
            destination_addr="72345",
            esm_class=esm_class,
            data_coding=data_coding,
            registered_delivery=registered_delivery,
            short_message=text,
            tlvs=tuple(Tlv(*t) for t in tlvs),
        )
    )


def both(octets: bytes) -> Receipted | None:
    """What the short way says, checked against the long way."""
    data = b"before" + octets + b"\0\0\0behind"
    short = read(data, 6, 6 + len(octets), 7, 3)
    if short is not None:
        deliver = read_message(make_deliver, data, 6, 6 + len(octets), 7, 3, 5)
        long = parse(deliver)
        assert long is not None
        assert long.state.final
        assert short == Receipted(
            7,
            3,
            long.message_id,
            long.state,
            long.error,
            deliver.source,
            deliver.destination,
            deliver.user_message_reference,
        )
    return short


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (body(), ("A1", State.DELIVERED, None, None)),
        (body(TEXT[:-8] % (b"A1", b"DELIVRD", b"000")), ("A1", State.DELIVERED, None, None)),
        (body(TEXT % (b"00-a.b", b"UNDELIV", b"0E1", b"")), ("00-a.b", State.UNDELIVERABLE, "0E1", None)),
        (body(TEXT % (b"\xe9", b"EXPIRED", b"001", b" text: err:7")), ("é", State.EXPIRED, "001", None)),
        (body(registered_delivery=1, data_coding=3), ("A1", State.DELIVERED, None, None)),
        (
            body(TEXT % (b"A1", b"REJECTD", b"5", b""), (ID, b"A1\0"), (STATE, b"\x08")),
            ("A1", State.REJECTED, "5", None),
        ),
        (
            body(TEXT % (b"A1", b"DELIVRD", b"000", b""), (ID, b"A1\0"), (STATE, b"\x02"), (REFERENCE, b"\1\2")),
            ("A1", State.DELIVERED, None, 258),
        ),
        (body(TEXT % (b"A1", b"DELIVRD", b"000", b""), (REFERENCE, b"\1\2")), ("A1", State.DELIVERED, None, 258)),
    ],
)
def test_the_usual_receipts_go_the_short_way(octets: bytes, said: tuple[str, State, str | None, int | None]) -> None:
    short = both(octets)
    assert short is not None
    assert (short.message_id, short.state, short.error, short.reference) == said
    assert (short.source, short.destination) == ("819012345678", "72345")


@pytest.mark.parametrize(
    "octets",
    [
        body(esm_class=0),
        body(esm_class=0x24),
        body(esm_class=0x44),
        body(data_coding=8),
        body(b""),
        body(b"id:A1 stat:DELIVRD err:000 text:"),
        body(TEXT % (b"A1", b"ACCEPTD", b"000", b"")),
        body(TEXT % (b"A1", b"MYSTERY", b"000", b"")),
        body(TEXT % (b"A\0", b"DELIVRD", b"000", b"")),
        body(TEXT % (b"A1", b"DELIVRD", b"0123456789", b"")),
        body(TEXT % (b"A1", b"DELIVRD", b"000", b"") + b"x", (ID, b"B2\0"), (STATE, b"\x02")),
        body(TEXT % (b"A1", b"DELIVRD", b"000", b""), (ID, b"A1\0")),
        body(TEXT % (b"A1", b"DELIVRD", b"000", b""), (ID, b"A1\0"), (STATE, b"\x05")),
        body(TEXT % (b"A1", b"DELIVRD", b"000", b"")) + b"\2\4\0\1\1",
        body(TEXT % (b"A1", b"DELIVRD", b"000", b""), (ID, b"A1\0"), (STATE, b"\x02"), (NETWORK, b"\3\0\7")),
        body()[:-1],
        b"",
    ],
)
def test_everything_else_is_left_to_the_long_way(octets: bytes) -> None:
    assert both(octets) is None


pieces = st.sampled_from(
    [
        b"",
        b" ",
        b"\0",
        b"\x04",
        b"id:",
        b"A1",
        b" stat:",
        b"DELIVRD",
        b" err:",
        b"0",
        b" text:",
        b"\0\x1e\0\3A1\0",
        b"\xff",
    ]
)


@given(
    st.sampled_from([(), ((ID, b"A1\0"), (STATE, b"\x02")), ((REFERENCE, b"\0\7"),)]),
    st.lists(st.tuples(st.integers(0, 160), st.integers(0, 3), pieces | st.binary(max_size=3)), max_size=3),
)
def test_a_damaged_receipt_is_never_read_otherwise(
    tlvs: tuple[tuple[int, bytes], ...], edits: list[tuple[int, int, bytes]]
) -> None:
    octets = body(TEXT % (b"A1", b"DELIVRD", b"000", b"Hi"), *tlvs)
    for at, remove, insert in edits:
        octets = octets[:at] + insert + octets[at + remove :]
    try:
        assert both(octets) is not None or edits
    except SmppError as error:  # the long way refuses what the short way took
        pytest.fail(str(error))


@pytest.mark.parametrize("wanted", [True, False])
def test_a_session_reads_receipts_when_it_is_told_to(wanted: bool) -> None:
    session = Session(Role.ESME, Settings(read_receipts=wanted), epoch=4)
    session.bind(BindTransceiver(system_id="x"), 0.0)
    session.receive(encode(BindTransceiverResp(system_id="y"), sequence=1), 0.0)
    session.outgoing()
    receipt = encode(DeliverSm(esm_class=4, short_message=TEXT % (b"A1", b"DELIVRD", b"000", b"")), sequence=9)
    (event,) = session.receive(receipt, 0.0)
    assert isinstance(event, Receipted if wanted else Deliver)
    assert (event.sequence, event.epoch, session.unanswered) == (9, 4, 1)
    assert session.respond_delivers([(9, 0), (9, 0), (8, 0)]) == 1
    assert session.outgoing() == b"\0\0\0\x11\x80\0\0\5\0\0\0\0\0\0\0\x09\0"
    assert not session.unanswered
