from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp import tlv
from todoke.smpp.errors import FieldError, SmppError
from todoke.smpp.session import DeliverTemplate, SubmitTemplate

addresses = st.text("0123456789abc", max_size=20)
octet = st.integers(0, 255)


def decode(command: int, body: bytes) -> p.Pdu:
    return p.decode(p.HEADER.pack(16 + len(body), command, 0, 1) + body)


@given(addresses, addresses, octet, octet, octet, octet, st.binary(max_size=254), st.booleans())
def test_a_body_is_what_the_codec_would_make(
    source: str, destination: str, ton: int, npi: int, esm_class: int, coding: int, payload: bytes, referenced: bool
) -> None:
    template = SubmitTemplate(
        source, ton, npi, 1, 2, registered_delivery=1, validity_period="000003000000000R", service_type="CMT"
    )
    tlvs = (tlv.Tlv(0x0204, b"\0\7"),) if referenced else ()
    for address in (destination, destination.encode()):  # the second time out of the cache
        body = template.body(address, payload, esm_class=esm_class, data_coding=coding, tlvs=tlv.pack_all(tlvs))
        assert decode(p.Command.SUBMIT_SM, body) == p.SubmitSm(
            sequence=1,
            service_type="CMT",
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=source,
            dest_addr_ton=1,
            dest_addr_npi=2,
            destination_addr=destination,
            esm_class=esm_class,
            validity_period="000003000000000R",
            registered_delivery=1,
            data_coding=coding,
            short_message=payload,
            tlvs=tlvs,
        )


@given(addresses, octet, octet, st.integers(0, 10**20 - 1), octet, st.binary(max_size=300), st.binary(max_size=9))
def test_the_short_way_makes_the_same_body(
    source: str, ton: int, npi: int, number: int, coding: int, payload: bytes, tlvs: bytes
) -> None:
    template = SubmitTemplate(source, ton, npi, registered_delivery=1, service_type="%d%b")
    for _ in range(2):  # the second time out of the cache
        assert template.short(number, payload, coding, tlvs) == template.body(
            str(number), payload, data_coding=coding, tlvs=tlvs
        )


@pytest.mark.parametrize(("number", "coding"), [(10**20, 0), (1, 256), (1, -1)])
def test_the_short_way_refuses_what_the_long_way_refuses(number: int, coding: int) -> None:
    with pytest.raises(FieldError):
        SubmitTemplate("1").short(number, b"", coding)


def test_a_delivery_the_same_way() -> None:
    body = DeliverTemplate("Todoke", 1, 2, 5, 0, priority_flag=1).body("8190", b"hi", esm_class=4, data_coding=3)
    assert decode(p.Command.DELIVER_SM, body) == p.DeliverSm(
        sequence=1,
        source_addr_ton=1,
        source_addr_npi=2,
        source_addr="8190",
        dest_addr_ton=5,
        destination_addr="Todoke",
        priority_flag=1,
        esm_class=4,
        data_coding=3,
        short_message=b"hi",
    )


@pytest.mark.parametrize("make", [SubmitTemplate("1").body, DeliverTemplate("1").body])
def test_what_is_too_long_for_short_message_becomes_message_payload(make: object) -> None:
    body = make("2", b"x" * 255, tlvs=tlv.pack_int(0x0204, 1))  # type: ignore[operator]
    pdu = decode(p.Command.SUBMIT_SM, body)
    assert isinstance(pdu, p.SubmitSm)
    assert pdu.short_message == b""
    assert pdu.tlvs == (tlv.Tlv(tlv.MESSAGE_PAYLOAD, b"x" * 255), tlv.Tlv(0x0204, b"\0\1"))


@pytest.mark.parametrize("address", ["1" * 21, b"1" * 21, "1\0", b"1\0", "届"])
def test_an_address_that_is_none_is_refused(address: str | bytes) -> None:
    with pytest.raises(FieldError):
        SubmitTemplate("1").body(address, b"")
    with pytest.raises(FieldError):
        SubmitTemplate(address)
    with pytest.raises(FieldError):
        DeliverTemplate("1").body(address, b"")


def test_an_octet_out_of_range_is_refused_even_when_its_like_is_known() -> None:
    template = SubmitTemplate("1")
    template.body("2", b"", esm_class=1, data_coding=0)
    with pytest.raises(FieldError):
        template.body("2", b"", esm_class=0, data_coding=256)
    with pytest.raises(FieldError):
        SubmitTemplate("1", 256)
    with pytest.raises(FieldError):
        SubmitTemplate("1", validity_period="1")
    with pytest.raises(SmppError):
        template.body("2", b"x" * 65_536)
