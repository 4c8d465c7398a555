from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp import tlv
from todoke.smpp.receipt import IdStyle, Receipt, State, moment, normalise_id, parse
from todoke.smpp.session.incoming import make_deliver, of_data_sm, read_message

STANDARD = "id:0123456789 sub:001 dlvrd:001 submit date:2511220935 done date:2511220936 stat:DELIVRD err:000 text:Hello"


def deliver(text: str | bytes, esm_class: int = 4, coding: int = 0, tlvs: tuple[tlv.Tlv, ...] = ()) -> Any:
    payload = text.encode("latin-1") if isinstance(text, str) else text
    pdu = p.DeliverSm(esm_class=esm_class, data_coding=coding, short_message=payload, tlvs=tlvs)
    octets = p.encode(pdu)
    return read_message(make_deliver, octets, 16, len(octets), 1, 1, pdu.command)


def read(text: str | bytes, **more: Any) -> Receipt:
    receipt = parse(deliver(text, **more))
    assert receipt is not None
    return receipt


def test_the_form_of_the_specification() -> None:
    assert read(STANDARD) == Receipt("0123456789", State.DELIVERED, None, "2511220935", "2511220936", "Hello", STANDARD)


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        (STANDARD.replace("stat:DELIVRD err:000", "stat:UNDELIV err:1A7"), "0123456789", State.UNDELIVERABLE, "1A7"),
        (STANDARD.replace("err:000", "err:5"), "0123456789", State.DELIVERED, "5"),
        (STANDARD.replace(" text:Hello", ""), "0123456789", State.DELIVERED, None),
        (STANDARD.replace("text:", "Text:"), "0123456789", State.DELIVERED, None),
        (STANDARD.replace("sub:001 dlvrd:001 ", ""), "0123456789", State.DELIVERED, None),
        (STANDARD.replace("submit date:", "submitdate:"), "0123456789", State.DELIVERED, None),
        (STANDARD.replace("2511220935", "251122093501"), "0123456789", State.DELIVERED, None),
        (STANDARD.replace("id:0123456789", "id:ab-12-CD"), "ab-12-CD", State.DELIVERED, None),
        ("id:7", "7", State.UNKNOWN, None),
        ("ID:7 STAT:delivered ERR:0", "7", State.DELIVERED, None),
        ("id: 7 stat: REJECTD err: 045", "7", State.REJECTED, "045"),
        ("stat:EXPIRED id:7", "7", State.EXPIRED, None),
        ("id:7, stat:DELETED, err:000", "7", State.DELETED, None),
        ("id:7\nstat:ACCEPTD\nerr:000", "7", State.ACCEPTED, None),
        ("id:7 stat:5", "7", State.UNDELIVERABLE, None),
        ("id:7 stat:77", "7", State.UNKNOWN, None),
        ("id:7 stat:SCHEDULED", "7", State.SCHEDULED, None),
        ("id:7 stat:BUFFERED", "7", State.ENROUTE, None),
        ("id:7 stat:WHATEVER", "7", State.UNKNOWN, None),
        ("id:7 stat:DELIVRD text:stat:UNDELIV id:8 err:9", "7", State.DELIVERED, None),
        ("id:7 id:8 stat:DELIVRD", "7", State.DELIVERED, None),
        ("paid:9 id:7 stat:DELIVRD", "7", State.DELIVERED, None),
        ("Message delivered", "", State.UNKNOWN, None),
        ("", "", State.UNKNOWN, None),
    ],
)
def test_the_forms_that_are_met(text: str, message_id: str, state: State, error: str | None) -> None:
    receipt = read(text)
    assert (receipt.message_id, receipt.state, receipt.error, receipt.raw) == (message_id, state, error, text)


def test_what_a_bent_receipt_still_says() -> None:
    receipt = read("id:7 submitdate:251122093501 donedate:251122093502 stat:DELIVRD Text: hello id:9 ")
    assert (receipt.submitted, receipt.done, receipt.text) == ("251122093501", "251122093502", "hello id:9 ")


def test_tlvs_win_over_the_text() -> None:
    tlvs = (tlv.Tlv(0x1E, b"77-a\0"), tlv.Tlv(0x427, b"\5"), tlv.Tlv(0x423, b"\3\0\x22"))
    receipt = read(STANDARD, tlvs=tlvs)
    assert (receipt.message_id, receipt.state, receipt.error) == ("77-a", State.UNDELIVERABLE, "034")
    assert receipt.done == "2511220936"
    alone = read("", tlvs=tlvs)
    assert (alone.message_id, alone.state, alone.error) == ("77-a", State.UNDELIVERABLE, "034")


def test_tlvs_of_odd_forms() -> None:
    tlvs = (tlv.Tlv(0x1E, b"no end"), tlv.Tlv(0x427, b"\x63"))
    receipt = read(STANDARD.replace("err:000", "err:045"), tlvs=(*tlvs, tlv.Tlv(0x423, b"\3\0\0")))
    assert (receipt.message_id, receipt.state, receipt.error) == ("no end", State.UNKNOWN, "045")


def test_a_receipt_with_only_the_tlv_to_tell_it() -> None:
    assert read("done", esm_class=0, tlvs=(tlv.Tlv(0x1E, b"7\0"),)).message_id == "7"


@pytest.mark.parametrize("esm_class", [0, 0x40, 0x08, 0x10, 3])
def test_a_message_is_no_receipt_whatever_its_text(esm_class: int) -> None:
    assert parse(deliver(STANDARD, esm_class=esm_class)) is None


def test_intermediate_notifications_and_data_sm() -> None:
    assert read("id:7 stat:ENROUTE", esm_class=0x20).state is State.ENROUTE
    data = p.DataSm(esm_class=4, tlvs=(tlv.Tlv(0x424, STANDARD.encode()), tlv.Tlv(0x427, b"\3")))
    receipt = parse(of_data_sm(make_deliver, data, 1))
    assert receipt is not None
    assert (receipt.message_id, receipt.state) == ("0123456789", State.EXPIRED)


def test_other_alphabets_and_headers() -> None:
    assert read(STANDARD.encode("utf-16-be"), coding=8).message_id == "0123456789"
    assert read(b"\x05\0\3\1\1\1" + STANDARD.encode(), esm_class=0x44).message_id == "0123456789"


@given(st.binary(max_size=254), st.sampled_from([0, 8]), st.sampled_from([0x04, 0x44]))
def test_anything_at_all_is_read(payload: bytes, coding: int, esm_class: int) -> None:
    assert isinstance(read(payload, coding=coding, esm_class=esm_class), Receipt)


@given(st.lists(st.sampled_from(["id:", "stat:", "err:", "text:", "submit date:", " ", "7", "DELIVRD", "\n"])))
def test_any_order_of_its_parts_is_read(parts: list[str]) -> None:
    assert isinstance(read("".join(parts)[:254]), Receipt)


def test_states_that_end_a_message() -> None:
    assert {state for state in State if not state.final} == {
        State.SCHEDULED,
        State.ENROUTE,
        State.ACCEPTED,
        State.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2511220935", datetime(2025, 11, 22, 9, 35)),
        ("251122093507", datetime(2025, 11, 22, 9, 35, 7)),
        ("20251122093507", datetime(2025, 11, 22, 9, 35, 7)),
        ("2513220935", None),
        ("25112209", None),
        ("yesterday.", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(written: str | None, meant: datetime | None) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize(
    ("raw", "style", "normal"),
    [
        ("00aB", "exact", "00aB"),
        (" 00aB ", "casefold", "00ab"),
        ("00aB", "strip_zeros", "ab"),
        ("000", "strip_zeros", "0"),
        ("00fF", "hex_to_dec", "255"),
        ("255", "dec_to_hex", "ff"),
        ("00255", IdStyle.DEC_TO_HEX, "ff"),
        ("ab-12", "hex_to_dec", "ab-12"),
        ("ab", "dec_to_hex", "ab"),
        ("-5", "dec_to_hex", "-5"),
        ("", "hex_to_dec", ""),
        ("f" * 65, "hex_to_dec", "f" * 65),
    ],
)
def test_ids_are_made_comparable(raw: str, style: str, normal: str) -> None:
    assert normalise_id(raw, style) == normal


@given(st.integers(0, 2**180), st.integers(0, 5))
def test_an_id_in_hex_meets_its_decimal_twin(number: int, zeros: int) -> None:
    in_hex, in_decimal = "0" * zeros + f"{number:X}", "0" * zeros + str(number)
    assert normalise_id(in_hex, "hex_to_dec") == normalise_id(in_decimal, "strip_zeros")
    assert normalise_id(in_decimal, "dec_to_hex") == normalise_id(in_hex, "strip_zeros")


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="upside_down"):
        normalise_id("1", "upside_down")
