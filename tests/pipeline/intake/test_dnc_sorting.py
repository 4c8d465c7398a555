"""Files of numbers are sorted by columns as they would be row by row: the same numbers, counts and rejects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.model import expiry
from todoke.model.clock import HOUR
from todoke.pipeline.intake import plain_text
from todoke.pipeline.intake.dnc.columns import find_columns
from todoke.pipeline.intake.dnc.sorting import Sorting
from todoke.pipeline.intake.parts import Part, Refused
from todoke.pipeline.intake.reading import Source, open_source
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.verdicts import BLANK, verdict
from todoke.sms.phone import Phone
from todoke.sms.phone_columns import ColumnParser

NOW = 1_800_000_000_000_000  # in January 2027

_PARSER = ColumnParser("US")


class _RowByRow:
    """A source none of whose rows is plain: each of them is looked at by itself."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def parts(self) -> Iterator[Part]:
        width = len(self._source.header)
        for batch in self._source.batches():
            refused = [
                # As a part does it: empty fields beyond the header are cut off.
                Refused(line, row if any(map(str.strip, row[width:])) or index in batch.flaws else row[:width], code)
                for index, (line, row) in enumerate(zip(batch.lines, batch.rows, strict=True))
                for code in [verdict(batch.flaws[index]) if index in batch.flaws else BLANK]
            ]
            yield Part(0, pl.Series([], dtype=pl.UInt32), refused, batch.consumed, lambda _: pl.DataFrame())


def _sorted(source: Source, folder: Path) -> tuple[list[Any], object, list[bytes]]:
    columns = find_columns(
        source.header,
        lambda value: isinstance(_PARSER.parse_many([value])[0], Phone),
        lambda value: expiry.read(value, NOW) is not None,
        column=None,
        expires_column=None,
        where="a file",
    )
    rejects = RejectsFile(folder / "rejected.csv", columns.header, source.form)
    sorting = Sorting(source, columns, _PARSER, NOW + HOUR, rejects, NOW)
    numbers = [pair for step in sorting.steps() for pair in step.pairs]
    rejects.keep()
    told = rejects.path.read_bytes().splitlines() if rejects.kept else []
    return numbers, sorting.counts(), told


_NUMBERS = (
    *("+12025550143", "2025550144", "(202) 555-0145", " 202 555 0143 ", "202.555.0146", "+442071838750", "٢٠٢٥٥٥٠١٤٣"),
    *(
        "",
        " ",
        "5550143",
        "not a number",
        "+19995550143",
        "2025550143 ext. 5",
        "12025550143,",
        '"2025550147"',
        '"20255',
    ),
    *("\u00a02025550148", "+999123", "2025550149\x00", "1" * 30),
)
_ENDS = (
    "",
    " ",
    "2090-01-31",
    "2001-01-01",
    "soon",
    "90d",
    "0d",
    "2090-01-31T10:00Z",
    "\u2003",
    '"2090-01-01"',
    "x" * 10_001,
)
_NAMES = ("", "Ann", '"Bob, B."', '"Eve\nE."', 'D"an', " Fay", "\xff")
_ROWS = st.lists(st.tuples(st.sampled_from(_NUMBERS), st.sampled_from(_ENDS), st.sampled_from(_NAMES)), max_size=40)
_FORMS = ("{0}", "{2},{0},{1}", "{2},{0}", "{0},{1},{2},", "{0},{1}")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(("phone", "name,phone,expires", "+12025550140", "2025550141,90d")),
    st.lists(st.tuples(st.sampled_from(_FORMS), _ROWS), max_size=4),
    st.sampled_from(("\n", "\r\n")),
)
def test_columns_say_what_rows_say(header: str, groups: list[tuple[str, list[tuple[str, ...]]]], end: str) -> None:
    lines = [header, *(form.format(*row) for form, rows in groups for row in rows)]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_text, "CAREFUL", 64)  # so that what is plain is found beside what is not
        patch.setattr(plain_text, "FIRST", 128)
        path = Path(folder) / "numbers.csv"
        path.write_bytes(end.join(lines).encode("utf-8").replace("\xff".encode(), b"\xff"))
        source = open_source(path, delimiter=",", encoding="utf-8")
        found = _sorted(source, path.parent / "columns")
        assert found == _sorted(_RowByRow(source), path.parent / "rows")  # type: ignore[arg-type]


def test_what_is_plain_is_not_looked_at_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("phone,expires\n" + "".join(f"+1202555{n:04},2090-01-31\n" for n in range(100, 200)) + "1,\n")
    looked: list[int] = []
    look = Sorting._look

    def counted(self: Sorting, rows: list[Any]) -> None:
        looked.append(len(rows))
        look(self, rows)

    monkeypatch.setattr(Sorting, "_look", counted)
    numbers, counts, told = _sorted(open_source(path), tmp_path)
    assert (len(numbers), looked, len(told)) == (100, [1], 2)
    assert counts == (101, 100, 1, 0, {"phone_not_a_number": 1})
