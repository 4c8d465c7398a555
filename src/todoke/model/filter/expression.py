"""A filter as data: which contacts of a list are wanted. What it means is said once, in `matching.py`; the store's
SQL is tested equal to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from todoke.model.errors import Invalid

MOST_CONDITIONS = 200
MOST_DEEP = 20
MOST_VALUES = 1_000  # in one list of values
LONGEST_VALUE = 1_000  # characters


class System(StrEnum):
    """What Todoke itself knows of a contact, beside the fields of its list."""

    NUMBER = "number"  # the number that is texted, as digits with the country code
    EXTERNAL_ID = "external_id"
    ZONE = "zone"  # any of its candidate zones


class Op(StrEnum):
    IS = "is"
    IN = "in"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    EMPTY = "empty"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    BETWEEN = "between"  # with both ends


class Day(NamedTuple):
    """A date, `2026-11-27`, or a moment to the minute, `2026-11-27T09:30`, as a list would write it."""

    text: str


class Today(NamedTuple):
    """So many days after the day on which the filter is applied."""

    plus: int = 0


Value: TypeAlias = str | Decimal | Day | Today


@dataclass(frozen=True, slots=True)
class Condition:
    """One field against values of one type: text, number or day. `at`: where it stands in the text, from 1."""

    name: str | System
    op: Op
    values: tuple[Value, ...] = ()
    at: int = field(default=0, compare=False)

    @property
    def shown(self) -> str:
        return f"@{self.name.value}" if isinstance(self.name, System) else self.name


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Expression, ...]


Expression: TypeAlias = Condition | Not | All | Any


def conditions(expression: Expression) -> Iterator[Condition]:
    """Every test of the expression, in order."""
    match expression:
        case Condition():
            yield expression
        case Not(part):
            yield from conditions(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from conditions(part)


def resolved(expression: Expression, today: date) -> Expression:
    """The same with days in the place of what is said relative to today."""
    match expression:
        case Condition():
            values = tuple(_day(value, today) for value in expression.values)
            return replace(expression, values=values)
        case Not(part):
            return Not(resolved(part, today))
        case All(parts):
            return All(tuple(resolved(part, today) for part in parts))
        case Any(parts):
            return Any(tuple(resolved(part, today) for part in parts))


def _day(value: Value, today: date) -> Value:
    return Day((today + timedelta(days=value.plus)).isoformat()) if isinstance(value, Today) else value


def is_day(text: str) -> bool:
    """Whether the calendar has this day, and the day this minute."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def check_size(expression: Expression) -> None:
    """Invalid where it is too large or too deep to be applied to a list."""
    count = _size(expression, 1)
    if count > MOST_CONDITIONS:
        raise Invalid(
            f"The filter has {count} conditions; {MOST_CONDITIONS} are possible.", fix="Use `in` for many values."
        )


def _size(expression: Expression, depth: int) -> int:
    if depth > MOST_DEEP:
        raise Invalid(f"The filter is nested deeper than {MOST_DEEP} levels.", fix="Write it flatter.")
    match expression:
        case Condition():
            return 1
        case Not(part):
            return _size(part, depth + 1)
        case All(parts) | Any(parts):
            return sum(_size(part, depth + 1) for part in parts)
