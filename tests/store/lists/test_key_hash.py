"""The key of an external id: one id and a column of them agree, and it stays what it is."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from todoke.store.lists.key_hash import external_key, external_keys


@given(st.lists(st.text(max_size=60), max_size=30))
def test_a_column_has_the_keys_of_its_ids(ids: list[str]) -> None:
    assert external_keys(pl.Series(ids, dtype=pl.String)).to_list() == [external_key(one) for one in ids]


def test_keys_stay_what_they_are() -> None:
    """Written into databases: another value here is another format."""
    assert {text: external_key(text) for text in ("", "E-1", "12345678", "届け" * 3, "\0")} == {
        "": 2_051_318_353_015_434_255,
        "E-1": 4_606_119_211_983_969_302,
        "12345678": 8_956_812_922_716_803_312,
        "届け" * 3: -636_782_850_004_985_454,
        "\0": -504_542_287_113_427_488,
    }


def test_what_looks_alike_has_other_keys() -> None:
    ids = ["a", "A", "a\0", "\0a", " a", "aa", *(f"E-{number:06d}" for number in range(50_000))]
    assert external_keys(pl.Series(ids)).n_unique() == len(ids)
