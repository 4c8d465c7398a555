"""How a message is addressed: a number that says where its run and its contact are.

`message_id = bucket (8 bits) | run (26 bits) | ordinal (29 bits)`, 63 bits, so it fits a signed 64-bit column. The
bucket is the shard of the business unit, the run one start of a skill, the ordinal the contact's position on the
list, or from SELECTED on a place in the run's selection, which says the position. A retry keeps the id; `attempt` is a
column beside it.
"""

from __future__ import annotations

from typing import NamedTuple

BUCKETS = 1 << 8
MAX_RUN = (1 << 26) - 1
MAX_ORDINAL = (1 << 29) - 1
SELECTED = 1 << 28
"""Ordinals from here on are places in a selection; smaller ones are positions: so a list has at most so many."""
RUN_SHIFT = 29
BUCKET_SHIFT = 55

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: no i, l, o, u
_DIGITS = {c: i for i, c in enumerate(_ALPHABET)}
_LENGTH = 13  # 13 * 5 bits >= 63 bits


class Address(NamedTuple):
    """A message id taken apart."""

    bucket: int
    run: int
    ordinal: int


def message_id(bucket: int, run: int, ordinal: int) -> int:
    """The id of the message of `run` at `ordinal`; ValueError where a part is out of its range."""
    if not (0 <= bucket < BUCKETS and 0 <= run <= MAX_RUN and 0 <= ordinal <= MAX_ORDINAL):
        raise ValueError(f"no message has bucket {bucket}, run {run}, ordinal {ordinal}")
    return bucket << BUCKET_SHIFT | run << RUN_SHIFT | ordinal


def address(message: int) -> Address:
    """The parts of a message id."""
    return Address(message >> BUCKET_SHIFT, message >> RUN_SHIFT & MAX_RUN, message & MAX_ORDINAL)


def base(bucket: int, run: int) -> int:
    """The id of a run's ordinal 0; add the ordinal to it (the hot path does)."""
    return message_id(bucket, run, 0)


def reference(message: int, segment: int, attempt: int) -> int:
    """16 bits that a submission carries and its receipt may echo (SMPP: user_message_reference).

    Different for each segment and attempt of a message (of up to 256 attempts), and spread over messages; two
    submissions may share one, so it counts only together with the number that was texted.
    """
    return ((message * 0x9E3779B97F4A7C15 >> 48) + (segment << 8) + attempt) & 0xFFFF


def public_id(message: int) -> str:
    """The id that people and other systems see: `m` and 13 letters or digits."""
    return "m" + "".join(_ALPHABET[message >> shift & 31] for shift in range((_LENGTH - 1) * 5, -1, -5))


def from_public_id(text: str) -> int:
    """The message id behind a public id; ValueError where it is none."""
    if len(text) != _LENGTH + 1 or text[0] != "m":
        raise ValueError(f"{text!r} is not a message id: m and {_LENGTH} letters or digits")
    number = 0
    for letter in text[1:]:
        if letter not in _DIGITS:
            raise ValueError(f"{text!r} is not a message id: it has {letter!r}")
        number = number << 5 | _DIGITS[letter]
    if number >> 63:
        raise ValueError(f"{text!r} is not a message id: out of range")
    return number
