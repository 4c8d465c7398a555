"""From the name that a person gave to the thing of that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from todoke.model.closest import suggestion
from todoke.model.errors import NotFound


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def pick(name: str, rows: Sequence[T], what: str, otherwise: str) -> T:
    """The row of that name; NotFound with the closest one, or `otherwise` where there is none to speak of."""
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise missing(name, {row.name: row for row in rows}, what, otherwise)
    return found


def missing(name: str, known: Mapping[str, object], what: str, otherwise: str) -> NotFound:
    """The error for a name that nothing has."""
    return NotFound(f"There is no {what} {name!r}.", fix=suggestion(name, known, otherwise))
