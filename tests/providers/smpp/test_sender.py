"""Segments as they go on the wire, read back by the codec."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import SECOND, from_datetime
from todoke.model.ids import reference
from todoke.model.transport_code import CODE_TYPES
from todoke.providers.simulator import MARK_TAG, mark_value
from todoke.providers.smpp.sender import SmppSender, absolute
from todoke.providers.smpp.settings import SmppSettings
from todoke.smpp import tlv
from todoke.smpp.pdu import SubmitSm, decode
from todoke.sms import gsm7
from todoke.sms.segments import header


def submit(code: str, code_type: str, payload: bytes, coding: int = 0, udh: bytes = b"", **settings: Any) -> SubmitSm:
    return read_back(sender(code, code_type, **settings).segment(819012345678, payload, coding, udh, 1 << 62, 3, 2))


def sender(code: str, code_type: str, **settings: Any) -> SmppSender:
    made = msgspec.convert({"host": "smsc.example", **settings}, SmppSettings)
    return SmppSender(made, code, CODE_TYPES[code_type])


def read_back(body: bytes) -> SubmitSm:
    pdu = decode((16 + len(body)).to_bytes(4, "big") + b"\0\0\0\x04" + b"\0\0\0\0" + b"\0\0\0\x01" + body)
    assert isinstance(pdu, SubmitSm)
    return pdu


@pytest.mark.parametrize(
    ("code", "code_type", "address"),
    [
        ("+15551230001", "long", (1, 1, "15551230001")),
        ("72345", "short", (3, 0, "72345")),
        ("18005550123", "toll_free", (1, 1, "18005550123")),
        ("Todoke", "alphanumeric", (5, 0, "Todoke")),
        ("0005123456", "common", (0, 0, "0005123456")),
    ],
)
def test_addresses(code: str, code_type: str, address: tuple[int, int, str]) -> None:
    pdu = submit(code, code_type, b"hi")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == address
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "819012345678")
    assert (pdu.short_message, pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (b"hi", 0, 0, 1)
    assert [(t.tag, t.value) for t in pdu.tlvs] == [
        (tlv.USER_MESSAGE_REFERENCE, reference(1 << 62, 3, 2).to_bytes(2, "big"))
    ]


def test_a_carrier_that_wants_no_reference_gets_none() -> None:
    assert not submit("72345", "short", b"hi", reference=False).tlvs


def test_an_account_may_have_its_own_way_with_addresses() -> None:
    pdu = submit("72345", "short", b"hi", source_ton=0, source_npi=9, service_type="WAP", receipts=False)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.service_type, pdu.registered_delivery) == (0, 9, "WAP", 0)


def test_a_part_has_its_header_and_says_so() -> None:
    udh = header(7, 3, 2)
    pdu = submit("72345", "short", "漢字".encode("utf-16-be"), 8, udh)
    assert (pdu.esm_class, pdu.data_coding) == (0x40, 8)
    assert pdu.short_message == udh + "漢字".encode("utf-16-be")


def test_the_trace_is_the_mark_that_the_simulator_reads() -> None:
    pdu = submit("72345", "short", b"hi", trace=True, reference=False)
    assert [(t.tag, t.value) for t in pdu.tlvs] == [(MARK_TAG, mark_value(1 << 62, 3, 2))]


def test_an_account_that_takes_latin_1() -> None:
    pdu = submit("72345", "short", gsm7.encode("Ça va, é?"), alphabet="latin1")
    assert (pdu.short_message, pdu.data_coding) == ("Ça va, é?".encode("latin-1"), 0)
    pdu = submit("72345", "short", gsm7.encode("5 €"), alphabet="latin1")
    assert (pdu.short_message, pdu.data_coding) == ("5 €".encode("utf-16-be"), 8)
    pdu = submit("72345", "short", "漢字".encode("utf-16-be"), 8, alphabet="latin1")
    assert (pdu.short_message, pdu.data_coding) == ("漢字".encode("utf-16-be"), 8)


EVENING = from_datetime(datetime(2026, 11, 28, 2, 0, tzinfo=UTC)) + 999_999


@pytest.mark.parametrize("udh", [b"", header(7, 3, 2)])
def test_the_carrier_is_told_when_to_give_up(udh: bytes) -> None:
    """As an absolute time (SMPP 3.4, 7.1.1.1), rounded down; the same octets but for that."""
    one = sender("72345", "short")
    plain, until, later = (
        read_back(one.segment(819012345678, b"100% sure", 0, udh, 1 << 62, 3, 2, moment))
        for moment in (0, EVENING, EVENING + SECOND)
    )
    assert (plain.validity_period, until.validity_period, later.validity_period) == (
        "",
        "261128020000000+",
        "261128020001000+",
    )
    assert all_but_validity(until) == all_but_validity(plain)


def all_but_validity(pdu: SubmitSm) -> tuple[object, ...]:
    """All but the validity."""
    return (pdu.source_addr, pdu.destination_addr, pdu.short_message, pdu.esm_class, pdu.registered_delivery, pdu.tlvs)


def test_a_carrier_that_refuses_it_is_not_told() -> None:
    body = sender("72345", "short", validity=False).segment(819012345678, b"hi", 0, b"", 1 << 62, 3, 2, EVENING)
    assert read_back(body).validity_period == ""


@given(st.integers(EVENING, EVENING + 10**15))  # 31 years: the form has two digits of the year
def test_what_is_told_is_never_later(moment: int) -> None:
    said = datetime.strptime(absolute(moment), "%y%m%d%H%M%S000+").replace(tzinfo=UTC)
    assert 0 <= moment - from_datetime(said) < SECOND


def test_many_ends_of_windows_do_not_pile_up() -> None:
    one = sender("72345", "short")
    for hour in range(1000):
        assert read_back(one.segment(819012345678, b"hi", 0, b"", 1, 1, 0, EVENING + hour * 3600 * SECOND))
    assert len(one._forms) <= 256
