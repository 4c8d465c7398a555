"""Sorting beside the store: the ranks of `model.filter.order`, more of them than come at a time."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.selection.strategies import values

from todoke.model.filter import read_order
from todoke.model.filter.order import rank
from todoke.store.selection.sorter import Sorter


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(values, values), max_size=40), down=st.booleans())
def test_it_sorts_by_every_key(rows: list[tuple[str, str]], down: bool) -> None:
    order = read_order(["A desc" if down else "A", "B as text"])
    ranked = [(position, rank(order[0], a), rank(order[1], b)) for position, (a, b) in enumerate(rows)]
    with Sorter(order) as sorter:
        for start in range(0, len(ranked), 7):
            sorter.add(json.dumps([[position, *a, *b] for position, a, b in ranked[start : start + 7]]))
        assert sorter.sort() == len(rows)
        found = sorter.read(0, 10) + sorter.read(10, 100)
    meant = sorted(ranked, key=lambda row: (row[2], row[0]))
    meant.sort(key=lambda row: row[1][1:], reverse=down)
    meant.sort(key=lambda row: row[1][0])  # kinds stand the same way round, up or down
    if down:  # `reverse` keeps what is equal in its order
        assert [row[1] for row in meant] == [ranked[position][1] for position in found]
    assert found == [row[0] for row in meant]


def test_closing_breaks_off_a_sort() -> None:
    sorter = Sorter(read_order(["A"]))
    sorter.add(json.dumps([[position, 0, position * 7919 % 200_003, ""] for position in range(200_000)]))
    told: list[BaseException | int] = []

    def sort() -> None:
        try:
            told.append(sorter.sort())
        except Exception as error:
            told.append(error)

    thread = threading.Thread(target=sort)
    thread.start()
    sorter.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    with pytest.raises(Exception, match="closed"):
        sorter.read(0, 1)
