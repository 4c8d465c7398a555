"""GSM-7 over the whole Basic Multilingual Plane, against a table written down here a second time, by Unicode names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms import gsm7

# 3GPP TS 23.038: the codes that differ from ASCII, then those that agree with it.
NAMED = {
    0x00: "COMMERCIAL AT",
    0x01: "POUND SIGN",
    0x02: "DOLLAR SIGN",
    0x03: "YEN SIGN",
    0x04: "LATIN SMALL LETTER E WITH GRAVE",
    0x05: "LATIN SMALL LETTER E WITH ACUTE",
    0x06: "LATIN SMALL LETTER U WITH GRAVE",
    0x07: "LATIN SMALL LETTER I WITH GRAVE",
    0x08: "LATIN SMALL LETTER O WITH GRAVE",
    0x09: "LATIN CAPITAL LETTER C WITH CEDILLA",
    0x0B: "LATIN CAPITAL LETTER O WITH STROKE",
    0x0C: "LATIN SMALL LETTER O WITH STROKE",
    0x0E: "LATIN CAPITAL LETTER A WITH RING ABOVE",
    0x0F: "LATIN SMALL LETTER A WITH RING ABOVE",
    0x10: "GREEK CAPITAL LETTER DELTA",
    0x11: "LOW LINE",
    0x12: "GREEK CAPITAL LETTER PHI",
    0x13: "GREEK CAPITAL LETTER GAMMA",
    0x14: "GREEK CAPITAL LETTER LAMDA",
    0x15: "GREEK CAPITAL LETTER OMEGA",
    0x16: "GREEK CAPITAL LETTER PI",
    0x17: "GREEK CAPITAL LETTER PSI",
    0x18: "GREEK CAPITAL LETTER SIGMA",
    0x19: "GREEK CAPITAL LETTER THETA",
    0x1A: "GREEK CAPITAL LETTER XI",
    0x1C: "LATIN CAPITAL LETTER AE",
    0x1D: "LATIN SMALL LETTER AE",
    0x1E: "LATIN SMALL LETTER SHARP S",
    0x1F: "LATIN CAPITAL LETTER E WITH ACUTE",
    0x24: "CURRENCY SIGN",
    0x40: "INVERTED EXCLAMATION MARK",
    0x5B: "LATIN CAPITAL LETTER A WITH DIAERESIS",
    0x5C: "LATIN CAPITAL LETTER O WITH DIAERESIS",
    0x5D: "LATIN CAPITAL LETTER N WITH TILDE",
    0x5E: "LATIN CAPITAL LETTER U WITH DIAERESIS",
    0x5F: "SECTION SIGN",
    0x60: "INVERTED QUESTION MARK",
    0x7B: "LATIN SMALL LETTER A WITH DIAERESIS",
    0x7C: "LATIN SMALL LETTER O WITH DIAERESIS",
    0x7D: "LATIN SMALL LETTER N WITH TILDE",
    0x7E: "LATIN SMALL LETTER U WITH DIAERESIS",
    0x7F: "LATIN SMALL LETTER A WITH GRAVE",
}
AS_ASCII = [0x0A, 0x0D, *range(0x20, 0x24), *range(0x25, 0x40), *range(0x41, 0x5B), *range(0x61, 0x7B)]
EXTENDED = {
    0x0A: "\x0c",
    0x14: "\x5e",
    0x28: "\x7b",
    0x29: "\x7d",
    0x2F: "\x5c",
    0x3C: "\x5b",
    0x3D: "\x7e",
    0x3E: "\x5d",
    0x40: "\x7c",
    0x65: "\u20ac",
}
BASIC = {code: unicodedata.lookup(name) for code, name in NAMED.items()} | {code: chr(code) for code in AS_ASCII}
OCTETS = {character: bytes([code]) for code, character in BASIC.items()} | {
    character: bytes([0x1B, code]) for code, character in EXTENDED.items()
}

gsm_text = st.text(st.sampled_from(sorted(OCTETS)))
any_text = st.text(st.characters())  # surrogates too


def test_the_second_table_is_whole():
    assert set(BASIC) == set(range(128)) - {0x1B}
    assert len(OCTETS) == 127 + 10


def test_every_character_of_the_plane():
    for point in range(0x10000):
        character = chr(point)
        octets = OCTETS.get(character)
        assert gsm7.fits(character) is (octets is not None), hex(point)
        if octets is None:
            with pytest.raises(gsm7.NotGsm7) as refused:
                gsm7.encode(character)
            assert (refused.value.character, refused.value.index) == (character, 0)
        else:
            assert gsm7.encode(character) == octets
            assert gsm7.decode(octets) == character
            assert gsm7.septets(character) == len(octets)


def test_every_pair_of_characters_of_the_alphabet():
    for first, one in OCTETS.items():
        for second, two in OCTETS.items():
            assert gsm7.encode(first + second) == one + two


@pytest.mark.parametrize("character", ["😀", "\U00010000", "\U0010ffff"])
def test_nothing_beyond_the_plane_fits(character: str):
    assert not gsm7.fits(character)


@pytest.mark.parametrize(
    ("text", "character", "index"),
    [
        ("Dobrý den", "ý", 4),
        ("price: 5 € `now`", "`", 11),
        ("null \0 €", "\0", 5),
        ("€\0語", "\0", 1),
        ("ΔΦ ΓΛ α", "α", 6),
        ("tab\there", "\t", 3),
        ("escape \x1b", "\x1b", 7),
        ("{ok} 漢字", "漢", 5),
    ],
)
def test_the_error_names_the_first_foreign_character(text: str, character: str, index: int):
    with pytest.raises(gsm7.NotGsm7, match=f"U\\+{ord(character):04X}") as refused:
        gsm7.encode(text)
    assert (refused.value.character, refused.value.index) == (character, index)


def test_foreign_characters_each_once_in_order():
    assert gsm7.foreign("{é} ç語ç 😀€") == ("ç", "語", "😀")
    assert gsm7.foreign("plain") == ()


@given(gsm_text)
def test_round_trip(text: str):
    septets = gsm7.encode(text)
    assert septets == b"".join(OCTETS[character] for character in text)
    assert gsm7.decode(septets) == text
    assert gsm7.encode_if_fits(text) == septets


@given(any_text)
def test_any_text_is_encoded_or_refused_with_its_first_foreign_character(text: str):
    foreign = [index for index, character in enumerate(text) if character not in OCTETS]
    assert gsm7.fits(text) is (not foreign)
    if foreign:
        with pytest.raises(gsm7.NotGsm7) as refused:
            gsm7.encode(text)
        assert refused.value.index == foreign[0]


@given(st.binary())
def test_any_octets_decode(data: bytes):
    assert "\x1b" not in gsm7.decode(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1ba", "a"),  # not in the extension table: the basic character
        (b"\x1b\x00", "@"),
        (b"\x1b\x1b", " "),
        (b"\x1b\x1b\x65", " e"),
        (b"x\x1b", "x "),
        (b"\x1b\x0a", "\f"),
        (b"\xff\x41\x80", "\ufffdA\ufffd"),
    ],
)
def test_unknown_escapes_and_octets(data: bytes, text: str):
    assert gsm7.decode(data) == text
