"""One message from one row: its text, and the segments it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from todoke.sms import gsm7
from todoke.sms.rendering import MissingField, Renderer
from todoke.sms.segments import SEPTETS_ALONE, UNITS_ALONE, Encoding, Split, TooLong, split
from todoke.sms.smart import Replacement, plain

__all__ = ["Composed", "EmptyText", "MissingField", "TooLong", "compose", "compose_short"]

_UCS2 = Encoding.UCS2


class EmptyText(ValueError):
    """The text is empty, or nothing but white space: there is nothing to send."""

    def __init__(self) -> None:
        super().__init__("the text is empty")


class Composed(NamedTuple):
    """The text as the phone gets it, its segments, and what smart encoding replaced in it (none when it is off)."""

    text: str
    split: Split
    replacements: tuple[Replacement, ...] = ()


def compose(renderer: Renderer, row: Sequence[str], *, smart: bool = False, reference_bits: int = 8) -> Composed:
    """Raises `MissingField`, `EmptyText` or `TooLong`: the contact is skipped for that reason."""
    text = renderer.render(row)
    if not text or text.isspace():
        raise EmptyText
    replacements: tuple[Replacement, ...] = ()
    if smart:
        text, replacements = plain(text)
    on_air = split(text, reference_bits=reference_bits)
    if on_air.encoding is _UCS2:
        text = b"".join(on_air.parts).decode("utf-16-be")  # the same text, but for lone surrogates
    return Composed(text, on_air, replacements)


def compose_short(renderer: Renderer, row: Sequence[str]) -> tuple[bytes, int] | None:
    """The payload and data_coding of a text of one segment, at a third of the cost of `compose`.

    None where there is more to say: no text, a field that is missing, several segments, lone surrogates.
    """
    try:
        text = renderer.render(row)
    except MissingField:
        return None
    if not text or text.isspace():
        return None
    septets = gsm7.encode_if_fits(text)
    if septets is not None:
        return (septets, 0) if len(septets) <= SEPTETS_ALONE else None
    try:
        octets = text.encode("utf-16-be")
    except UnicodeEncodeError:
        return None
    return (octets, 8) if len(octets) <= 2 * UNITS_ALONE else None
