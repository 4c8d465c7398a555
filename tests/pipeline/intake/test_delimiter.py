"""Which character separates the fields."""

from __future__ import annotations

import pytest

from todoke.model.errors import Invalid
from todoke.pipeline.intake.delimiter import given, sniff


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_each_delimiter_is_found(delimiter: str) -> None:
    lines = [delimiter.join(row) + "\n" for row in (("id", "phone", "note"), ("1", "2125550100", "a"), ("2", "", ""))]

    assert sniff(lines, ".txt") == delimiter


def test_commas_inside_values_do_not_hide_semicolons() -> None:
    lines = ["id;phone;bonus\n", "1;2125550100;1,5\n", "2;2125550101;2,25\n", "3;2125550102;3,75\n"]

    assert sniff(lines, ".csv") == ";"


def test_quoted_values_may_hold_other_delimiters() -> None:
    lines = ["id,note\n", '1,"a;b;c"\n', '2,"d;e;f"\n']

    assert sniff(lines, ".csv") == ","


def test_the_name_decides_a_draw() -> None:
    lines = ["id,x\tphone\n", "1,y\t2\n"]

    assert sniff(lines, ".tsv") == "\t"
    assert sniff(lines, ".csv") == ","


def test_one_column_is_a_comma() -> None:
    assert sniff(["phone\n", "2125550100\n"], ".txt") == ","


@pytest.mark.parametrize(("name", "character"), [("tab", "\t"), ("\t", "\t"), (";", ";"), ("Pipe", "|"), ("^", "^")])
def test_a_given_delimiter(name: str, character: str) -> None:
    assert given(name) == character


@pytest.mark.parametrize("name", ["", "ab", '"', "\n", "x", "7"])
def test_what_cannot_separate_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="cannot separate"):
        given(name)
