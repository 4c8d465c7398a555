"""A filter's text: what it says, and what is told where it says nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.selection.strategies import expressions

from todoke.model.errors import Invalid
from todoke.model.filter import Expression, conditions, from_json, read, resolved, to_json, write
from todoke.model.filter.expression import All, Any, Condition, Day, Not, Op, System, Today, check_size
from todoke.model.filter.reading import check_fields

FL = Condition("State", Op.IS, ("FL",))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('State = "FL"', FL),
        ("state is 'FL'", Condition("state", Op.IS, ("FL",))),
        ('State != "FL"', Not(FL)),
        ('State is not "FL"', Not(FL)),
        ("{Cell #} is empty", Condition("Cell #", Op.EMPTY)),
        ("{Cell #} is not empty", Not(Condition("Cell #", Op.EMPTY))),
        ("Score >= -1.5", Condition("Score", Op.AT_LEAST, (Decimal("-1.5"),))),
        ('State in ("FL", "GA")', Condition("State", Op.IN, ("FL", "GA"))),
        ("Score not in (1, 2)", Not(Condition("Score", Op.IN, (Decimal(1), Decimal(2))))),
        ('Zip starts with "90"', Condition("Zip", Op.STARTS_WITH, ("90",))),
        ('Tag not contains "x"', Not(Condition("Tag", Op.CONTAINS, ("x",)))),
        ("Score between 1 and 10", Condition("Score", Op.BETWEEN, (Decimal(1), Decimal(10)))),
        ("Due before today", Condition("Due", Op.LESS, (Today(),))),
        ("Due after 2026-11-27T09:30", Condition("Due", Op.MORE, (Day("2026-11-27T09:30"),))),
        ("Due within 7 days", Condition("Due", Op.BETWEEN, (Today(), Today(7)))),
        ("Due within last 30 days", Condition("Due", Op.BETWEEN, (Today(-30), Today()))),
        ("Due = today-1", Condition("Due", Op.IS, (Today(-1),))),
        ('@zone = "America/New_York"', Condition(System.ZONE, Op.IS, ("America/New_York",))),
    ],
)
def test_a_test(text: str, meant: Expression) -> None:
    assert read(text) == meant


def test_and_binds_closer_than_or() -> None:
    found = read('State = "FL" or State = "FL" and not (State = "FL" or State = "FL")')
    assert found == Any((FL, All((FL, Not(Any((FL, FL)))))))


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("", 1, "is empty"),
        ("State = FL", 9, 'in quotes: "FL"'),
        ("Score >>", 8, "value is expected"),
        ('"State" = 1', 1, "Write {State}"),
        ("a = 1 b", 7, '"and" or "or"'),
        ("(a = 1", 7, "opens in column 1"),
        ("a = 90210x", 5, "neither a number nor a date"),
        ("a in 5", 6, "in brackets"),
        ('a = "x', 5, "does not close"),
        ("{a = 1", 1, "does not close"),
        ('@zones = "x"', 1, "Did you mean '@zone'?"),
        ('a cotains "x"', 3, "Did you mean 'contains'?"),
        ('a between 1 and "x"', 17, "of one type"),
        ('a contains ""', 12, "is empty"),
        ("a before 3", 10, "Such as 2026-11-27"),
        ("a = 2026-02-30", 5, "There is no day 2026-02-30"),
        ("a = 1234567890123", 5, "more than 12 digits"),
        ("a within 7", 11, "within 7 days"),
        ("a % 5", 3, "has no place"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, column: int, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert refused.value.where == f"filter, column {column}"
    assert told in str(refused.value)


def test_a_field_that_the_list_does_not_have_is_told_with_the_closest() -> None:
    with pytest.raises(Invalid, match=r"column 14.*'Scoer'.*Did you mean 'Score'") as refused:
        check_fields(read("State = 1 or Scoer = 2"), ["State", "Score"])
    assert refused.value.where == "filter, column 14"
    check_fields(read('State = 1 or @number = "2"'), ["State"])


def test_a_filter_is_bounded() -> None:
    with pytest.raises(Invalid, match="201 conditions"):
        read(" or ".join(["a = 1"] * 201))
    with pytest.raises(Invalid, match="nested"):
        read("not " * 60 + "a = 1")
    with pytest.raises(Invalid, match="20,000"):
        read("a" * 20_001)
    deep: Expression = FL
    for _ in range(25):
        deep = Not(deep)
    with pytest.raises(Invalid, match="nested"):
        check_size(deep)


@given(expressions)
def test_text_and_json_say_the_same(expression: Expression) -> None:
    assert from_json(to_json(expression)) == expression
    assert read(write(expression)) == expression


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except Invalid as error:
        assert error.where is not None
        return
    assert read(write(found)) == found


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "filter"),
        ({"field": "a"}, "filter"),
        ({"field": "a", "is": 1, "in": []}, "filter"),
        ({"field": "a", "iss": 1}, "filter"),
        ({"all": []}, "filter.all"),
        ({"all": [{"field": "a", "is": None}]}, "filter.all[0].is"),
        ({"any": [{"field": "a", "between": [1, "x"]}]}, "filter.any[0].between"),
        ({"not": {"field": "", "is": 1}}, "filter.not.field"),
        ({"system": "zones", "is": "x"}, "filter.system"),
        ({"field": "a", "empty": False}, "filter.empty"),
        ({"field": "a", "contains": ""}, "filter.contains"),
        ({"field": "a", "is": {"day": "2026-02-30"}}, "filter.is"),
        ({"field": "a", "is": float("nan")}, "filter.is"),
        ({"field": "a", "is": True}, "filter.is"),
        ({"field": "a", "in": "FL"}, "filter.in"),
    ],
)
def test_a_document_that_is_no_filter_is_told_with_its_path(document: object, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(document)
    assert refused.value.where == where


def test_today_becomes_a_day() -> None:
    found = resolved(read("not (Due within 2 days)"), date(2026, 12, 31))
    (test,) = conditions(found)
    assert test.values == (Day("2026-12-31"), Day("2027-01-02"))
