"""Contacts and filters at random, of the kind in which the databases could differ."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from todoke.model.filter.expression import All, Any, Condition, Day, Expression, Not, Op, System, Today

FIELDS = ("Name", "Score", "Due date", "Tag")
ZONES = (("America/New_York",), ("US-FL America/New_York", "US-FL America/Chicago"), ())

_LETTERS = "aAbBzZäÄßẞıİiIſKkéÉΣσςДд東"
_MARKS = " .,'\"\\{}[]%_*?-+\n\t"
texts = st.text(alphabet=_LETTERS + _MARKS + "0123456789", max_size=6) | st.sampled_from(
    ["", "\\u001f", "Äpfel", "äpfel", "STRASSE", "straße", "null", "[1]"]
)
numbers = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.sampled_from(["0", "1", "7", "10", "007", "1,234", "12,345,678", "1,23", "123456789012", "1234567890123", ""]),
    st.sampled_from(["", ".", ".5", ".50", ".123456", ".1234567", ".9999999", ".x", "e3", " "]),
)
days = st.builds(
    "{}{}".format,
    st.sampled_from(["2026-11-26", "2026-11-27", "2026-11-28", "2026-1-1", "0000-00-00", "2026-19-39", "2026-11-2"]),
    st.sampled_from(["", " ", "T", "T09:30", " 09:30", "T23:59:59Z", " 10", "x", "T99:99", "\n", " 09:30\n"]),
)
values = texts | numbers | days
contacts = st.tuples(st.lists(values, min_size=0, max_size=4), values, st.integers(0, 2))

_names = st.sampled_from([*FIELDS, System.NUMBER, System.EXTERNAL_ID, System.ZONE])
_filled = values.filter(bool)
_decimals = st.decimals(-1300, 1300, places=2) | st.sampled_from(
    [
        Decimal("1234"),
        Decimal("0.123456"),
        Decimal("123456789012"),
        Decimal("0.999999"),
        Decimal(0),
        Decimal("12345678"),
    ]
)
_days = st.sampled_from([Day("2026-11-27"), Day("2026-11-27T09:30"), Day("2026-11-28"), Today(), Today(1), Today(-1)])
_orders = st.sampled_from([Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST])
_kinds = st.sampled_from([values, _decimals, _days])
_lists = _kinds.flatmap(lambda kind: st.lists(kind, min_size=1, max_size=3).map(tuple))
_zones = st.sampled_from(["America/New_York", "us-fl", "US-FL America/Chicago", ""])

conditions: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Condition, _names, st.just(Op.EMPTY)),
    st.builds(Condition, _names, st.just(Op.IN), _lists),
    st.builds(Condition, _names, st.just(Op.IS), st.tuples(values | _decimals | _days)),
    st.builds(Condition, st.just(System.ZONE), st.just(Op.IS), st.tuples(_zones)),
    st.builds(Condition, _names, st.sampled_from([Op.STARTS_WITH, Op.CONTAINS]), st.tuples(_filled)),
    st.builds(Condition, _names, _orders, st.tuples(values | _decimals | _days)),
    st.builds(Condition, _names, st.just(Op.BETWEEN), _kinds.flatmap(lambda kind: st.tuples(kind, kind))),
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Any, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
