"""How a text goes on air: its encoding, and its split into the segments that carriers count, pace and charge.

A segment holds 140 octets (3GPP TS 23.040, section 9.2.3.24): 160 septets or 70 UTF-16 units, less the user data header
that tells a phone which segments belong together (section 9.2.3.24.1 with an 8-bit reference, .8 with a 16-bit one).
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from todoke.sms import gsm7
from todoke.sms.graphemes import may_cut

MOST_SEGMENTS = 255  # the header counts in one octet


class Encoding(IntEnum):
    """The two encodings of a text; the value is SMPP's `data_coding`."""

    GSM7 = 0
    UCS2 = 8

    @property
    def data_coding(self) -> int:
        return int(self)


class Split(NamedTuple):
    """A text ready for the air. `parts` are the payloads without their user data header, in order, at least one;
    `units` is their size in all: septets for GSM-7 (one octet each), 16-bit units for UCS-2 (two octets each)."""

    encoding: Encoding
    parts: tuple[bytes, ...]
    units: int


class Count(NamedTuple):
    """What an editor shows under a text. `capacity` is the units of one segment at this length, `remaining` the units
    free in the last one; `non_gsm` are the characters that made it UCS-2, each once. No text is 0 segments."""

    encoding: Encoding
    segments: int
    units: int
    capacity: int
    remaining: int
    non_gsm: tuple[str, ...]


class TooLong(ValueError):
    """The text needs more segments than one message can have."""

    def __init__(self, encoding: Encoding, units: int) -> None:
        super().__init__(
            f"the text needs more than {MOST_SEGMENTS} segments ({units} units of {encoding.name}); shorten it"
        )
        self.encoding = encoding
        self.units = units


_GSM7, _UCS2 = Encoding.GSM7, Encoding.UCS2
SEPTETS_ALONE = 160  # of a text that is one segment
UNITS_ALONE = 70  # of UTF-16
_ALONE = {_GSM7: SEPTETS_ALONE, _UCS2: UNITS_ALONE}
_JOINED = {(_GSM7, 8): 153, (_GSM7, 16): 152, (_UCS2, 8): 67, (_UCS2, 16): 66}


def split(text: str, *, reference_bits: int = 8) -> Split:
    """Encode `text` and cut it into segments for concatenation references of 8 or 16 bits; raises `TooLong`.

    GSM-7 where every character allows it, else UCS-2. An escape pair or a surrogate pair is never cut, a grapheme only
    when it does not fit into a segment at all. A lone surrogate is no character: it is sent as U+FFFD.
    """
    septets = gsm7.encode_if_fits(text)
    if septets is None:
        return _split_ucs2(text, reference_bits)
    units = len(septets)
    if units <= SEPTETS_ALONE:
        return Split(_GSM7, (septets,), units)
    capacity = _capacity(_GSM7, reference_bits)
    parts: list[bytes] = []
    start = 0
    while units - start > capacity:
        end = start + capacity
        # Neither between an escape and its code nor between CR and LF, the one grapheme of two that GSM-7 has.
        if septets[end - 1] == gsm7.ESCAPE or septets[end - 1 : end + 1] == b"\r\n":
            end -= 1
        parts.append(septets[start:end])
        start = end
    parts.append(septets[start:])
    return _whole(_GSM7, parts, units)


def header(reference: int, total: int, number: int, *, reference_bits: int = 8) -> bytes:
    """The user data header of segment `number` (from 1) of `total`, its length octet included."""
    if not 1 <= number <= total <= MOST_SEGMENTS:
        raise ValueError(f"segment {number} of {total} does not exist")
    if not 0 <= reference < 1 << reference_bits:
        raise ValueError(f"the reference {reference} does not fit into {reference_bits} bits")
    if reference_bits == 8:
        return bytes((0x05, 0x00, 0x03, reference, total, number))
    if reference_bits == 16:
        return b"\x06\x08\x04" + reference.to_bytes(2, "big") + bytes((total, number))
    raise ValueError(f"a concatenation reference has 8 or 16 bits, not {reference_bits}")


def count(text: str, *, reference_bits: int = 8) -> Count:
    """The figures of `text` for an editor; raises `TooLong`."""
    encoding, parts, units = split(text, reference_bits=reference_bits)
    alone = len(parts) == 1
    capacity = _ALONE[encoding] if alone else _capacity(encoding, reference_bits)
    last = len(parts[-1]) if encoding is _GSM7 else len(parts[-1]) // 2
    return Count(encoding, len(parts) if text else 0, units, capacity, capacity - last, gsm7.foreign(text))


def _split_ucs2(text: str, reference_bits: int) -> Split:
    try:
        octets = text.encode("utf-16-be")
    except UnicodeEncodeError:
        # Surrogates as characters come from broken JSON or CSV: pairs become their character, single ones U+FFFD.
        octets = text.encode("utf-16-be", "surrogatepass")
        text = octets.decode("utf-16-be", "replace")
        octets = text.encode("utf-16-be")
    units = len(octets) // 2
    if units <= UNITS_ALONE:
        return Split(_UCS2, (octets,), units)
    capacity = _capacity(_UCS2, reference_bits)
    one_unit_each = units == len(text)
    parts: list[bytes] = []
    at = 0  # in characters, while start and end are in octets
    start = 0
    while len(octets) - start > capacity * 2:
        window = octets[start : start + capacity * 2]
        characters = capacity if one_unit_each else len(window.decode("utf-16-be", "ignore"))  # drops half a pair
        cut = at + characters
        while cut > at and not may_cut(text, cut):
            cut -= 1
        if cut == at:  # one grapheme fills the segment
            cut += characters
        segment = window[: (cut - at) * 2] if one_unit_each else text[at:cut].encode("utf-16-be")
        parts.append(segment)
        at = cut
        start += len(segment)
    parts.append(octets[start:])
    return _whole(_UCS2, parts, units)


def _whole(encoding: Encoding, parts: list[bytes], units: int) -> Split:
    if len(parts) > MOST_SEGMENTS:
        raise TooLong(encoding, units)
    return Split(encoding, tuple(parts), units)


def _capacity(encoding: Encoding, reference_bits: int) -> int:
    try:
        return _JOINED[encoding, reference_bits]
    except KeyError:
        raise ValueError(f"a concatenation reference has 8 or 16 bits, not {reference_bits}") from None
