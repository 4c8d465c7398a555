"""What people and spreadsheets write for a phone number, tidied to what a numbering library reads."""

from __future__ import annotations

import re
import unicodedata

from todoke.sms.numbers import PhoneError

# Digits and the signs that people put between them; nothing to tidy. "(0)" and spreadsheet tails go the long way.
_PLAIN = re.compile(
    r"\+?[0-9](?:[ -]?[0-9])+\Z|\([0-9]+\) ?[0-9](?:[ -]?[0-9])+\Z"
    r"|\+[0-9]{1,3} ?\([1-9][0-9]*\) ?[0-9](?:[ -]?[0-9])+\Z|[0-9]{3}\.[0-9]{3}\.[0-9]{4}\Z"
)

_WRAPPING = "'\"`´‘’“”="
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_SPREADSHEET_TAIL = re.compile(r"(\+?[0-9]+)\.0+")
_LABEL = re.compile(
    r"(?:(?:tel(?:ephone)?|phone|mobile|mob|cell|sms|電話(?:番号)?|携帯(?:電話)?)[.: ]*)+", re.IGNORECASE
)
_EXTENSION = re.compile(r"[ ,;(]*(?:;ext=|extension|extn?\.?|x|#|内線|доб\.?)[ .:]*[0-9]{1,7}\)?", re.IGNORECASE)
_TRUNK_ZERO = re.compile(r"(?<=[0-9 -])\(0\)")
_ITALIAN = re.compile(r"(?:\+|00)[ -]?(?:39|37[89])")
_ITALIAN_FIXED_ZERO = re.compile(r"\(0\)(?![ -]?3)")


def tidy(raw: str) -> str:
    """Digits, signs between them and perhaps a leading plus; raises `PhoneError` (`empty`, `not_a_number`)."""
    if _PLAIN.match(raw):
        return raw
    text = _unwrapped(raw)
    if not text:
        raise PhoneError("empty")
    if _SCIENTIFIC.fullmatch(text):
        raise PhoneError(
            "not_a_number",
            "a spreadsheet has shortened the number (as in 8.19012E+11) and its last digits are lost; "
            "format the column as text and export the file again",
        )
    if tail := _SPREADSHEET_TAIL.fullmatch(text):
        text = tail[1]
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    text = _without_extension(text)
    if text.startswith(("+", "00")):
        text = _without_trunk_zero(text)
    if any(character.isalpha() and character != "ー" for character in text):
        raise PhoneError("not_a_number", "there are letters in the number")
    if not any(character.isdigit() for character in text):
        raise PhoneError("not_a_number")
    return text.strip()


def international(text: str) -> str | None:
    """The tidied text as a number with a plus, when it begins with a prefix that callers dial for abroad (00, 011)."""
    if text[0] not in "0(":
        return None
    digits = re.sub(r"[^0-9+]", "", text)
    for prefix in ("00", "011"):
        if digits.startswith(prefix):
            return "+" + digits[len(prefix) :]
    return None


def _unwrapped(raw: str) -> str:
    """Without white space, quotes and `="..."` around it, invisible characters in it; digits of any script as 0-9."""
    if raw.isascii():
        return raw.strip().strip(_WRAPPING).strip()
    text = "".join(
        str(unicodedata.digit(character)) if character.isdecimal() else character
        for character in unicodedata.normalize("NFKC", raw)
        if unicodedata.category(character) != "Cf"
    )
    return text.strip().strip(_WRAPPING).strip()


def _without_extension(text: str) -> str:
    """A text cannot reach an extension; the number before it is what counts."""
    for found in _EXTENSION.finditer(text):
        if found.start() and found.end() == len(text):
            return text[: found.start()]
    return text.strip()


def _without_trunk_zero(text: str) -> str:
    """`+44 (0)20 ...`: the zero is for callers inside the country. In Italy it belongs to fixed numbers, and stays."""
    if _ITALIAN.match(text) and _ITALIAN_FIXED_ZERO.search(text):
        return text
    return _TRUNK_ZERO.sub("", text, count=1)
