"""What is read as columns is what is read row by row, whatever the file holds."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.model.errors import TodokeError
from todoke.pipeline.intake import plain_text
from todoke.pipeline.intake.compression import Compression
from todoke.pipeline.intake.encoding import Encoding
from todoke.pipeline.intake.forms import TextForm
from todoke.pipeline.intake.plain_text import PlainText

WIDTH = 3
UTF_8 = TextForm(Encoding("utf-8"))
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='",\n\r'), max_size=5)
FIELDS = st.one_of(
    PLAIN.map(lambda text: text.lstrip(" ")),
    PLAIN.map(lambda text: f'"{text}"'),
    st.sampled_from(
        ['"a ""b"""', '"x,y"', '"two\nlines"', '""', "", "é", "日本", " b", '"c" ', '5" d', '"open', "\x1f", "\t"]
    ),
)
ROWS = st.one_of(
    st.lists(FIELDS, min_size=WIDTH, max_size=WIDTH),
    st.lists(FIELDS, min_size=WIDTH, max_size=WIDTH),
    st.lists(FIELDS, min_size=0, max_size=WIDTH + 2),
).map(",".join)
FILES = st.builds(
    lambda rows, ends, last: "".join(row + end for row, end in zip(rows, ends, strict=False)) + last,
    st.lists(ROWS, max_size=12),
    st.lists(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]), min_size=12, max_size=12),
    ROWS,
)

Rows = list[tuple[int, tuple[str, ...], int]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain") / "list.csv"


def rows(text: PlainText) -> Rows:
    """Line, values and verdict of every row, in order. Values as they count: without blanks around them."""
    found: Rows = []
    for part in text.parts():
        values = part.columns(range(WIDTH)).rows()
        found += [
            (line, tuple(value.strip() for value in row), 0)
            for line, row in zip(part.lines.to_list(), values, strict=True)
        ]
        assert part.columns([2, 0]).rows() == [(row[2], row[0]) for row in values]
        assert part.height == len(values)
        found += [(line, tuple(row), code) for line, row, code in part.refused]
    return sorted(found)


def read(path: Path, *, plainly: bool, encoding: str = "utf-8", sizes: tuple[int, int, int] = (64, 256, 32)) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("FIRST", "MOST", "CAREFUL"), sizes, strict=True):
            patch.setattr(plain_text, name, size)
        if not plainly:
            patch.setattr(plain_text, "_grammar", lambda *_, **__: None)
        text = PlainText(path, TextForm(Encoding(encoding)), 1, WIDTH)
        try:
            first = rows(text)
            assert rows(text) == first  # as it was found out
        except TodokeError as error:
            return error.sentence
        return first


@settings(max_examples=60, deadline=None)
@given(
    FILES,
    st.sampled_from(["utf-8", "utf-16-le", "cp932", "euc_jp"]),
    st.sampled_from([(64, 256, 32), (20, 80, 20), (1 << 20,) * 3]),
)
def test_columns_are_what_rows_are(path: Path, text: str, encoding: str, sizes: tuple[int, int, int]) -> None:
    path.write_bytes(("a,b,c\n" + text).encode(encoding, "replace"))

    assert read(path, plainly=True, encoding=encoding, sizes=sizes) == read(path, plainly=False, encoding=encoding)


@settings(deadline=None)
@given(st.binary(max_size=120), st.sampled_from(["utf-8", "cp932", "utf-16-le"]))
def test_any_bytes_are_read_alike(path: Path, noise: bytes, encoding: str) -> None:
    path.write_bytes("a,b,c\n1,2,3\n".encode(encoding) + noise)

    assert read(path, plainly=True, encoding=encoding) == read(path, plainly=False, encoding=encoding)


@pytest.mark.parametrize(
    ("piece", "plain"),
    [
        ("1,2,3\n4,5,6\n", True),
        ("1,2,3\r\n4,5,6", True),
        ('"1","2, ""x""\ny",""\n', True),
        ("1,,\n,,\n", True),
        ("1,2\n", False),
        ("1,2,3,\n", False),
        ("1,2,3\n\n4,5,6\n", False),
        ("1, 2,3\n", False),
        ('1,5" pipe,3\n', False),
        ('1,"2" ,3\n', False),
        ('1,"2,3\n', False),
        ("1,2,\x003\n", False),
        ("1,2\r3,4\n", False),
        ('1,"2\r\n",4\n', False),
        ("1,2,\udcff\n", False),
        (f"1,2,{'x' * 10_001}\n", False),
    ],
)
def test_what_is_plain(path: Path, piece: str, plain: bool) -> None:
    text = PlainText(path, UTF_8, 0, WIDTH)

    assert (text._is_plain(piece.encode("utf-8", "surrogateescape")) is not None) == plain


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "-", "]", "\\", "&", "~"])
def test_any_delimiter(path: Path, delimiter: str) -> None:
    path.write_text(f"a{delimiter}b{delimiter}c\n" + f'1{delimiter}"x{delimiter}y"{delimiter}3\n' * 4)
    text = PlainText(path, TextForm(Encoding("utf-8"), delimiter), 1, WIDTH)

    assert text._is_plain(path.read_bytes())
    assert [row for _, row, _ in rows(text)] == [("1", f"x{delimiter}y", "3")] * 4


def test_a_file_that_changed_is_not_read_as_it_was(path: Path) -> None:
    path.write_text("a,b,c\n" + "1,2,3\n" * 30_000)
    text = PlainText(path, UTF_8, 1, WIDTH)
    before = [part.height for part in text.parts()]
    path.write_text("a,b,c\n" + "1,2\n" * 20_000)

    assert [part.height for part in text.parts()] != before


@pytest.mark.parametrize("quote", ["'", None, "|"])
def test_any_quotation_mark(path: Path, quote: str | None) -> None:
    mark = quote or ""
    path.write_text("a,b,c\n" + f'1,{mark}x"y{mark},3\n' * 4)
    text = PlainText(path, TextForm(Encoding("utf-8"), quote=quote), 1, WIDTH)

    assert text._is_plain(path.read_bytes())
    assert [row for _, row, _ in rows(text)] == [("1", 'x"y', "3")] * 4


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD])
def test_packed(path: Path, compression: Compression) -> None:
    pack = gzip.compress if compression is Compression.GZIP else zstd.compress
    path.write_bytes(pack(b"a,b,c\n" + b"1,2,3\n" * 50_000))
    text = PlainText(path, TextForm(Encoding("utf-8"), compression=compression), 1, WIDTH)

    parts = list(text.parts())

    assert sum(part.height for part in parts) == 50_000
    assert parts[-1].consumed == path.stat().st_size
