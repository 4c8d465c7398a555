"""A filter as text again: what `reading.py` reads as the same filter."""

from __future__ import annotations

import re
from decimal import Decimal

from todoke.model.filter.expression import All, Any, Condition, Day, Expression, Not, Op, System, Today, Value

_WORD = re.compile(r"[^\W\d][\w.#]*")
_RESERVED = frozenset({"not", "and", "or"})


def write(expression: Expression) -> str:
    """In one line."""
    match expression:
        case Condition():
            return _test(expression)
        case Not(Condition(op=Op.IS) as test):
            return f"{name(test.name)} != {_value(test.values[0])}"
        case Not(Condition(op=Op.EMPTY) as test):
            return f"{name(test.name)} is not empty"
        case Not(part):
            return f"not ({write(part)})"
        case All(parts):
            return " and ".join(_part(part) for part in parts)
        case Any(parts):
            return " or ".join(_part(part) for part in parts)


def name(field: str | System) -> str:
    """A field as it is named in a filter or an order."""
    if isinstance(field, System):
        return f"@{field.value}"
    return field if _WORD.fullmatch(field) and field.casefold() not in _RESERVED else f"{{{field}}}"


def _part(part: Expression) -> str:
    return f"({write(part)})" if isinstance(part, All | Any) else write(part)


def _test(test: Condition) -> str:
    field, values = name(test.name), [_value(value) for value in test.values]
    match test.op:
        case Op.EMPTY:
            return f"{field} is empty"
        case Op.IS:
            return f"{field} = {values[0]}"
        case Op.IN:
            return f"{field} in ({', '.join(values)})"
        case Op.BETWEEN:
            return f"{field} between {values[0]} and {values[1]}"
        case _:
            return f"{field} {test.op.value.replace('_', ' ')} {values[0]}"


def _value(value: Value) -> str:
    match value:
        case str():
            return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
        case Decimal():
            return f"{value:f}"
        case Day(text):
            return text
        case Today(plus):
            return "today" if not plus else f"today {'+' if plus > 0 else '-'} {abs(plus)}"
