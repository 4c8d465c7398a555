from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.sms import gsm7
from todoke.sms.graphemes import may_cut
from todoke.sms.segments import Count, Encoding, Split, TooLong, count, header, split

ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
JOINED = {
    (Encoding.GSM7, 8): 153,
    (Encoding.GSM7, 16): 152,
    (Encoding.UCS2, 8): 67,
    (Encoding.UCS2, 16): 66,
}

bits = st.sampled_from([8, 16])
# Long enough to be cut, and dense in what must not be.
gsm_text = st.lists(st.sampled_from(["a", "é", "{", "€", "\r\n", "[" * 3, "x" * 40])).map("".join)
ucs2_text = st.lists(
    st.sampled_from(
        ["あ", "a", "e\u0301", "😀", "👩\u200d👩\u200d👧\u200d👦", "🇯🇵", "👍🏽", "ｶﾞ", "क्षि", "日本語" * 9, "\r\n"]
    ),
    max_size=80,
).map("".join)
any_text = st.one_of(st.text(), gsm_text, ucs2_text)


def read(result: Split) -> str:
    payload = b"".join(result.parts)
    return gsm7.decode(payload) if result.encoding is Encoding.GSM7 else payload.decode("utf-16-be")


def size(encoding: Encoding, payload: bytes) -> int:
    return len(payload) if encoding is Encoding.GSM7 else len(payload) // 2


@given(any_text, bits)
@settings(max_examples=300)
def test_a_split_joins_to_the_text_and_fits(text: str, reference_bits: int):
    result = split(text, reference_bits=reference_bits)
    assert result.encoding is (Encoding.GSM7 if gsm7.fits(text) else Encoding.UCS2)
    assert read(result) == text
    sizes = [size(result.encoding, payload) for payload in result.parts]
    assert sum(sizes) == result.units
    if result.units <= ALONE[result.encoding]:
        assert len(sizes) == 1
    else:
        assert len(sizes) > 1
        assert all(0 < units <= JOINED[result.encoding, reference_bits] for units in sizes)


@given(any_text, bits)
@settings(max_examples=300)
def test_every_segment_reads_alone(text: str, reference_bits: int):
    """No escape pair and no surrogate pair is cut, and no grapheme either."""
    result = split(text, reference_bits=reference_bits)
    segments = [read(Split(result.encoding, (payload,), 0)) for payload in result.parts]
    assert "".join(segments) == text
    at = 0
    for segment in segments[:-1]:
        at += len(segment)
        grapheme_fits = any(may_cut(text, index) for index in range(at - len(segment) + 1, at + 1))
        assert may_cut(text, at) or not grapheme_fits


@given(gsm_text)
def test_no_segment_of_gsm7_ends_in_an_escape(text: str):
    assert not any(payload.endswith(b"\x1b") for payload in split(text).parts)


@pytest.mark.parametrize(
    ("text", "reference_bits", "sizes"),
    [
        ("", 8, [0]),
        ("a" * 160, 8, [160]),
        ("a" * 161, 8, [153, 8]),
        ("a" * 161, 16, [152, 9]),
        ("a" * 306, 8, [153, 153]),
        ("a" * 307, 8, [153, 153, 1]),
        ("€" * 80, 8, [160]),
        ("a" * 152 + "€" * 5, 8, [152, 10]),  # a pair across the edge moves on whole
        ("a" * 152 + "\r\n" * 5, 8, [152, 10]),
        ("あ" * 70, 8, [70]),
        ("あ" * 71, 8, [67, 4]),
        ("あ" * 71, 16, [66, 5]),
        ("あ" * 66 + "😀" * 4, 8, [66, 8]),
        ("あ" * 65 + "🇯🇵" + "あ" * 10, 8, [65, 14]),
        ("あ" * 60 + "👩\u200d👩\u200d👧\u200d👦" + "あ" * 10, 8, [60, 21]),
        ("a" + "\u0301" * 100, 8, [67, 34]),  # one grapheme, longer than a segment
        ("😀" + "\u0301" * 100, 8, [67, 35]),
        ("あ" * 66 + "😀" + "\u0301" * 70, 8, [66, 67, 5]),
    ],
)
def test_where_it_cuts(text: str, reference_bits: int, sizes: list[int]):
    result = split(text, reference_bits=reference_bits)
    assert [size(result.encoding, payload) for payload in result.parts] == sizes


@pytest.mark.parametrize(
    ("text", "most"),
    [("a", 255 * 153), ("あ", 255 * 67)],
)
def test_no_more_than_255_segments(text: str, most: int):
    assert len(split(text * most).parts) == 255
    with pytest.raises(TooLong, match="more than 255 segments") as refused:
        split(text * (most + 1))
    assert refused.value.units == most + 1


def test_lone_surrogates_go_out_as_the_replacement_character():
    assert read(split("x\ud83d y")) == "x\ufffd y"
    assert read(split("\ud83d\ude00")) == "😀"  # two halves as two characters, from broken JSON
    assert read(split("あ" * 80 + "\udead")) == "あ" * 80 + "\ufffd"


def test_the_value_of_an_encoding_is_its_data_coding():
    assert (Encoding.GSM7.data_coding, Encoding.UCS2.data_coding) == (0, 8)


@pytest.mark.parametrize(
    ("reference", "total", "number", "reference_bits", "octets"),
    [
        (0x42, 3, 1, 8, "05 00 03 42 03 01"),
        (255, 255, 255, 8, "05 00 03 ff ff ff"),
        (0x1234, 3, 2, 16, "06 08 04 12 34 03 02"),
        (0, 1, 1, 16, "06 08 04 00 00 01 01"),
    ],
)
def test_header(reference: int, total: int, number: int, reference_bits: int, octets: str):
    assert header(reference, total, number, reference_bits=reference_bits) == bytes.fromhex(octets)


@given(any_text, bits)
def test_a_segment_with_its_header_fits_into_140_octets(text: str, reference_bits: int):
    result = split(text, reference_bits=reference_bits)
    if len(result.parts) == 1:
        return
    octets = len(header(0, len(result.parts), 1, reference_bits=reference_bits))
    for payload in result.parts:
        room = 140 - octets
        assert len(payload) <= (room * 8 // 7 if result.encoding is Encoding.GSM7 else room)


@pytest.mark.parametrize(
    ("reference", "total", "number", "reference_bits"),
    [
        (256, 2, 1, 8),
        (-1, 2, 1, 8),
        (65536, 2, 1, 16),
        (1, 2, 0, 8),
        (1, 2, 3, 8),
        (1, 256, 1, 8),
        (1, 0, 0, 8),
        (1, 2, 1, 7),
    ],
)
def test_a_header_that_cannot_be(reference: int, total: int, number: int, reference_bits: int):
    with pytest.raises(ValueError, match=r"segment|reference"):
        header(reference, total, number, reference_bits=reference_bits)


@pytest.mark.parametrize("text", ["a" * 161, "あ" * 71])
def test_references_have_8_or_16_bits(text: str):
    with pytest.raises(ValueError, match="8 or 16 bits, not 12"):
        split(text, reference_bits=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Count(Encoding.GSM7, 0, 0, 160, 160, ())),
        ("Hi {you}", Count(Encoding.GSM7, 1, 10, 160, 150, ())),
        ("a" * 160, Count(Encoding.GSM7, 1, 160, 160, 0, ())),
        ("a" * 161, Count(Encoding.GSM7, 2, 161, 153, 145, ())),
        ("“Hi” 😀😀", Count(Encoding.UCS2, 1, 9, 70, 61, ("“", "”", "😀"))),
        ("あ" * 71, Count(Encoding.UCS2, 2, 71, 67, 63, ("あ",))),
    ],
)
def test_count(text: str, expected: Count):
    assert count(text) == expected


@given(any_text, bits)
def test_the_count_agrees_with_the_split(text: str, reference_bits: int):
    result, figures = split(text, reference_bits=reference_bits), count(text, reference_bits=reference_bits)
    assert figures.encoding is result.encoding
    assert figures.units == result.units
    assert figures.segments == (len(result.parts) if text else 0)
    assert bool(figures.non_gsm) is (result.encoding is Encoding.UCS2)
    assert 0 <= figures.remaining <= figures.capacity
