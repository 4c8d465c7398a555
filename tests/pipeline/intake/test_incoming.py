"""Lists that come as a stream."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from todoke.model.errors import Invalid, Unavailable
from todoke.pipeline.intake.incoming import kept
from todoke.pipeline.intake.reading import open_source


@pytest.mark.parametrize("raw", [b"id,n\n1,a\n", gzip.compress(b"id,n\n1,a\n")])
def test_a_stream_is_read_like_a_file_and_leaves_nothing(tmp_path: Path, raw: bytes) -> None:
    with kept(io.BytesIO(raw), tmp_path / "data") as path:
        assert path.parent.stat().st_mode & 0o077 == 0
        assert [row for batch in open_source(path).batches() for row in batch.rows] == [["1", "a"]]

    assert list((tmp_path / "data").iterdir()) == []


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Nothing came in"), kept(io.BytesIO(), tmp_path):
        pass
    with pytest.raises(RuntimeError), kept(io.BytesIO(b"id\n"), tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")

    with pytest.raises(Unavailable, match="cannot be kept"), kept(io.BytesIO(b"id\n"), tmp_path / "data"):
        pass
