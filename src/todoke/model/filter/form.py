"""A filter as JSON, for programs:

    {"all": [{"field": "State", "in": ["FL", "GA"]}, {"field": "Score", ">=": 10},
             {"not": {"field": "Tag", "contains": "x"}}, {"field": "Due", "between": [{"today": 0}, {"today": 7}]}]}

A JSON text is a text, a JSON number a number; a day is {"day": "2026-11-27"} or {"today": 3}. What Todoke itself knows
is named by {"system": "zone"} in the place of "field".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any as Json
from typing import cast

from todoke.model.closest import suggestion
from todoke.model.errors import Invalid
from todoke.model.filter.expression import (
    LONGEST_VALUE,
    MOST_DEEP,
    MOST_VALUES,
    All,
    Any,
    Condition,
    Day,
    Expression,
    Not,
    Op,
    System,
    Today,
    Value,
    check_size,
    is_day,
)
from todoke.model.filter.values import scaled_value

_NEGATIVE = {"is_not": Op.IS, "not_in": Op.IN, "not_empty": Op.EMPTY}
_OPERATORS = [*(op.value for op in Op), *_NEGATIVE]
_TEXT_ONLY = (Op.STARTS_WITH, Op.CONTAINS)
_WRITTEN_DAY = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?")


def from_json(document: object) -> Expression:
    """The filter; Invalid, with the path of what is wrong."""
    found = _expression(document, "filter", 1)
    check_size(found)
    return found


def to_json(expression: Expression) -> dict[str, Json]:
    """What `from_json` reads as the same filter."""
    match expression:
        case Condition():
            return _written(expression, expression.op.value)
        case Not(Condition(op=Op.IS) as test):
            return _written(test, "is_not")
        case Not(Condition(op=Op.EMPTY) as test):
            return _written(test, "not_empty")
        case Not(part):
            return {"not": to_json(part)}
        case All(parts):
            return {"all": [to_json(part) for part in parts]}
        case Any(parts):
            return {"any": [to_json(part) for part in parts]}


def _written(test: Condition, operator: str) -> dict[str, Json]:
    name = {"system": test.name.value} if isinstance(test.name, System) else {"field": test.name}
    values = [_json_value(value) for value in test.values]
    if test.op is Op.EMPTY:
        return {**name, operator: True}
    return {**name, operator: values if test.op in (Op.IN, Op.BETWEEN) else values[0]}


def _json_value(value: Value) -> Json:
    match value:
        case str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Day(text):
            return {"day": text}
        case Today(plus):
            return {"today": plus}


def _expression(document: object, path: str, depth: int) -> Expression:
    if depth > 2 * MOST_DEEP:
        raise Invalid("The filter is nested too deep.", where=path, fix="Write it flatter.")
    if not isinstance(document, Mapping):
        raise Invalid("An object is expected.", where=path, fix='Such as {"field": "State", "is": "FL"}.')
    table = cast("Mapping[str, object]", document)
    keys = list(table)
    if keys == ["not"]:
        return Not(_expression(table["not"], f"{path}.not", depth + 1))
    if keys in (["all"], ["any"]):
        key = keys[0]
        parts = _array(table[key], f"{path}.{key}")
        if not parts:
            raise Invalid("There is nothing in it.", where=f"{path}.{key}", fix="Put tests into it.")
        read = tuple(_expression(part, f"{path}.{key}[{at}]", depth + 1) for at, part in enumerate(parts))
        return All(read) if key == "all" else Any(read)
    return _test(table, path)


def _test(table: Mapping[str, object], path: str) -> Expression:
    operators = [key for key in table if key not in ("field", "system")]
    if len(operators) != 1 or len(table) != 2:
        fix = 'Such as {"field": "State", "is": "FL"}; join several with {"all": [...]} or {"any": [...]}.'
        raise Invalid("One field and one operator are expected.", where=path, fix=fix)
    operator = operators[0]
    if operator not in _OPERATORS:
        raise Invalid(f"There is no operator {operator!r}.", where=path, fix=suggestion(operator, _OPERATORS))
    op = _NEGATIVE.get(operator) or Op(operator)
    values = _values(op, table[operator], f"{path}.{operator}")
    found = Condition(_name(table, path), op, values)
    return Not(found) if operator in _NEGATIVE else found


def _name(table: Mapping[str, object], path: str) -> str | System:
    if "system" in table:
        try:
            return System(table["system"])
        except ValueError:
            known = [system.value for system in System]
            fix = suggestion(str(table["system"]), known)
            raise Invalid(f"There is no {table['system']!r}.", where=f"{path}.system", fix=fix) from None
    name = table.get("field")
    if not isinstance(name, str) or not name or "{" in name or "}" in name:
        raise Invalid("The name of a field is expected.", where=f"{path}.field", fix='Such as "State".')
    return name


def _values(op: Op, value: object, path: str) -> tuple[Value, ...]:
    if op is Op.EMPTY:
        if value is not True:
            raise Invalid("Only true is possible here.", where=path, fix="Use empty or not_empty.")
        return ()
    if op not in (Op.IN, Op.BETWEEN):
        return (_value(value, op, path),)
    read = [_value(part, op, f"{path}[{at}]") for at, part in enumerate(_array(value, path))]
    kinds = {Day if isinstance(part, Today) else type(part) for part in read}
    if len(kinds) != 1 or len(read) > MOST_VALUES or (op is Op.BETWEEN and len(read) != 2):
        wanted = "Two values" if op is Op.BETWEEN else f"1 to {MOST_VALUES} values"
        raise Invalid(f"{wanted} of one type are expected.", where=path, fix="Texts, numbers or days.")
    return tuple(read)


def _value(value: object, op: Op, path: str) -> Value:
    read: Value | None = None
    if isinstance(value, str) and len(value) <= LONGEST_VALUE:
        read = value if value or op not in _TEXT_ONLY else None
    elif op not in _TEXT_ONLY:
        read = _number_or_day(value)
    if read is None:
        fix = 'A text, a number, {"day": "2026-11-27"} or {"today": 3}; a text that is not empty for a part of one.'
        raise Invalid(f"{str(value)[:40]!r} is no value for {op.value}.", where=path, fix=fix)
    return read


def _number_or_day(value: object) -> Value | None:
    if isinstance(value, Mapping):
        return _day(cast("Mapping[object, object]", value))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
        return number if scaled_value(number) is not None else None
    except (InvalidOperation, OverflowError):
        return None


def _day(table: Mapping[object, object]) -> Day | Today | None:
    text, plus = table.get("day"), table.get("today")
    if len(table) != 1:
        return None
    if isinstance(text, str) and _WRITTEN_DAY.fullmatch(text) and is_day(text):
        return Day(text)
    if isinstance(plus, int) and not isinstance(plus, bool) and abs(plus) <= 36_500:
        return Today(plus)
    return None


def _array(value: object, path: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise Invalid("An array is expected.", where=path, fix="Put the values into [ ].")
    return cast("Sequence[object]", value)
