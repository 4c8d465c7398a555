"""How the values of a list, which are texts, are read where a filter or an order asks for more: the rules that the
store's SQL must follow to the letter.
"""

from __future__ import annotations

import re
from decimal import Decimal

DECIMALS = 6
SCALE = 10**DECIMALS
INTEGER_DIGITS = 12

# Up to 12 digits, or in groups of three; a full stop and decimals. (PostgreSQL is given the same pattern.)
NUMBER = "[+-]?(([0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})([.][0-9]*)?|[.][0-9]+)"
_NUMBER = re.compile(NUMBER)

_DATE = "[0-9]{4}-[01][0-9]-[0-3][0-9]"
_TIME = "[ T][0-2][0-9]:[0-5][0-9]"
DAY = f"{_DATE}([ T].*)?"
MINUTE = f"{_DATE}({_TIME}.*)?"
_DAY = re.compile(DAY, re.DOTALL)
_MINUTE = re.compile(MINUTE, re.DOTALL)

DAY_LENGTH = len("2026-11-27")
MINUTE_LENGTH = len("2026-11-27T09:30")


def scaled(text: str) -> int | None:
    """The number in millionths, what is smaller cut off; None where the text is no number."""
    if _NUMBER.fullmatch(text) is None:
        return None
    whole, _, decimals = text.lstrip("+-").replace(",", "").partition(".")
    size = int(whole or "0") * SCALE + int(decimals[:DECIMALS].ljust(DECIMALS, "0"))
    return -size if text.startswith("-") else size


def scaled_value(value: Decimal) -> int | None:
    """The same of a number that a filter names; None where it has too many digits to be compared exactly."""
    size = value * SCALE
    if size != size.to_integral_value() or abs(value) >= 10**INTEGER_DIGITS:
        return None
    return int(size)


def day_of(text: str) -> str | None:
    """The date that the text begins with, None where it is none. The form is looked at, not the calendar."""
    return text[:DAY_LENGTH] if _DAY.fullmatch(text) else None


def minute_of(text: str) -> str | None:
    """Date and time of day to the minute, as they stand there: a zone behind them is not looked at. A date alone is
    its midnight.
    """
    if not _MINUTE.fullmatch(text):
        return None
    clock = text[DAY_LENGTH + 1 : MINUTE_LENGTH] or "00:00"
    return f"{text[:DAY_LENGTH]}T{clock}"


def lower(text: str) -> str:
    """A to Z in small letters; every other character as it is."""
    return text.translate(_ASCII)


_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """In small letters, of every script: each letter that has one small form with one capital, and no other."""
    return "".join([_small(c) for c in text])


def capitals(folded: str) -> dict[str, str]:
    """The capitals, other than A to Z, of the letters of a folded text, by letter: what a database must replace in a
    value so that it can be compared with this text.
    """
    found: dict[str, str] = {}
    for letter in folded:
        capital = letter.upper()
        if capital != letter and len(capital) == 1 and not capital.isascii() and capital.lower() == letter:
            found[letter] = capital
    return found


def _small(character: str) -> str:
    small = character.lower()
    return small if len(small) == 1 and small.upper() == character else character
