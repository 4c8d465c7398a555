"""A filter and an order as SQL over a page of contacts. Values are always bound; what stands in the text is ours.

The first parameters say which contacts are looked at: bucket, list, first and last position, or bucket, list, positions
and nothing. It is tested to give what `model.filter` says, on both databases: so it uses nothing that depends on a
locale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any as Bound
from typing import NamedTuple

from todoke.model.filter.expression import All, Any, Condition, Day, Expression, Not, Op, System, Value
from todoke.model.filter.matching import zones_match
from todoke.model.filter.order import LONGEST_COMPARED, Order
from todoke.model.filter.values import MINUTE_LENGTH, capitals, fold, lower

ALWAYS = All(())
"""A filter that every contact passes."""


class Query(NamedTuple):
    """`parameters` come after those that say which contacts are looked at."""

    sql: str
    parameters: list[Bound]


@dataclass(slots=True)
class Column:
    """A value of a contact, and what must be made of it."""

    number: int
    source: str
    kinds: set[str] = field(default_factory=set[str])  # lower | number | day | minute
    capitals: dict[str, str] = field(default_factory=dict[str, str])  # to be made small, by the small letter


class Compiler(ABC):
    """One statement: make it, compile, forget it. The expression is `resolved`; its fields are among `fields`."""

    first = 5  # the number of the first parameter that is free

    def __init__(self, fields: Sequence[str], zone_sets: Sequence[Sequence[str]], *, chosen: bool = False) -> None:
        self._chosen = chosen
        self._fields = {name: index for index, name in reversed(list(enumerate(fields)))}
        self._zone_sets = zone_sets
        self._columns: dict[str | System, Column] = {}
        self._parameters: list[Bound] = []

    def compile(self, expression: Expression, order: Order = ()) -> Query:
        """Positions, or with an order what `Sorter` takes."""
        for key in order:
            column = self._column(key.name)
            column.kinds.update(("lower",) if key.text else ("lower", "number"))
        condition = self._condition(expression)
        ranks = [rank for key in order for rank in self._rank(self._column(key.name).number, text=key.text)]
        return Query(self._statement(list(self._columns.values()), condition, ranks), self._parameters)

    # ------------------------------------------------------------------ the expression

    def _condition(self, expression: Expression) -> str:
        match expression:
            case All(()):
                return self._true
            case All(parts):
                return "(" + " AND ".join(self._condition(part) for part in parts) + ")"
            case Any(parts):
                return "(" + " OR ".join(self._condition(part) for part in parts) + ")"
            case Not(part):
                return f"NOT {self._condition(part)}"
            case Condition(name=System.ZONE):
                fitting = [at for at, zones in enumerate(self._zone_sets) if zones_match(expression, zones)]
                return f"({self._among('zone_set', fitting, 'zone_set')})"
            case Condition():
                return f"(({self._test(expression)}) IS TRUE)"

    def _test(self, test: Condition) -> str:
        column = self._column(test.name)
        at = column.number
        if test.op is Op.EMPTY:
            return f"f{at} = ''"
        value = test.values[0]
        match test.op:
            case Op.IS | Op.IN:
                return self._is(column, test.values)
            case Op.STARTS_WITH:
                self._fold(column, str(value))
                return self._starts(f"t{at}", fold(str(value)))
            case Op.CONTAINS:
                self._fold(column, str(value))
                return self._contains(f"t{at}", fold(str(value)))
            case Op.BETWEEN:
                own = self._compared(column, value)
                least, most = (self._constant(each) for each in test.values)
                return f"{own} >= {least} AND {own} <= {most}"
            case _:
                own = self._compared(column, value)
                return f"{own} {test.op.value} {self._constant(value)}"

    def _is(self, column: Column, values: Sequence[Value]) -> str:
        texts = [value for value in values if isinstance(value, str)]
        if texts:
            for text in texts:
                self._fold(column, text)
            return self._among(f"t{column.number}", [fold(text) for text in texts], "text")
        if isinstance(values[0], Decimal):
            column.kinds.add("number")
            return self._among(f"n{column.number}", values, "number")
        return " OR ".join(
            f"coalesce({self._compared(column, value)} = {self._constant(value)}, {self._false})" for value in values
        )

    def _compared(self, column: Column, value: Value) -> str:
        match value:
            case Decimal():
                kind, letter = "number", "n"
            case Day(text):
                kind, letter = ("minute", "m") if len(text) == MINUTE_LENGTH else ("day", "d")
            case str():
                kind, letter = "lower", "l"
            case _:
                raise TypeError("the expression is not resolved")
        column.kinds.add(kind)
        return f"{letter}{column.number}"

    def _constant(self, value: Value) -> str:
        match value:
            case Decimal():
                return self._bind(self._number(value), "number")
            case Day(text):
                return self._bind(text, "text")
            case str():
                return self._bind(lower(value), "text")
            case _:
                raise TypeError("the expression is not resolved")

    @staticmethod
    def _fold(column: Column, text: str) -> None:
        """The column in small letters must do for a comparison with this text."""
        column.kinds.add("lower")
        column.capitals.update(capitals(fold(text)))

    def _column(self, name: str | System) -> Column:
        column = self._columns.get(name)
        if column is None:
            match name:
                case System.NUMBER:
                    source = "CASE destination WHEN 0 THEN '' ELSE CAST(destination AS text) END"
                case System.EXTERNAL_ID:
                    source = "external_id"
                case System.ZONE:
                    raise ValueError("zones are no value")
                case _:
                    source = self._field(self._fields[name]) if name in self._fields else "''"
            column = self._columns[name] = Column(len(self._columns), source)
        return column

    def _bind(self, value: Bound, kind: str) -> str:
        self._parameters.append(value)
        return self._placeholder(len(self._parameters) + self.first - 1, kind)

    # ------------------------------------------------------------------ what the databases say differently

    _true: str
    _false: str

    @abstractmethod
    def _placeholder(self, number: int, kind: str) -> str: ...

    @abstractmethod
    def _number(self, value: Decimal) -> Bound: ...

    @abstractmethod
    def _field(self, index: int) -> str: ...

    @abstractmethod
    def _among(self, column: str, values: Collection[Value | int], kind: str) -> str: ...

    @abstractmethod
    def _starts(self, column: str, text: str) -> str: ...

    @abstractmethod
    def _contains(self, column: str, text: str) -> str: ...

    @abstractmethod
    def _rank(self, at: int, *, text: bool) -> tuple[str, str, str]: ...

    @abstractmethod
    def _statement(self, columns: Sequence[Column], condition: str, ranks: Sequence[str]) -> str: ...

    @staticmethod
    def _ranked(at: int, number: str, *, text: bool) -> tuple[str, str, str]:
        """What `model.filter.order.rank` says; `number` is the column's number in millionths."""
        lowered = f"substr(l{at}, 1, {LONGEST_COMPARED})"
        if text:
            return f"CASE WHEN f{at} = '' THEN 2 ELSE 1 END", "0", lowered
        return (
            f"CASE WHEN f{at} = '' THEN 2 WHEN n{at} IS NULL THEN 1 ELSE 0 END",
            f"coalesce({number}, 0)",
            f"CASE WHEN n{at} IS NULL THEN {lowered} ELSE '' END",
        )
