"""Rows with the line on which they start; quotes gone wrong cost their own row only."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.intake.encoding import Encoding
from todoke.pipeline.intake.lines import read_chunks
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rows import read_rows


def read(
    path: Path, text: str, size: int = 1 << 16, delimiter: str = ","
) -> list[tuple[int, list[str], Reason | None]]:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = []
    for batch in read_rows(read_chunks(path, Encoding("utf-8"), size=size), delimiter):
        assert all(len(value) <= batch.longest for row in batch.rows for value in row)
        found += [(batch.lines[i], row, batch.flaws.get(i)) for i, row in enumerate(batch.rows)]
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_quoted_value_may_hold_line_ends(path: Path, size: int) -> None:
    text = 'id,note\n1,"one\ntwo\r\nthree"\n\n2,"say ""hi"", please"\n3,plain\n'

    assert read(path, text, size) == [
        (1, ["id", "note"], None),
        (2, ["1", "one\ntwo\r\nthree"], None),
        (6, ["2", 'say "hi", please'], None),
        (7, ["3", "plain"], None),
    ]


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_quote_that_does_not_close_costs_one_row(path: Path, size: int) -> None:
    text = 'id,note\n1,"open\n2,two\n3,three\n'

    assert read(path, text, size) == [
        (1, ["id", "note"], None),
        (2, ['1,"open'], Reason.BAD_QUOTING),
        (3, ["2", "two"], None),
        (4, ["3", "three"], None),
    ]


def test_text_behind_a_closing_quote_costs_one_row(path: Path) -> None:
    assert read(path, '1,"a"b\n2,c\n') == [(1, ['1,"a"b'], Reason.BAD_QUOTING), (2, ["2", "c"], None)]


def test_blanks_around_quotes_are_forgiven(path: Path) -> None:
    assert read(path, '1, "a, b" ,"c" \n2,d,e\n') == [(1, ["1", "a, b", "c"], None), (2, ["2", "d", "e"], None)]


def test_a_quote_inside_a_plain_value_is_a_character(path: Path) -> None:
    assert read(path, '1,5" pipe\n') == [(1, ["1", '5" pipe'], None)]


def test_a_very_long_quoted_value_does_not_eat_the_file(path: Path) -> None:
    rest = "".join(f"{number},x\n" for number in range(40_000))

    found = read(path, '0,"open\n' + rest)

    assert found[0] == (1, ['0,"open'], Reason.BAD_QUOTING)
    assert len(found) == 40_001
    assert found[-1][0] == 40_001


def test_undecodable_rows_are_told(path: Path) -> None:
    assert read(path, "1,a\n2,\udcff\n3,b\n") == [
        (1, ["1", "a"], None),
        (2, ["2", "\udcff"], Reason.UNDECODABLE),
        (3, ["3", "b"], None),
    ]


VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from('",\n\r'), max_size=8)


@given(st.lists(st.lists(VALUES, min_size=2, max_size=4), max_size=12), st.integers(1, 50))
def test_what_csv_writes_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    starts = []
    for row in rows:
        starts.append(1 + len(io.StringIO(text.getvalue(), newline="").readlines()))
        writer.writerow(row)

    found = read(tmp_path_factory.mktemp("rows") / "list.csv", text.getvalue(), size)

    assert [(line, row) for line, row, _ in found] == list(zip(starts, rows, strict=True))


@given(st.text(st.sampled_from('ab,"\n\r '), max_size=80), st.integers(1, 30))
def test_no_line_is_lost_and_none_read_twice(tmp_path_factory: pytest.TempPathFactory, text: str, size: int) -> None:
    path = tmp_path_factory.mktemp("rows") / "list.csv"

    found = read(path, text, size)

    assert found == read(path, text)
    starts = [line for line, _, _ in found]
    assert starts == sorted(set(starts))
