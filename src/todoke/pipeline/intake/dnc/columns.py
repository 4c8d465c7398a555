"""Which column of a file of numbers has the numbers, and which when they end. Such a file may have no header. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from todoke.model.closest import suggestion
from todoke.model.errors import Invalid
from todoke.model.plain_name import plain
from todoke.pipeline.intake.mapping import map_headers
from todoke.pipeline.intake.system_fields import SystemField

_EXPIRY = frozenset(
    ("expires", "expiresat", "expireson", "expiry", "expirydate", "expiration", "expirationdate", "until", "validuntil")
)


class Columns(NamedTuple):
    """Places in a row. `header`: the names of the columns. `headless`: the first row is a number like the others."""

    phone: int
    expiry: int | None
    header: list[str]
    headless: bool


def find_columns(
    first: Sequence[str],
    is_phone: Callable[[str], bool],
    is_moment: Callable[[str], bool],
    *,
    column: str | None,
    expires_column: str | None,
    where: str,
) -> Columns:
    """From the first row. `column` and `expires_column` are headers that a person names. Invalid where no column has
    the numbers.
    """
    numbers = [index for index, value in enumerate(first) if is_phone(value)]
    if numbers and column is None and expires_column is None:
        ends = next((index for index, value in enumerate(first) if index not in numbers and is_moment(value)), None)
        names = [f"Column {index + 1}" for index in range(len(first))]
        names[numbers[0]] = "PhoneNumber"
        return Columns(numbers[0], ends, names, headless=True)
    header = [" ".join(value.split()) for value in first]
    phone = _named(header, column, where) if column is not None else _phone(header, where)
    if expires_column is not None:
        expiry: int | None = _named(header, expires_column, where)
    else:
        expiry = next((index for index, name in enumerate(header) if plain(name) in _EXPIRY and index != phone), None)
    return Columns(phone, expiry, header, headless=False)


def _named(header: list[str], name: str, where: str) -> int:
    wanted = plain(name)
    found = next((index for index, given in enumerate(header) if given == name or plain(given) == wanted), None)
    if found is None:
        raise Invalid(f"The file has no column {name!r}.", where=where, fix=suggestion(name, header))
    return found


def _phone(header: list[str], where: str) -> int:
    layout = map_headers(header, where=where)
    known = layout.find(SystemField.SMS_PHONE_NUMBER) or next(iter(layout.phones), None)
    if known is not None:
        return known.index
    if len(header) == 1:
        return 0
    there = ", ".join(repr(name) for name in header[:12])
    raise Invalid(
        "No column holds phone numbers.", where=where, fix=f"The columns are {there}; name one with --column."
    )
