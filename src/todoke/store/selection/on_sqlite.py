"""A filter on SQLite: all of it is work of SQLite's own, which holds no lock of the interpreter. (A function of ours
would wait for the event loop at every row.)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any as Bound

from todoke.model.filter.expression import Value
from todoke.model.filter.values import DECIMALS, SCALE, scaled_value
from todoke.store.selection.query import Column, Compiler

# The values of a contact as a JSON array. A backslash is put away while the separators, which JSON writes as \u001f,
# become quotation marks and commas.
_VALUES = (
    "'[' || replace(replace(json_quote(replace(fields, '\\', char(30))), '\\u001f', '\",\"'), '\\u001e', '\\\\') || ']'"
)
_GROUPED = [",".join(["[0-9]" * first, *["[0-9][0-9][0-9]"] * more]) for first in (1, 2, 3) for more in (1, 2, 3)]
_DATE = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
_TIME = "[ T][0-2][0-9]:[0-5][0-9]"

_PAGE = "bucket = ?1 AND list_id = ?2 AND position BETWEEN ?3 AND ?4"
_CHOSEN = "bucket = ?1 AND list_id = ?2 AND position IN (SELECT value FROM json_each(?3)) AND ?4 IS NULL"


class SqliteCompiler(Compiler):
    """Its statement gives one text: a JSON array of positions, or of arrays that begin with one."""

    _true, _false = "1", "0"

    def _placeholder(self, number: int, kind: str) -> str:  # noqa: ARG002  # any value has its own type
        return f"?{number}"

    def _number(self, value: Decimal) -> Bound:
        return scaled_value(value)

    def _field(self, index: int) -> str:
        return f"coalesce(j ->> {index}, '')"

    def _among(self, column: str, values: Collection[Value | int], kind: str) -> str:
        plain = [scaled_value(value) if isinstance(value, Decimal) else value for value in values]
        return f"{column} IN (SELECT value FROM json_each({self._bind(json.dumps(plain), kind)}))"

    def _starts(self, column: str, text: str) -> str:
        return f"substr({column}, 1, {len(text)}) = {self._bind(text, 'text')}"

    def _contains(self, column: str, text: str) -> str:
        return f"instr({column}, {self._bind(text, 'text')}) > 0"

    def _rank(self, at: int, *, text: bool) -> tuple[str, str, str]:
        return self._ranked(at, f"n{at}", text=text)

    def _statement(self, columns: Sequence[Column], condition: str, ranks: Sequence[str]) -> str:
        # Each step once, for the whole page: what is nested is worked out again wherever it is named.
        where = _CHOSEN if self._chosen else _PAGE
        values = f", {_VALUES} AS j" if any("j ->>" in column.source for column in columns) else ""
        steps = [
            f"SELECT position, destination, zone_set, external_id{values} FROM contact WHERE {where}",
            f"SELECT position, zone_set{_listed(f'{c.source} AS f{c.number}' for c in columns)} FROM s0",
        ]
        numbers = [column.number for column in columns if "number" in column.kinds]
        if numbers:
            steps.append(f"SELECT *{_listed(_unsigned(at) for at in numbers)} FROM s{len(steps) - 1}")
            steps.append(f"SELECT *{_listed(_split(at) for at in numbers)} FROM s{len(steps) - 1}")
        made = [expression for column in columns for expression in self._made(column)]
        steps.append(f"SELECT *{_listed(made)} FROM s{len(steps) - 1}")
        with_ = ", ".join(f"s{number} AS MATERIALIZED ({step})" for number, step in enumerate(steps))
        wanted = f"json_array(position{_listed(ranks)})" if ranks else "position"
        last = f"s{len(steps) - 1}"
        return (
            f"WITH {with_} SELECT json_group_array({wanted}) FROM (SELECT * FROM {last} WHERE {condition}"
            " ORDER BY position)"
        )

    def _made(self, column: Column) -> list[str]:
        """What the tests and the order compare, of one value."""
        at, made = column.number, list[str]()
        if "lower" in column.kinds:
            made.append(f"lower(f{at}) AS l{at}")
            folded = f"lower(f{at})"
            for small, capital in column.capitals.items():
                folded = f"replace({folded}, {self._bind(capital, 'text')}, {self._bind(small, 'text')})"
            made.append(f"{folded} AS t{at}")
        if "number" in column.kinds:
            made.append(f"{_scaled(at)} AS n{at}")
        date = f"f{at} GLOB '{_DATE}*'"
        if "day" in column.kinds:
            fits = f"{date} AND substr(f{at}, 11, 1) IN ('', ' ', 'T')"
            made.append(f"CASE WHEN {fits} THEN substr(f{at}, 1, 10) END AS d{at}")
        if "minute" in column.kinds:
            fits = f"{date} AND (length(f{at}) = 10 OR substr(f{at}, 11) GLOB '{_TIME}*')"
            clock = f"CASE length(f{at}) WHEN 10 THEN '00:00' ELSE substr(f{at}, 12, 5) END"
            made.append(f"CASE WHEN {fits} THEN substr(f{at}, 1, 10) || 'T' || {clock} END AS m{at}")
        return made


def _listed(expressions: Iterable[str]) -> str:
    return "".join(f", {expression}" for expression in expressions)


def _unsigned(at: int) -> str:
    return f"CASE WHEN f{at} GLOB '[+-]*' THEN substr(f{at}, 2) ELSE f{at} END AS u{at}"


def _split(at: int) -> str:
    """What stands before and after the first full stop."""
    dot = f"instr(u{at}, '.')"
    return (
        f"CASE {dot} WHEN 0 THEN u{at} ELSE substr(u{at}, 1, {dot} - 1) END AS i{at}, "
        f"CASE {dot} WHEN 0 THEN '' ELSE substr(u{at}, {dot} + 1) END AS e{at}"
    )


def _scaled(at: int) -> str:
    """The number in millionths, as `model.filter.values.scaled` reads it."""
    grouped = " OR ".join(f"i{at} GLOB '{pattern}'" for pattern in _GROUPED)
    whole = (
        f"i{at} = '' AND e{at} <> '' OR i{at} <> '' AND length(i{at}) <= 12 AND i{at} NOT GLOB '*[^0-9]*'"
        f" OR instr(i{at}, ',') AND ({grouped})"
    )
    size = (
        f"(CAST(replace(i{at}, ',', '') AS INTEGER) * {SCALE}"
        f" + CAST(substr(e{at} || '{'0' * DECIMALS}', 1, {DECIMALS}) AS INTEGER))"
    )
    sign = f"CASE WHEN f{at} GLOB '-*' THEN -{size} ELSE {size} END"
    return f"CASE WHEN e{at} NOT GLOB '*[^0-9]*' AND ({whole}) THEN {sign} END"
