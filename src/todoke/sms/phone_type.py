"""The phone type of the number at which a contact is texted, as the contact's set of places carries it.

A set of places may end with names: `["US-FL America/New_York", "@PhoneNumber", "@Work phone"]`. The first is the field
of the list, further ones are what files called it. A set without names is of a list that was imported before they were
kept, or of a single text: nobody knows the phone type. A place never begins with the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from todoke.sms.places import Places

PhoneType: TypeAlias = tuple[str, ...]
"""Its names, the field first; none where it is not known."""

_MARK = "@"


def named(places: Iterable[str], phone_type: PhoneType) -> tuple[str, ...]:
    """The set of these places for numbers of that phone type."""
    return (*places, *(f"{_MARK}{name}" for name in phone_type))


def places_of(texts: Iterable[str]) -> Places:
    """The places of a set, without the names."""
    return tuple(text for text in texts if not text.startswith(_MARK))


def phone_type_of(texts: Sequence[str]) -> PhoneType:
    """The phone type that the set names."""
    return tuple(text.removeprefix(_MARK) for text in texts if text.startswith(_MARK))
