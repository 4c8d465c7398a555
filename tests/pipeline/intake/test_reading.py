"""Files of every kind, and files that are no lists: a sentence that says what to do."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from todoke.model.errors import Conflict, Invalid, NotFound, TodokeError
from todoke.pipeline.intake.reading import open_source


def write(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def test_header_and_rows_of_a_text_file(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a.csv", "\n\nid;氏名\n1;太郎\n\n2;花子\n".encode("cp932")))

    assert (source.header, source.header_line, source.delimiter) == (["id", "氏名"], 3, ";")
    assert source.encoding is not None
    assert source.encoding.name == "cp932"
    for _ in range(2):
        batches = list(source.batches())
        assert [(line, row) for batch in batches for line, row in zip(batch.lines, batch.rows, strict=True)] == [
            (4, ["1", "太郎"]),
            (6, ["2", "花子"]),
        ]


def test_excels_own_first_line_names_the_delimiter(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a.csv", b"sep=|\r\nid|note\r\n1|a,b\r\n"))

    assert (source.header, source.delimiter, source.header_line) == (["id", "note"], "|", 2)


def test_what_is_given_is_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,ﾅﾏｴ;x\n".encode("cp932"))

    source = open_source(path, encoding="latin1", delimiter=";")

    assert (source.delimiter, len(source.header)) == (";", 2)
    assert source.encoding is not None
    assert source.encoding.name == "cp1252"


def test_an_encoding_that_shows_late_is_found(tmp_path: Path) -> None:
    plain = b"".join(b"%d,Ann\n" % number for number in range(60_000))
    source = open_source(write(tmp_path / "a.csv", b"id,name\n" + plain + "7,さくら\n8,たろう\n".encode("cp932")))

    assert source.encoding is not None
    assert source.encoding.name == "cp932"


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"id,phone\n1,2\n")
    source = open_source(path)
    write(path, b"id,phone\n1,2\n3,4\n")

    with pytest.raises(Conflict, match="changed while it was read"):
        list(source.batches())
    path.unlink()
    with pytest.raises(Conflict, match="went away"):
        list(source.batches())


HOSTILE = [
    ("list.csv", b"", "is empty"),
    ("list.csv", b"\n\r\n  \n,,,\n", "nothing but empty lines"),
    ("list.csv", b"%PDF-1.7 ...", "PDF"),
    ("list.xlsx", b"id,phone\n1,2\n", "is none"),
    ("list.xlsx", b"PK\x03\x04 and nothing more", "damaged"),
    ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    ("list.csv.gz", b"\x1f\x8b\x08\x00", "gzip file is damaged or not complete"),
    ("list.zst", b"\x28\xb5\x2f\xfd", "zstd file is damaged or not complete"),
    ("list.parquet", b"PAR1", "Parquet file is damaged"),
    ("list.parquet", b"id,phone\n1,2\n", "says that this is a Parquet file"),
    ("list.parquet", b"PARE....", "encrypted"),
    ("list.csv.bz2", b"BZh91AY", "bzip2"),
    ("lists.tar", b"list.csv".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
    ("list.csv", b"\x89PNG\r\n", "picture"),
    ("list.xls", b"<html><table>", "web page"),
    ("list.csv", b'id,"phone\n1,2\n', "header row cannot be read"),
]


@pytest.mark.parametrize(("name", "raw", "sentence"), HOSTILE)
def test_what_is_no_list_is_refused_with_place_and_fix(tmp_path: Path, name: str, raw: bytes, sentence: str) -> None:
    path = write(tmp_path / name, raw)

    with pytest.raises(Invalid, match=sentence) as caught:
        open_source(path)

    assert caught.value.where is not None
    assert str(path) in caught.value.where
    assert caught.value.fix


def test_an_archive_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("list.csv", "id,phone\n")

    with pytest.raises(Invalid, match="ZIP archive"):
        open_source(path)


def test_a_missing_file_a_folder_and_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotFound, match="no such file"):
        open_source(tmp_path / "nowhere.csv")
    with pytest.raises(Invalid, match="folder"):
        open_source(tmp_path)
    with pytest.raises(Invalid, match="no regular file"):
        open_source(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"id\n")
    path.chmod(0)

    with pytest.raises(Invalid, match="may not be read"):
        open_source(path)


def test_binary_noise_never_raises_anything_but_a_sentence(tmp_path: Path) -> None:
    import random

    chance = random.Random(4)
    for size in (1, 3, 50, 5000):
        path = write(tmp_path / "noise.csv", chance.randbytes(size))
        try:
            for batch in open_source(path).batches():
                assert len(batch.rows) == len(batch.lines)
        except TodokeError as error:
            assert error.fix
