"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1).

Encoded text is *unpacked*, the way SMPP carries it: one octet a septet, an extension character as 0x1B and its code.
A character outside the two tables (`` ` ``, `ç`, kana, every emoji) makes the whole text UCS-2: see `segments`.
"""

from __future__ import annotations

import codecs
import re

ESCAPE = 0x1B

# 128 code positions in order, 16 a line; U+001B stands for the escape itself, which no text may contain.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# Extension character -> the basic character at the same code: "{" is escape + the code of "(".
EXTENSION = {
    "\f": "\n",
    "^": "Λ",
    "{": "(",
    "}": ")",
    "\\": "/",
    "[": "<",
    "~": "=",
    "]": ">",
    "|": "¡",
    "€": "e",
}

_CODES = {character: code for code, character in enumerate(BASIC) if code != ESCAPE}
ALPHABET = frozenset(_CODES) | frozenset(EXTENSION)

_CODES_BY_LATIN_1 = bytes(_CODES.get(chr(code), ESCAPE) for code in range(256))

# One octet a character: a basic character at its code, an extension character at its code + 0x80. Python's encoder for
# such a table is fast only when U+0000 stands first, so "@" (code 0) waits where the escape would be.
_CODE_PAGE = ["\0", *BASIC[1:ESCAPE], "@", *BASIC[ESCAPE + 1 :], *["\ufffe"] * 128]
for _character, _twin in EXTENSION.items():
    _CODE_PAGE[0x80 + _CODES[_twin]] = _character
_BY_CODE_PAGE = codecs.charmap_build("".join(_CODE_PAGE))
_NUL = 0xFF
_SEPTETS_BY_CODE_PAGE = bytes({0: _NUL, ESCAPE: 0}.get(octet, octet) for octet in range(256))
_PAIRS = [(bytes([0x80 + _CODES[twin]]), bytes([ESCAPE, _CODES[twin]])) for twin in EXTENSION.values()]

_CHARACTERS = BASIC + "\ufffd" * 128
_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)
_EXTENSION_BY_TWIN = {twin: character for character, twin in EXTENSION.items()} | {"\x1b": " ", "": " "}


class NotGsm7(ValueError):
    """The text holds a character that GSM-7 does not have; it must go out as UCS-2."""

    def __init__(self, character: str, index: int) -> None:
        super().__init__(f"{character!r} (U+{ord(character):04X}) at index {index} is not in the GSM-7 alphabet")
        self.character = character
        self.index = index


def encode(text: str) -> bytes:
    """One octet a septet (0x00-0x7F); raises `NotGsm7` for the first character outside the alphabet."""
    septets = encode_if_fits(text)
    if septets is None:
        index = next(index for index, character in enumerate(text) if character not in ALPHABET)
        raise NotGsm7(text[index], index)
    return septets


def encode_if_fits(text: str) -> bytes | None:
    """As `encode`, but None for text that is not GSM-7: half the cost where much of the text is Japanese."""
    try:
        # Most text is Latin-1 without extension characters. This table turns everything else into an escape, so that
        # one search tells whether the octets are already the answer.
        septets = text.encode("latin-1").translate(_CODES_BY_LATIN_1)
        if ESCAPE not in septets:
            return septets
    except UnicodeEncodeError as error:
        if text[error.start] not in ALPHABET:  # it may be: Greek capitals and the euro sign are GSM-7, not Latin-1
            return None
    try:
        septets = codecs.charmap_encode(text, "strict", _BY_CODE_PAGE)[0].translate(_SEPTETS_BY_CODE_PAGE)
    except UnicodeEncodeError:
        return None
    if septets.isascii():
        return septets
    if _NUL in septets:
        return None
    for single, pair in _PAIRS:
        septets = septets.replace(single, pair)
    return septets


def decode(data: bytes) -> str:
    """The text of unpacked septets. Never raises: what a phone says has to be readable.

    An escape before a code that the extension table lacks gives the basic character of that code; an escape before
    another escape, or at the end, is a space (both section 6.2.1.1). An octet over 0x7F is no septet: U+FFFD.
    """
    text = data.decode("latin-1").translate(_CHARACTERS)
    if ESCAPE not in data:
        return text
    return _ESCAPED.sub(lambda pair: _EXTENSION_BY_TWIN.get(pair[1], pair[1]), text)


def fits(text: str) -> bool:
    """Whether every character is in the alphabet."""
    return encode_if_fits(text) is not None


def septets(text: str) -> int:
    """Septets the text takes, 2 for an extension character; raises `NotGsm7`."""
    return len(encode(text))


def foreign(text: str) -> tuple[str, ...]:
    """The characters that are not GSM-7, each once, in order of appearance: what an editor points at."""
    return tuple(character for character in dict.fromkeys(text) if character not in ALPHABET)
