"""A filter on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any as Bound

from todoke.model.filter.expression import Value
from todoke.model.filter.values import DAY, DAY_LENGTH, DECIMALS, MINUTE, MINUTE_LENGTH, NUMBER, SCALE
from todoke.store.selection.query import Column, Compiler

_PAGE = "bucket = $1 AND list_id = $2 AND position BETWEEN $3 AND $4"
_CHOSEN = "bucket = $1 AND list_id = $2 AND position = ANY ($3::bigint[]) AND $4::bigint IS NULL"

_TYPES = {"text": "text", "number": "numeric", "zone_set": "smallint"}


class PostgresCompiler(Compiler):
    """Its statement gives one value: an array of positions, or a JSON text of arrays that begin with one."""

    _true, _false = "true", "false"

    def _placeholder(self, number: int, kind: str) -> str:
        return f"${number}::{_TYPES[kind]}"

    def _number(self, value: Decimal) -> Bound:
        return value

    def _field(self, index: int) -> str:
        return f"coalesce(a[{index + 1}], '')"

    def _among(self, column: str, values: Collection[Value | int], kind: str) -> str:
        return f"{column} = ANY ({self._bind(list(values), kind)}[])"

    def _starts(self, column: str, text: str) -> str:
        return f"left({column}, {len(text)}) = {self._bind(text, 'text')}"

    def _contains(self, column: str, text: str) -> str:
        return f"strpos({column}, {self._bind(text, 'text')}) > 0"

    def _rank(self, at: int, *, text: bool) -> tuple[str, str, str]:
        return self._ranked(at, f"(n{at} * {SCALE})::bigint", text=text)

    def _statement(self, columns: Sequence[Column], condition: str, ranks: Sequence[str]) -> str:
        where = _CHOSEN if self._chosen else _PAGE
        # OFFSET 0: each step once. What is nested without it is worked out again wherever it is named.
        values = ", string_to_array(fields, chr(31)) AS a" if any("a[" in column.source for column in columns) else ""
        source = f"SELECT position, destination, zone_set, external_id{values} FROM contact WHERE {where} OFFSET 0"
        plain = _listed(f"{column.source} AS f{column.number}" for column in columns)
        source = f"SELECT position, zone_set{plain} FROM ({source}) s0 OFFSET 0"
        made = _listed(expression for column in columns for expression in self._made(column))
        source = f"SELECT *{made} FROM ({source}) s1 OFFSET 0"
        if ranks:
            wanted = f"json_agg(json_build_array(position{_listed(ranks)}) ORDER BY position)::text"
        else:
            wanted = "array_agg(position ORDER BY position)"
        return f"SELECT {wanted} FROM ({source}) s2 WHERE {condition}"

    def _made(self, column: Column) -> list[str]:
        """What the tests and the order compare, of one value. COLLATE "C": the same in every locale."""
        at, made = column.number, list[str]()
        if "lower" in column.kinds:
            lowered = f'lower(f{at} COLLATE "C")'
            made.append(f"{lowered} AS l{at}")
            if column.capitals:
                big = self._bind("".join(column.capitals.values()), "text")
                small = self._bind("".join(column.capitals), "text")
                lowered = f"translate({lowered}, {big}, {small})"
            made.append(f"{lowered} AS t{at}")
        if "number" in column.kinds:
            read = f"trunc(replace(f{at}, ',', '')::numeric, {DECIMALS})"
            made.append(f"CASE WHEN f{at} ~ '{_whole(NUMBER)}' THEN {read} END AS n{at}")
        if "day" in column.kinds:
            made.append(f"CASE WHEN f{at} ~ '{_whole(DAY)}' THEN left(f{at}, {DAY_LENGTH}) COLLATE \"C\" END AS d{at}")
        if "minute" in column.kinds:
            clock = f"CASE WHEN length(f{at}) = {DAY_LENGTH} THEN '00:00' ELSE substr(f{at}, {DAY_LENGTH + 2}, 5) END"
            read = f"left(f{at}, {DAY_LENGTH}) || 'T' || {clock}"
            assert MINUTE_LENGTH == DAY_LENGTH + 6
            made.append(f"CASE WHEN f{at} ~ '{_whole(MINUTE)}' THEN ({read}) COLLATE \"C\" END AS m{at}")
        return made


def _whole(pattern: str) -> str:
    return f"^({pattern})$"


def _listed(expressions: Iterable[str]) -> str:
    return "".join(f", {expression}" for expression in expressions)
