"""Rejected rows come back in the form of the list, and import again when they are mended."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from backports import zstd
from tests.factories import NOW, seed_unit

from todoke.model.errors import Unavailable
from todoke.pipeline.intake import row_writers
from todoke.pipeline.intake.forms import Form, ParquetForm, TextForm
from todoke.pipeline.intake.importing import import_list
from todoke.pipeline.intake.mapping import OWN_COLUMNS
from todoke.pipeline.intake.reading import Source, open_source
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.store.store import Store

HEADER = ["社員番号", "氏名", "携帯"]
ROWS = [["1", "太郎, \"x\" 'y'", "090"], ["2", "花\n子", "12345"], ["3", "=1+1", "007"]]


def text(rows: Sequence[Sequence[str]], cut: str, end: str, quote: str = '"') -> str:
    def cell(value: str) -> str:
        return quote + value.replace(quote, quote * 2) + quote if value else ""

    return "".join(cut.join(map(cell, row)) + end for row in [HEADER, *rows])


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名簿"
    for number, row in enumerate([HEADER, *rows], 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            cell.data_type = "s"
    book.save(path)


def parquet(path: Path, rows: Sequence[Sequence[str]]) -> None:
    pl.DataFrame({name: [row[at] for row in rows] for at, name in enumerate(HEADER)}).write_parquet(path)


Make = Callable[[Path, Sequence[Sequence[str]]], Any]
FORMS: dict[str, tuple[str, str, Make]] = {
    "utf-8": ("a.csv", ".csv", lambda path, rows: path.write_bytes(text(rows, ",", "\n").encode())),
    "marked": ("a.txt", ".txt", lambda path, rows: path.write_bytes(text(rows, ";", "\r\n").encode("utf-8-sig"))),
    "cp932": ("a.csv", ".csv", lambda path, rows: path.write_bytes(text(rows, ",", "\r\n").encode("cp932"))),
    "euc": ("a.dat", ".csv", lambda path, rows: path.write_bytes(text(rows, "|", "\n").encode("euc_jp"))),
    "utf-16": ("a.tsv", ".tsv", lambda path, rows: path.write_bytes(text(rows, "\t", "\r\n").encode("utf-16"))),
    "jis": ("a.csv", ".csv", lambda path, rows: path.write_bytes(text(rows, ",", "\n").encode("iso2022_jp"))),
    "single": ("a.csv", ".csv", lambda path, rows: path.write_bytes(text(rows, ",", "\n", "'").encode())),
    "sep=": (
        "a.csv",
        ".csv",
        lambda path, rows: path.write_bytes(("sep=;\r\n" + text(rows, ";", "\r\n")).encode("utf-8-sig")),
    ),
    "gzip": (
        "a.tsv.gz",
        ".tsv.gz",
        lambda path, rows: path.write_bytes(gzip.compress(text(rows, "\t", "\n").encode("cp932"))),
    ),
    "zstd": ("a", ".csv.zst", lambda path, rows: path.write_bytes(zstd.compress(text(rows, ",", "\n").encode()))),
    "xlsx": ("a.xlsx", ".xlsx", workbook),
    "parquet": ("a.parquet", ".parquet", parquet),
}


def comparable(source: Source) -> Form:
    """A first line `sep=` and a name are part of it, but not how sure the encoding is."""
    form = source.form
    if isinstance(form, TextForm):
        return TextForm(
            form.encoding._replace(certain=True),
            form.delimiter,
            form.quote,
            form.line_end,
            form.compression,
            form.announced,
        )
    return form


def write(source: Source, stem: Path, rows: Sequence[Sequence[str]]) -> Path:
    rejects = RejectsFile(stem.with_name(stem.name + source.form.suffix), source.header, source.form)
    for number, row in enumerate(rows):
        rejects.write(row, number + 2, "SMSPhoneNumber", "landline", "the number is a landline, which takes no texts")
    rejects.keep()
    return rejects.path


@pytest.mark.parametrize("name", FORMS)
def test_the_form_of_the_list_is_the_form_of_its_rejected_rows(tmp_path: Path, name: str) -> None:
    file, suffix, make = FORMS[name]
    make(tmp_path / file, ROWS)
    source = open_source(tmp_path / file)
    given = [row for batch in source.batches() for row in batch.rows]

    path = write(source, tmp_path / "out-rejected", given)
    again = open_source(path)

    assert path.name == f"out-rejected{suffix}"
    assert path.stat().st_mode & 0o077 == 0
    assert comparable(again) == comparable(source)
    assert again.header == [*HEADER, *OWN_COLUMNS]
    back = [row for batch in again.batches() for row in batch.rows]
    assert [row[:3] for row in back] == given == ROWS
    assert [row[3:6] for row in back] == [[str(line), "SMSPhoneNumber", "landline"] for line in (2, 3, 4)]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name.split(".")] == []


def test_without_quotation_marks_nothing_of_ours_needs_any(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,note,Mobile\n1,5" pipe,12345\n')
    source = open_source(tmp_path / "a.csv", quote="none")
    (batch,) = source.batches()

    path = write(source, tmp_path / "out", batch.rows)

    assert batch.rows == [["1", '5" pipe', "12345"]]
    assert path.read_text().splitlines()[1] == (
        '1,5" pipe,12345,2,SMSPhoneNumber,landline,the number is a landline  which takes no texts'
    )


def test_bytes_that_were_no_characters_come_back_as_they_were(tmp_path: Path) -> None:
    raw = "id,名\n".encode() + "1,花子花子花子\n".encode() * 9 + b"2,\xff\xfe\n"
    (tmp_path / "a.csv").write_bytes(raw)
    source = open_source(tmp_path / "a.csv")
    flawed = [batch.rows[index] for batch in source.batches() for index in batch.flaws]

    path = write(source, tmp_path / "out", flawed)

    assert b"2,\xff\xfe,2,SMSPhoneNumber" in path.read_bytes()


def test_a_character_that_the_encoding_lacks_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,携帯電話\n1,０９０\n".encode("cp932"))
    source = open_source(tmp_path / "a.csv")
    rejects = RejectsFile(tmp_path / "out.csv", source.header, source.form)

    rejects.write(["1", "０９０\udc80"], 2, "🙂 number", "landline", "x")
    rejects.keep()

    line = rejects.path.read_bytes().splitlines()[1]
    assert line == "1,０９０".encode("cp932") + b"\x80,2,? number,landline,x"


@pytest.mark.parametrize("name", ["cp932", "gzip", "xlsx", "parquet"])
def test_many_rows_stream_and_can_be_thrown_away(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writers, "_PIECE", 700)
    monkeypatch.setattr(row_writers, "_BUFFER", 1000)
    file, suffix, make = FORMS[name]
    make(tmp_path / file, ROWS)
    source = open_source(tmp_path / file)
    folder = tmp_path / "rejected"

    path = write(source, folder / "out", [[str(number), "x", "y"] for number in range(3000)])
    rows = [row for batch in open_source(path).batches() for row in batch.rows]
    assert [row[0] for row in rows] == [str(number) for number in range(3000)]
    rejects = RejectsFile(folder / f"thrown{suffix}", source.header, source.form)
    for _ in range(2000):
        rejects.write(["1", "x", "y"], 2, "", "landline", "")
    rejects.discard()
    kept = RejectsFile(folder / f"kept{suffix}", source.header, source.form)
    kept.write(["1", "x", "y"], 2, "", "landline", "")
    kept.keep()
    kept.discard()  # of a list that could not be made after all

    assert [found.name for found in folder.iterdir()] == [path.name]


def test_a_disk_that_does_not_take_it(tmp_path: Path) -> None:
    (tmp_path / "rejected").write_text("no folder")
    rejects = RejectsFile(tmp_path / "rejected" / "out.parquet", HEADER, ParquetForm())

    with pytest.raises(Unavailable, match="rejected rows cannot be written"):
        rejects.write(["1", "x", "y"], 2, "", "landline", "")


@pytest.mark.parametrize("name", ["gzip", "xlsx", "parquet"])
async def test_an_import_and_the_import_of_what_was_mended(store: Store, tmp_path: Path, name: str) -> None:
    await seed_unit(store, name="unit", bucket=3, region="JP")
    file, suffix, make = FORMS[name]
    make(tmp_path / file, [["1", "太郎", "090-1234-5678"], ["2", "花子", "12345"], ["3", "次郎", "090-1234-5678"]])

    async def do(path: Path, name: str) -> Any:
        return await import_list(
            store, business_unit="unit", name=name, path=path, rejects_dir=tmp_path / "rejected", now=NOW
        )

    done = await do(tmp_path / file, "first")

    assert (done.contacts, done.reasons) == (1, {"phone_too_short": 1, "duplicate_phone": 1})
    assert done.rejects_path.name == f"first-{done.list_id}-rejected{suffix}"
    rows = [row for batch in open_source(done.rejects_path).batches() for row in batch.rows]
    assert [row[3:6] for row in rows] == [
        ["3", "SMSPhoneNumber", "phone_too_short"],
        ["4", "SMSPhoneNumber", "duplicate_phone"],
    ]
    again = await do(done.rejects_path, "second")
    assert (again.contacts, again.rejected, again.fields) == (1, 1, done.fields)
