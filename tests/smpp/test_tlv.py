from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp import tlv
from todoke.smpp.errors import TlvError


@given(st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=50))))
def test_vendor_tags_go_round_as_they_are(pairs: list[tuple[int, bytes]]) -> None:
    tlvs = tuple(tlv.Tlv(*pair) for pair in pairs)
    octets = tlv.pack_all(tlvs)
    assert tlv.parse(octets) == tlvs
    assert tlv.scan(b"xx" + octets, 2, len(octets) + 2) == dict(pairs)


def test_values_by_kind() -> None:
    assert tlv.pack_int(tlv.USER_MESSAGE_REFERENCE, 0x1234) == b"\x02\x04\x00\x02\x12\x34"
    assert tlv.pack_int(tlv.MESSAGE_STATE, 2) == b"\x04\x27\x00\x01\x02"
    assert tlv.pack_text(tlv.RECEIPTED_MESSAGE_ID, "a1") == b"\x00\x1e\x00\x03a1\x00"
    assert tlv.text(b"a1\0rest") == tlv.text(b"a1") == "a1"
    assert tlv.pack(tlv.ALERT_ON_MESSAGE_DELIVERY, b"") == b"\x13\x0c\x00\x00"


@pytest.mark.parametrize(
    "make",
    [
        lambda: tlv.pack_int(tlv.USER_MESSAGE_REFERENCE, 1 << 16),
        lambda: tlv.pack_int(tlv.MESSAGE_PAYLOAD, 1),
        lambda: tlv.pack_text(tlv.RECEIPTED_MESSAGE_ID, "x" * 65),
        lambda: tlv.pack_text(tlv.RECEIPTED_MESSAGE_ID, "届"),
        lambda: tlv.pack(0x10000, b""),
        lambda: tlv.pack(0x1400, b"x" * 65_536),
        lambda: tlv.pack(tlv.SAR_MSG_REF_NUM, b"1"),
    ],
)
def test_what_does_not_fit_is_not_made(make: object) -> None:
    with pytest.raises(TlvError):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("octets", [b"\0", b"\0\1\0", b"\0\1\0\5abc", b"\x14\0\0\0\0"])
def test_a_stream_that_ends_within_a_tlv_is_refused(octets: bytes) -> None:
    with pytest.raises(TlvError):
        tlv.parse(octets)
    with pytest.raises(TlvError):
        tlv.scan(octets + b"following", 0, len(octets))


def test_an_odd_size_is_taken_from_a_peer() -> None:
    assert tlv.parse(b"\x04\x23\0\2\0\5") == (tlv.Tlv(tlv.NETWORK_ERROR_CODE, b"\0\5"),)
