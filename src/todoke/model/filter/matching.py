"""What a filter means: whether one contact is wanted. Never an error: what cannot be read as the type that is asked for
does not match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from todoke.model.filter.expression import All, Any, Condition, Day, Expression, Not, Op, System, Value
from todoke.model.filter.values import MINUTE_LENGTH, day_of, fold, lower, minute_of, scaled, scaled_value
from todoke.sms.phone_type import places_of


class Record(NamedTuple):
    """A contact as a filter sees it. `zones`: its candidate zones, each a text."""

    fields: Mapping[str, str]
    number: str = ""
    external_id: str = ""
    zones: Sequence[str] = ()


def matches(expression: Expression, record: Record) -> bool:
    """Whether the contact is wanted. The expression is `resolved`. A field that the record does not have is empty."""
    match expression:
        case All(parts):
            return all(matches(part, record) for part in parts)
        case Any(parts):
            return any(matches(part, record) for part in parts)
        case Not(part):
            return not matches(part, record)
        case Condition(name=System.ZONE):
            return zones_match(expression, record.zones)
        case Condition(name=System.NUMBER):
            return holds(expression, record.number)
        case Condition(name=System.EXTERNAL_ID):
            return holds(expression, record.external_id)
        case Condition(name=name):
            return holds(expression, record.fields.get(name, ""))


def zones_match(test: Condition, zones: Sequence[str]) -> bool:
    """Whether the test holds for any of the zones, or for a word of one. No zone is an empty one."""
    words = [word for zone in places_of(zones) for word in (zone, *zone.split())]
    return any(holds(test, word) for word in words or [""])


def holds(test: Condition, text: str) -> bool:
    """Whether the test holds for this value."""
    values = test.values
    match test.op:
        case Op.EMPTY:
            return not text
        case Op.IS | Op.IN:
            return any(_same(value, text) for value in values)
        case Op.STARTS_WITH:
            return fold(text).startswith(fold(str(values[0])))
        case Op.CONTAINS:
            return fold(str(values[0])) in fold(text)
        case Op.BETWEEN:
            least, most = values
            return _stands(values[0], text, least) in (0, 1) and _stands(values[0], text, most) in (0, -1)
        case Op.LESS | Op.AT_MOST | Op.MORE | Op.AT_LEAST:
            return _stands(values[0], text, values[0]) in _WANTED[test.op]


_WANTED = {Op.LESS: (-1,), Op.AT_MOST: (-1, 0), Op.MORE: (1,), Op.AT_LEAST: (0, 1)}


def _stands(like: Value, text: str, other: Value) -> int | None:
    """-1 where the text, read as `like` is, comes before `other`, 0 where it is the same, 1 where it comes after; None
    where it is nothing of the kind.
    """
    own, constant = _comparable(like, text), _constant(other)
    if isinstance(own, int) and isinstance(constant, int):
        return (own > constant) - (own < constant)
    if isinstance(own, str) and isinstance(constant, str):
        return (own > constant) - (own < constant)
    return None


def _same(value: Value, text: str) -> bool:
    if isinstance(value, str):
        return fold(text) == fold(value)
    own = _comparable(value, text)
    return own is not None and own == _constant(value)


def _comparable(value: Value, text: str) -> str | int | None:
    """The text as what `value` is compared with; None where it is nothing of the kind."""
    match value:
        case Decimal():
            return scaled(text)
        case Day():
            return minute_of(text) if len(value.text) == MINUTE_LENGTH else day_of(text)
        case str():
            return lower(text)
        case _:
            raise TypeError("the expression is not resolved")


def _constant(value: Value) -> str | int:
    match value:
        case Decimal():
            size = scaled_value(value)
            assert size is not None  # checked where the filter was read
            return size
        case Day():
            return value.text
        case str():
            return lower(value)
        case _:
            raise TypeError("the expression is not resolved")
