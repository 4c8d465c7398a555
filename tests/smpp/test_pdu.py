from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp.errors import FieldError, FramingError, SmppError, TlvError, UnknownCommandError
from todoke.smpp.tlv import Tlv


@given(st.data())
def test_every_pdu_goes_round(pdus: st.SearchStrategy[p.Pdu], data: st.DataObject) -> None:
    pdu = data.draw(pdus)
    octets = p.encode(pdu)
    assert p.decode(octets) == pdu
    assert p.read_header(octets) == p.Header(len(octets), pdu.command, pdu.status, pdu.sequence)


def test_all_of_smpp_34_is_there() -> None:
    requests = {0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0x15, 0x21, 0x103}
    assert set(p.KINDS) == requests | {one | 0x80000000 for one in requests} | {0x80000000, 0xB, 0x102}


def test_the_bind_that_the_specification_prints() -> None:
    octets = bytes.fromhex(
        "0000002F 00000002 00000000 00000001 53 4D 50 50 33 54 45 53 54 00"
        "73 65 63 72 65 74 30 38 00 53 55 42 4D 49 54 31 00 00 01 01 00"
    )
    bind = p.BindTransmitter(
        sequence=1,
        system_id="SMPP3TEST",
        password="secret08",
        system_type="SUBMIT1",
        interface_version=0,
        addr_ton=1,
        addr_npi=1,
    )
    assert p.decode(octets) == bind
    assert p.encode(bind) == octets


def test_a_submit_octet_by_octet() -> None:
    submit = p.SubmitSm(
        sequence=0x01020304,
        service_type="CMT",
        source_addr_ton=5,
        source_addr="Todoke",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="8190",
        esm_class=0x40,
        protocol_id=7,
        priority_flag=2,
        schedule_delivery_time="251231235959000+",
        validity_period="000003000000000R",
        registered_delivery=1,
        data_coding=8,
        short_message=b"\x00\x41",
        tlvs=(Tlv(0x0204, b"\x12\x34"), Tlv(0x1400, b"vendor")),
    )
    body = b"CMT\0\5\0Todoke\0\1\x018190\0\x40\x07\x02251231235959000+\x00000003000000000R\0\1\0\x08\0\x02\0A"
    body += b"\x02\x04\0\x02\x12\x34\x14\0\0\x06vendor"
    assert p.encode(submit) == (16 + len(body)).to_bytes(4, "big") + bytes.fromhex("000000040000000001020304") + body


def test_the_password_never_shows() -> None:
    assert "secret" not in repr(p.BindTransceiver(system_id="me", password="secret"))
    assert "secret" not in repr(p.Outbind(system_id="me", password="secret"))


@pytest.mark.parametrize("kind", [kind for command, kind in p.KINDS.items() if command & p.RESPONSE])
def test_a_response_may_lack_its_body(kind: type[p.Pdu]) -> None:
    octets = p.HEADER.pack(16, kind.command, 8, 3)
    assert p.decode(octets) == kind(status=8, sequence=3)
    assert p.encode(kind(status=8, sequence=3)) == octets


def test_an_error_response_keeps_what_it_has_to_say() -> None:
    response = p.DataSmResp(status=0xFE, message_id="7", tlvs=(Tlv(0x0425, b"\1"),))
    assert p.decode(p.encode(response)) == response


@pytest.mark.parametrize(
    ("pdu", "field", "too_much"),
    [
        (p.BindReceiver(), "system_id", "x" * 16),
        (p.BindReceiver(), "password", "x" * 9),
        (p.BindReceiver(), "system_type", "x" * 13),
        (p.BindReceiver(), "address_range", "x" * 41),
        (p.SubmitSm(), "service_type", "x" * 6),
        (p.SubmitSm(), "source_addr", "x" * 21),
        (p.SubmitSm(), "destination_addr", "x" * 21),
        (p.SubmitSm(), "schedule_delivery_time", "x" * 15),
        (p.SubmitSm(), "validity_period", "x" * 17),
        (p.SubmitSm(), "short_message", b"x" * 255),
        (p.SubmitSm(), "esm_class", 256),
        (p.SubmitSm(), "data_coding", -1),
        (p.SubmitSm(), "source_addr", "a\0b"),
        (p.SubmitSm(), "source_addr", "届け"),
        (p.SubmitSmResp(), "message_id", "x" * 65),
        (p.DataSm(), "source_addr", "x" * 65),
        (p.QuerySmResp(), "final_date", "1"),
        (p.SubmitMulti(destinations=(p.Destination("1"),)), "destinations", ()),
        (p.SubmitMulti(destinations=(p.Destination("1"),)), "destinations", (p.Destination("1"),) * 255),
        (p.SubmitMulti(destinations=(p.Destination("1"),)), "destinations", (p.DistributionList("x" * 21),)),
        (p.SubmitMultiResp(), "unsuccessful", (p.Unsuccessful("1"),) * 256),
        (p.EnquireLink(), "sequence", 1 << 32),
        (p.EnquireLink(), "status", -1),
    ],
)
def test_what_does_not_fit_is_not_encoded(pdu: p.Pdu, field: str, too_much: Any) -> None:
    p.encode(pdu)
    with pytest.raises(FieldError):
        p.encode(replace(pdu, **{field: too_much}))


def test_a_tlv_of_the_wrong_size_is_not_encoded() -> None:
    with pytest.raises(TlvError):
        p.encode(p.SubmitSm(tlvs=(Tlv(0x0204, b"1"),)))


@pytest.mark.parametrize(
    "body",
    [
        b"x" * 6 + b"\0",  # service_type
        b"\0\0\0" + b"1" * 21 + b"\0",  # source_addr
        b"\0\0\0\0\0\0" + b"1" * 21 + b"\0",  # destination_addr
        b"\0\0\0\0\0\0\0\0\0\0" + b"1" * 15 + b"\0",  # schedule_delivery_time
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff" + b"x" * 255,  # sm_length
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05abcd",
        b"",
    ],
)
def test_what_is_longer_or_shorter_than_it_may_be_is_not_decoded(body: bytes) -> None:
    with pytest.raises(FieldError):
        p.decode(p.HEADER.pack(16 + len(body), p.Command.SUBMIT_SM, 0, 1) + body)


def test_an_unknown_command_is_told_apart() -> None:
    with pytest.raises(UnknownCommandError):
        p.decode(p.HEADER.pack(16, 0x99, 0, 1))


def test_octets_behind_the_last_field_are_refused() -> None:
    with pytest.raises(FieldError):
        p.decode(p.HEADER.pack(17, p.Command.ENQUIRE_LINK, 0, 1) + b"x")


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_told_from_the_header_alone(length: int) -> None:
    with pytest.raises(FramingError):
        p.read_header(p.HEADER.pack(length, 4, 0, 1))


@given(st.binary(max_size=300))
def test_garbage_raises_only_smpp_errors(octets: bytes) -> None:
    with pytest.raises(SmppError):
        p.decode(octets)


@given(st.sampled_from(sorted(p.KINDS)), st.binary(max_size=120))
def test_a_garbled_body_raises_only_smpp_errors(command: int, body: bytes) -> None:
    octets = p.HEADER.pack(16 + len(body), command, 0, 1) + body
    try:
        pdu = p.decode(octets)
    except SmppError:
        return
    assert pdu.command == command


def test_counts_that_lie_take_no_memory() -> None:
    lie = p.HEADER.pack(21, p.Command.SUBMIT_MULTI, 0, 1) + b"\0\0\0\0\xfe"
    tracemalloc.start()
    with pytest.raises(SmppError):
        p.decode(lie)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
