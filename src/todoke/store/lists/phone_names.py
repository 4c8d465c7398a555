"""What a list calls its phone types, when another file comes to it.

A set of places says of which phone type the texted number is, by the names of `calling_list.phone_names`. The strictest
hours of all these names hold, so a name that a list has had stays: a file that calls the same field otherwise adds one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from todoke.sms.phone_type import named, phone_type_of, places_of

PhoneNames: TypeAlias = Mapping[str, Sequence[str]]
"""By phone field, what else files called it."""


def all_names(mine: PhoneNames | None, coming: PhoneNames | None) -> dict[str, list[str]] | None:
    """Those of the list and those of what comes. None for a list of before names were kept: it has none, whatever
    comes.
    """
    if mine is None:
        return None
    found = {field: list(others) for field, others in mine.items()}
    for field, others in (coming or {}).items():
        known = found.setdefault(field, [])
        known.extend(other for other in others if other not in known)
    return found


def renamed(zones: Sequence[str], names: PhoneNames | None) -> list[str]:
    """A set that comes as it is on the list that has these names."""
    phone_type = phone_type_of(zones)
    if names is None or not phone_type:
        return list(places_of(zones))
    field = phone_type[0]
    return list(named(places_of(zones), (field, *names.get(field, ()))))
