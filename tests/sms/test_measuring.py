"""Texts counted as an engine would compose them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.compose import EmptyText, MissingField, TooLong, compose
from todoke.sms.measuring import Meter
from todoke.sms.templates import parse


def meter(body: str, *, smart: bool = False) -> Meter:
    return Meter(parse(body).compile(["A", "B"]), smart=smart)


def test_segments_encodings_and_what_gets_no_text() -> None:
    it = meter("{A}{B|}")
    for row in (["x"], ["x" * 160], ["x" * 161], ["花" * 70], ["花", "x" * 70], [""], ["x" * 255 * 153 + "y"]):
        it.add(row)

    assert it.measured.segments == {1: 3, 2: 2}
    assert (it.measured.texts, it.measured.total, it.measured.ucs2, it.measured.rows) == (5, 7, 2, 7)
    assert it.measured.skipped == {"missing_field": 1, "too_long": 1}


def test_smart_encoding_counts() -> None:
    plain, smart = meter("“{A}”"), meter("“{A}”", smart=True)
    plain.add(["x"])
    smart.add(["x"])

    assert (plain.measured.ucs2, smart.measured.ucs2) == (1, 0)


def test_an_empty_text_is_none() -> None:
    it = meter("{A| }")
    it.add([""])

    assert it.measured.skipped == {"empty_text": 1}


@given(st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), max_size=20))
def test_it_is_what_composing_makes(rows: list[tuple[str, str]]) -> None:
    it = meter("{A|}, {B}")
    segments = skipped = 0
    for row in rows:
        it.add(row)
        try:
            segments += len(compose(parse("{A|}, {B}").compile(["A", "B"]), row).split.parts)
        except (MissingField, EmptyText, TooLong):
            skipped += 1

    assert (it.measured.total, it.measured.skipped.total()) == (segments, skipped)
    assert it.measured.rows == len(rows)
