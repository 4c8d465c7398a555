"""Which mark encloses fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from todoke.model.errors import Invalid
from todoke.pipeline.intake.quoting import given, shown, sniff
from todoke.pipeline.intake.reading import open_source


@pytest.mark.parametrize(
    ("lines", "mark"),
    [
        (["id,name\n", "1,Ann\n"], '"'),
        (["'id','name'\n", "'1','Ann'\n"], "'"),
        (["id,name\n", "1,'Lee, Ann'\n", "2,Bob\n"], "'"),
        (["id,name\n", "1,'t Hooft\n", "2,O'Neil\n"], '"'),
        (["id,phone\n", "1,'+81901234567\n", "2,'+81901234568\n"], '"'),
        (["id,name\n", "1,\"'a', 'b'\"\n"], '"'),
        (["'id',\"x\"\n", "'1',\"y\"\n"], '"'),
        ([], '"'),
    ],
)
def test_what_encloses_a_field_is_found(lines: list[str], mark: str) -> None:
    assert sniff(lines, ",") == mark


def test_a_list_in_single_quotes_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("'id';'note'\n'1';'a;b''c\nd'\n'2';'x \"y\"'\n")
    source = open_source(tmp_path / "a.csv")

    assert source.delimiter == ";"
    assert [row for batch in source.batches() for row in batch.rows] == [["1", "a;b'c\nd"], ["2", 'x "y"']]


def test_what_is_given_counts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,note\n1,"a"\n2,b"\n')

    rows = [row for batch in open_source(tmp_path / "a.csv", quote="none").batches() for row in batch.rows]

    assert rows == [["1", '"a"'], ["2", 'b"']]
    for name, mark in (("'", "'"), ("single", "'"), ("double", '"'), ("none", None), ("~", "~")):
        assert given(name, ",") == mark
        assert given(shown(mark), ",") == mark
    for name in (",", "ab", "x", " "):
        with pytest.raises(Invalid, match="cannot enclose"):
            given(name, ",")
