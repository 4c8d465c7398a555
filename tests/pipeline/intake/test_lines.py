"""Files as physical lines, in pieces of any size."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.errors import Invalid
from todoke.pipeline.intake import lines
from todoke.pipeline.intake.encoding import Encoding
from todoke.pipeline.intake.lines import read_chunks


def read(path: Path, raw: bytes, encoding: str = "utf-8", size: int = 1 << 16) -> list[str]:
    path.write_bytes(raw)
    chunks = list(read_chunks(path, Encoding(encoding), size=size))
    together = [line for chunk in chunks for line in chunk.lines]
    assert [chunk.first for chunk in chunks] == [
        1 + sum(len(before.lines) for before in chunks[:index]) for index in range(len(chunks))
    ]
    if chunks:
        assert chunks[-1].consumed == len(raw)
    return together


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp932", "iso2022_jp"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_pieces_of_any_size_make_the_same_lines(tmp_path: Path, encoding: str, size: int) -> None:
    text = "番号,名\r\n1,太郎\n2,花子\r3,x\r\r\n終わり"

    assert read(tmp_path / "list", text.encode(encoding), encoding, size) == [
        "番号,名\r\n",
        "1,太郎\n",
        "2,花子\r",
        "3,x\r",
        "\r\n",
        "終わり",
    ]


@given(
    st.binary(max_size=300), st.integers(1, 40), st.sampled_from(["utf-8", "utf-16-le", "cp932", "euc_jp", "cp1252"])
)
def test_whatever_a_file_holds_its_lines_do_not_depend_on_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, size: int, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("lines") / "list"

    assert read(path, raw, encoding, size) == read(path, raw, encoding)


def test_control_characters_are_taken_out(tmp_path: Path) -> None:
    raw = b"a\x00b\x1fc\x7f,d\x0be\tf\x1b\n"

    assert read(tmp_path / "list", raw) == ["abc,d e\tf\n"]
    assert read(tmp_path / "list", raw.decode().encode("utf-16-le"), "utf-16-le") == ["abc,d e\tf\n"]


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"ok\n\xff\xfe,bad\n", "utf-8"),
        (b"ok\n\x81\xff\n", "cp932"),
        ("ok\n\ud800x\n".encode("utf-16-le", "surrogatepass"), "utf-16-le"),
        ("ok\nhalf".encode("utf-16-le") + b"x", "utf-16-le"),
    ],
)
def test_bytes_that_are_no_characters_are_seen(tmp_path: Path, raw: bytes, encoding: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(raw)

    chunks = list(read_chunks(path, Encoding(encoding)))

    assert any(chunk.flawed for chunk in chunks)
    assert chunks[0].lines[0] == "ok\n"


def test_another_encoding_altogether_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"\xff\xff\xff\xff" * 10)

    with pytest.raises(Invalid, match="not in the encoding"):
        list(read_chunks(path, Encoding("utf-32-le")))


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    path = tmp_path / "list"
    path.write_bytes(b"id\n" + b"x" * 5000 + b"\n")

    with pytest.raises(Invalid, match="Line 2 has no end"):
        list(read_chunks(path, Encoding("utf-8"), size=100))
