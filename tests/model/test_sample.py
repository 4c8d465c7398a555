"""Which rows are measured of however many there come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.sample import MOST_MEASURED, Sample
from todoke.sms.measuring import Meter
from todoke.sms.templates import parse

RENDERER = parse("{A}").compile(["A"])


def sample(most: int | None = None) -> Sample:
    return Sample(lambda: Meter(RENDERER), most)


def pour(into: Sample, batches: list[int]) -> None:
    """Each row is as many segments long as its number says, up to three; each seventh is empty."""
    for count in batches:
        before = into.rows
        for place, number in into.take(count):
            assert number == before + place + 1
            into.add(number, ["" if number % 7 == 0 else "x" * 150 * (number % 3 + 1)], "cap" if number % 2 else "")


@given(st.lists(st.integers(0, 60), max_size=20), st.integers(2, 50))
def test_what_counts_is_every_row_or_every_second_or_fourth(batches: list[int], most: int) -> None:
    it, rows = sample(most), sum(batches)
    pour(it, batches)

    step = 1
    while rows // step > most:
        step *= 2
    counting = range(step, rows + 1, step)
    measured = it.measured
    assert (it.rows, measured.rows) == (rows, len(counting))
    assert measured.skipped["missing_field"] == sum(number % 7 == 0 for number in counting)
    assert measured.unwaited["cap"] == sum(number % 14 == 7 for number in counting)
    assert measured.segments[1] == sum(number % 3 == 0 and number % 7 > 0 for number in counting)
    assert rows <= most or most // 2 <= measured.rows <= most


def test_of_many_rows_few_are_looked_at() -> None:
    it = sample()
    named = 0
    for _ in range(250):
        rows = it.take(4_000)
        named += len(rows)
        for _, number in rows:
            it.add(number, ["x"])

    assert MOST_MEASURED // 2 <= it.measured.rows <= MOST_MEASURED
    assert named < 5 * MOST_MEASURED
