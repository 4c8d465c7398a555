"""Packed lists: read as a stream, with honest progress; and files that are made or broken to do harm."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from todoke.model.errors import Invalid, TodokeError
from todoke.pipeline.intake import compression
from todoke.pipeline.intake.compression import Compression
from todoke.pipeline.intake.forms import TextForm
from todoke.pipeline.intake.reading import open_source

PACK: dict[Compression, Callable[[bytes], bytes]] = {Compression.GZIP: gzip.compress, Compression.ZSTD: zstd.compress}
both = pytest.mark.parametrize("kind", PACK)


def write(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def rows_of(path: Path) -> list[list[str]]:
    return [row for batch in open_source(path).batches() for row in batch.rows]


@both
@pytest.mark.parametrize("name", ["agents.csv.gz", "agents.tsv.zst", "agents.csv", "agents"])
def test_a_packed_list_is_told_by_its_bytes(tmp_path: Path, kind: Compression, name: str) -> None:
    text = "社員番号\t氏名\r\n1\t太郎\r\n2\t花子\r\n"
    source = open_source(write(tmp_path / name, PACK[kind](text.encode("cp932"))))

    assert (source.header, source.delimiter) == (["社員番号", "氏名"], "\t")
    assert isinstance(source.form, TextForm)
    assert (source.form.compression, source.form.encoding.name, source.form.line_end) == (kind, "cp932", "\r\n")
    for _ in range(2):
        assert [row for batch in source.batches() for row in batch.rows] == [["1", "太郎"], ["2", "花子"]]


@pytest.mark.parametrize(("name", "cut"), [("a.tsv.gz", "\t"), ("a.csv.gz", ","), ("a.tab.zst", "\t")])
def test_the_name_within_the_name_helps_with_a_draw(tmp_path: Path, name: str, cut: str) -> None:
    pack = PACK[Compression.ZSTD if name.endswith("zst") else Compression.GZIP]

    assert open_source(write(tmp_path / name, pack(b"id\n1\n"))).delimiter == cut


@both
def test_what_was_packed_in_parts_is_one_list(tmp_path: Path, kind: Compression) -> None:
    pack = PACK[kind]

    assert rows_of(write(tmp_path / "a.csv", pack(b"id,n\n1,a\n2") + pack(b",b\n"))) == [["1", "a"], ["2", "b"]]


def test_a_frame_to_be_skipped_comes_first(tmp_path: Path) -> None:
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"xyz"

    assert rows_of(write(tmp_path / "a", skipped + zstd.compress(b"id,n\n1,a\n"))) == [["1", "a"]]


@both
def test_progress_is_of_packed_bytes(tmp_path: Path, kind: Compression) -> None:
    chance = random.Random(1)
    text = "id,n\n" + "".join(f"{number},{chance.getrandbits(200):x}\n" for number in range(20_000))
    path = write(tmp_path / "a.csv", PACK[kind](text.encode()))
    source = open_source(path)

    seen = [batch.consumed for batch in source.batches()]

    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert source.size == seen[-1] == path.stat().st_size


@both
def test_memory_is_bounded_whatever_it_unpacks_to(tmp_path: Path, kind: Compression) -> None:
    line = b"1," + b"x" * 4000 + b"\n"
    path = write(tmp_path / "a.csv", PACK[kind](b"id,n\n" + line * 8000))  # 32 MB
    source = open_source(path)
    tracemalloc.start()
    try:
        rows = sum(len(batch) for batch in source.batches())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert rows == 8000
    assert peak < 8 << 20


@both
def test_a_file_that_breaks_off_or_is_damaged_is_named(tmp_path: Path, kind: Compression) -> None:
    text = "".join(f"{number},{number * 7919 % 1000:03}\n" for number in range(30_000))
    raw = PACK[kind](b"id,n\n" + text.encode())
    for cut in (5, 12, len(raw) // 2, len(raw) - 1):
        path = write(tmp_path / "cut.csv.gz", raw[:cut])
        with pytest.raises(Invalid, match="damaged or not complete") as caught:
            rows_of(path)
        assert str(path) in str(caught.value.where)
        assert caught.value.fix


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    raw = bytearray(gzip.compress(b"id,n\n1,a\n"))
    raw[-6] ^= 0xFF

    with pytest.raises(Invalid, match="damaged"):
        rows_of(write(tmp_path / "a.csv.gz", bytes(raw)))


@both
def test_any_damage_ends_in_a_sentence_or_in_rows(tmp_path: Path, kind: Compression) -> None:
    chance = random.Random(3)
    good = PACK[kind](b"id,n\n" + b"".join(b"%d,name %d\n" % (n, n) for n in range(500)))
    for _ in range(150):
        raw = bytearray(good)
        for _ in range(chance.randint(1, 5)):
            raw[chance.randrange(4, len(raw))] = chance.randrange(256)
        try:
            rows_of(write(tmp_path / "a.csv", bytes(raw)))
        except TodokeError as error:
            assert error.fix


@both
def test_a_line_without_an_end_is_told(tmp_path: Path, kind: Compression) -> None:
    with pytest.raises(Invalid, match="has no end within"):
        open_source(write(tmp_path / "a.csv", PACK[kind](b"id,n\n" + b"a" * (9 << 20))))


@both
def test_a_file_that_unpacks_without_end_is_stopped(
    tmp_path: Path, kind: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "_TRUSTED", 4 << 20)
    path = write(tmp_path / "a.csv", PACK[kind](b"id,n\n" + b"\n" * (40 << 20)))

    with pytest.raises(Invalid, match="250 times its size"):
        rows_of(path)


def test_unpacking_does_not_take_more_memory_than_is_sensible(tmp_path: Path) -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    raw = packer.compress(b"id,n\n1,a\n") + packer.flush()

    with pytest.raises(Invalid, match="more than 128 MB of memory"):
        rows_of(write(tmp_path / "a.csv.zst", raw))


@both
@pytest.mark.parametrize(
    ("inner", "sentence"),
    [
        (b"PK\x03\x04...", "is an Excel workbook"),
        (b"PAR1....", "is a Parquet file"),
        (gzip.compress(b"id\n", mtime=0), "is another compressed file"),
        (zstd.compress(b"id\n"), "is another compressed file"),
        (b"%PDF-1.7", "PDF document"),
        (b"list.csv".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        (b"", "nothing in this"),
    ],
)
def test_only_text_is_read_packed(tmp_path: Path, kind: Compression, inner: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        open_source(write(tmp_path / "a.gz", PACK[kind](inner)))

    assert kind.value in str(caught.value)
    assert caught.value.fix


def test_a_packed_file_that_calls_itself_a_workbook_is_none(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="an Excel workbook, but it is none"):
        open_source(write(tmp_path / "a.xlsx.gz", gzip.compress(b"id\n1\n")))
