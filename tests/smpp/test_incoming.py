"""The fast way of reading messages against the generic one: the same values, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp.errors import SmppError
from todoke.smpp.session import Deliver, SubmitRequest
from todoke.smpp.session.incoming import make_deliver, make_submit, read_message
from todoke.smpp.tlv import MESSAGE_PAYLOAD

text = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
octet = st.integers(0, 255)
moments = st.sampled_from(["", "000003000000000R"])


def read(make: Any, octets: bytes, following: bytes = b"") -> Any:
    return read_message(make, octets + following, 16, len(octets), 9, 3, p.Command.DELIVER_SM)


@given(text, text, st.lists(octet, min_size=9, max_size=9), moments, moments, st.binary(max_size=254), st.data())
def test_the_fast_way_reads_what_the_generic_one_does(
    source: str, destination: str, octets: list[int], schedule: str, validity: str, payload: bytes, data: st.DataObject
) -> None:
    tags = data.draw(st.dictionaries(st.integers(0x1400, 0x3FFF), st.binary(max_size=20), max_size=3))
    if data.draw(st.booleans()):
        tags[MESSAGE_PAYLOAD] = b"long"
    pdu = p.DeliverSm(
        sequence=9,
        service_type="CMT",
        source_addr_ton=octets[0],
        source_addr_npi=octets[1],
        source_addr=source,
        dest_addr_ton=octets[2],
        dest_addr_npi=octets[3],
        destination_addr=destination,
        esm_class=octets[4],
        protocol_id=octets[5],
        priority_flag=octets[6],
        schedule_delivery_time=schedule,
        validity_period=validity,
        registered_delivery=octets[7],
        data_coding=octets[8],
        short_message=payload,
        tlvs=tuple(p_tlv for p_tlv in _tlvs(tags)),
    )
    event = read(make_deliver, p.encode(pdu), following=b"\1" * 40)
    assert type(event) is Deliver
    assert event == Deliver(
        9,
        3,
        p.Command.DELIVER_SM,
        "CMT",
        octets[0],
        octets[1],
        source,
        octets[2],
        octets[3],
        destination,
        octets[4],
        octets[5],
        octets[6],
        schedule,
        validity,
        octets[7],
        0,
        octets[8],
        payload or tags.get(MESSAGE_PAYLOAD, b""),
        tags,
    )


def _tlvs(tags: dict[int, bytes]) -> Any:
    from todoke.smpp.tlv import Tlv

    return [Tlv(tag, value) for tag, value in tags.items()]


@given(st.data(), st.binary(max_size=12))
def test_the_fast_way_refuses_what_the_generic_one_does(data: st.DataObject, following: bytes) -> None:
    whole = p.encode_body(
        p.DeliverSm(
            service_type="CMT",
            source_addr="81",
            destination_addr="82",
            short_message=b"hi",
            tlvs=tuple(_tlvs({1: b"x"})),
        )
    )
    body = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.sampled_from([0, 1, 2, 49, 254, 255]))
    body += data.draw(st.sampled_from([b"", b"1" * 30, b"\0" * 5]))
    octets = p.HEADER.pack(16 + len(body), p.Command.DELIVER_SM, 0, 9) + bytes(body)
    try:
        expected = p.decode(octets)
    except SmppError:
        with pytest.raises(SmppError):
            read(make_deliver, octets, following)
    else:
        assert isinstance(expected, p.DeliverSm)
        event = read(make_deliver, octets, following)
        assert (event.source, event.destination) == (expected.source_addr, expected.destination_addr)
        assert event.tlvs == dict(expected.tlvs)
        assert event.payload == (expected.short_message or event.tlvs.get(MESSAGE_PAYLOAD, b""))


def test_what_an_event_says_beside_its_fields() -> None:
    tlvs = tuple(_tlvs({0x0204: b"\1\2"}))
    octets = p.encode(p.SubmitSm(source_addr="1", destination_addr="2", esm_class=0x43, tlvs=tlvs))
    event = read(make_submit, octets)
    assert type(event) is SubmitRequest
    assert event.has_udh
    assert event.user_message_reference == 0x0102
    plain = read(make_submit, p.encode(p.SubmitSm()))
    assert not plain.has_udh
    assert plain.user_message_reference is None
