"""Files in which a number stands are found, in whatever form they were written."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from backports import zstd

from todoke.pipeline.privacy.files import mentions

PHONE = 12025550143
ROWS = "Name,Mobile,todoke_line\nAnn,%s,2\n"
WRITTEN = ("+1 (202) 555-0143", "2025550143", "１-２０２-５５５-０１４３")


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
def test_text_in_any_encoding_and_packing(tmp_path: Path, written: str, encoding: str) -> None:
    data = (ROWS % written).encode(encoding)
    other = (ROWS % "202-555-0199").encode(encoding)
    for name, pack in (("plain", bytes), ("gz", gzip.compress), ("zst", zstd.compress)):
        (tmp_path / f"{name}-1-rejected").write_bytes(pack(data))
        (tmp_path / f"{name}-2-rejected").write_bytes(pack(other))
    found = mentions(sorted(tmp_path.iterdir()), PHONE)
    assert [file.name for file in found] == ["gz-1-rejected", "plain-1-rejected", "zst-1-rejected"]


@pytest.mark.parametrize("written", WRITTEN)
def test_workbooks_and_parquet(tmp_path: Path, written: str) -> None:
    for number, value in enumerate((written, "202-555-0199")):
        frame = pl.DataFrame({"Name": ["Ann"], "Mobile": [value], "todoke_line": ["2"]})
        frame.write_excel(tmp_path / f"list-{number}-rejected.xlsx")
        frame.write_parquet(tmp_path / f"list-{number}-rejected.parquet")
    found = mentions(sorted(tmp_path.iterdir()), PHONE)
    assert [file.name for file in found] == ["list-0-rejected.parquet", "list-0-rejected.xlsx"]


def test_a_number_across_two_pieces_and_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    long = "x" * ((1 << 20) - 5) + ",2025550143\n"
    (tmp_path / "a").write_text(long, encoding="utf-8")
    (tmp_path / "b").write_bytes(gzip.compress(b"x" * 10_000)[:20])
    assert [file.name for file in mentions([tmp_path / "a", tmp_path / "b", tmp_path / "gone"], PHONE)] == ["a", "b"]
