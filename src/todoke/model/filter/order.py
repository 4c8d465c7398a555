"""In which order the contacts of a run are texted: several keys, each a field, up or down.

Values that are numbers stand before those that are none, and empty ones at the end, up or down alike; `as text`
compares numbers as texts, too. Texts are compared by the code points of their first 200 characters, A to Z in small
letters. What is equal keeps the order of the list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from todoke.model.closest import suggestion
from todoke.model.errors import Invalid
from todoke.model.filter.expression import System
from todoke.model.filter.reading import field_name
from todoke.model.filter.tokens import Kind, split
from todoke.model.filter.values import lower, scaled
from todoke.model.filter.writing import name

MOST_KEYS = 10
LONGEST_COMPARED = 200  # characters


class Key(NamedTuple):
    """`text`: numbers are compared as texts."""

    name: str | System
    descending: bool = False
    text: bool = False


Order = tuple[Key, ...]


def read_order(keys: Sequence[str]) -> Order:
    """From texts such as "Score desc", "{Zip Code} as text"; Invalid."""
    if len(keys) > MOST_KEYS:
        raise Invalid(f"The order has {len(keys)} keys; {MOST_KEYS} are possible.", where="order")
    return tuple(_key(text, f"order, key {number}") for number, text in enumerate(keys, 1))


def write_order(order: Order) -> list[str]:
    """What `read_order` reads as the same order."""
    return [f"{name(key.name)}{' as text' if key.text else ''}{' desc' if key.descending else ''}" for key in order]


def check_order(order: Order, known: Collection[str]) -> None:
    """Invalid where it names a field that the list does not have."""
    for number, key in enumerate(order, 1):
        if not isinstance(key.name, System) and key.name not in known:
            fix = suggestion(key.name, known, "See its fields with todoke list show.")
            raise Invalid(f"The list has no field {key.name!r}.", where=f"order, key {number}", fix=fix)


def rank(key: Key, value: str) -> tuple[int, int, str]:
    """By what the value is compared, up: its kind, its number, its text. Down, the last two turn round."""
    if not value:
        return 2, 0, ""
    number = None if key.text else scaled(value)
    return (1, 0, lower(value)[:LONGEST_COMPARED]) if number is None else (0, number, "")


def _key(text: str, where: str) -> Key:
    head, *rest = split(text, where)
    if head.kind not in (Kind.WORD, Kind.FIELD):
        raise Invalid(f"A field is expected, not {head.shown}.", where=where, fix='Such as "Score desc".')
    words = [token.text.casefold() for token in rest[:-1]]
    as_text = words[:2] == ["as", "text"]
    if as_text:
        words = words[2:]
    if words not in ([], ["asc"], ["desc"]):
        fix = 'Write it as "Score desc", "Score asc" or "Zip as text".'
        raise Invalid(f"{' '.join(words)!r} is not expected.", where=where, fix=fix)
    field = field_name(head)
    if field is System.ZONE:
        raise Invalid("A contact may have several zones: they give no order.", where=where, fix="Use another field.")
    return Key(field, words == ["desc"], as_text)
