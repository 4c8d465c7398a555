"""Texts from parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.store.hot.inbox import PARTS_WITHIN, Row, assemble


def row(id: int, number: int, total: int, text: str, at: int = 0) -> Row:
    return Row(id, 1, "phone", "code", text, 7, total, number, "link", at)


@given(st.permutations(range(1, 6)))
def test_any_order_makes_the_text(order: list[int]) -> None:
    rows = [row(id, number, 5, str(number)) for id, number in enumerate(order, start=1)]
    assert assemble(rows, 5) == {5: "12345"}


@given(st.lists(st.permutations([1, 2, 3]), min_size=1, max_size=4))
def test_texts_one_after_the_other_do_not_mix(orders: list[list[int]]) -> None:
    rows: list[Row] = []
    for text, order in enumerate(orders):
        rows += [row(len(rows) + i, number, 3, f"{text}{number}") for i, number in enumerate(order, start=1)]
    expected = {3 * (n + 1): f"{n}1{n}2{n}3" for n in range(len(orders))}
    assert assemble(rows, 3) == expected


def test_a_part_that_comes_again_before_the_text_is_whole_counts_as_it_came_last() -> None:
    assert assemble([row(1, 1, 2, "old"), row(2, 1, 2, "new"), row(3, 2, 2, "!")], 2) == {3: "new!"}


def test_a_part_of_long_ago_belongs_to_another_text() -> None:
    late = PARTS_WITHIN + 1
    assert assemble([row(1, 1, 2, "a"), row(2, 2, 2, "b", late)], 2) == {}
    assert assemble([row(1, 1, 2, "a"), row(2, 2, 2, "b", late - 1)], 2) == {2: "ab"}
