"""Rows written into a file of some form, one after another: bounded memory, however many they are."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import polars as pl
from backports import zstd
from xlsxwriter import Workbook  # pyright: ignore[reportMissingTypeStubs]
from xlsxwriter.exceptions import XlsxWriterException  # pyright: ignore[reportMissingTypeStubs]

from todoke.pipeline.intake.compression import Compression
from todoke.pipeline.intake.forms import Form, ParquetForm, TextForm, WorkbookForm

_CRLF = "\r\n"
_BUFFER = 64 << 10  # characters of text that are kept back
_PIECE = 50_000  # rows of Parquet that are kept back


class RowWriter(Protocol):
    """What it writes is a whole file only after `close`. All raise OSError where the disk does not take it."""

    def write(self, row: Sequence[str]) -> None: ...

    def close(self) -> None: ...

    def discard(self) -> None:
        """Close it as it is; whatever it kept beside the file is removed."""
        ...


def open_writer(path: Path, form: Form, header: Sequence[str]) -> RowWriter:
    """A file of that form, begun with its header. Only its owner may read it: it holds people's numbers."""
    path.touch(mode=0o600)
    match form:
        case TextForm():
            writer: RowWriter = _TextWriter(path, form)
        case WorkbookForm():
            writer = _WorkbookWriter(path, form)
        case ParquetForm():
            return _ParquetWriter(path, header)
    writer.write(header)
    return writer


class _Lines:
    """What `csv` writes to: a row each time. Told that lines end in both characters, it encloses either in a value."""

    def __init__(self, add: Callable[[str], None]) -> None:
        self._add = add

    def write(self, line: str) -> None:
        self._add(line.removesuffix(_CRLF))


class _TextWriter:
    def __init__(self, path: Path, form: TextForm) -> None:
        self._form = form
        self._lines: list[str] = []
        self._kept = 0
        self._open = ExitStack()
        self._file = self._sink(path, form.compression)
        if form.encoding.mark:
            self._file.write("\ufeff".encode(form.encoding.name))
        self._csv: Any = csv.writer(
            cast(Any, _Lines(self._add)), delimiter=form.delimiter, quotechar=form.quote or '"', lineterminator=_CRLF
        )
        if form.announced:
            self._add(f"sep={form.delimiter}")

    def _sink(self, path: Path, compression: Compression) -> BinaryIO:
        raw = self._open.enter_context(path.open("wb"))
        match compression:
            case Compression.NONE:
                return raw
            case Compression.GZIP:
                packed = gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0)
                return cast(BinaryIO, self._open.enter_context(packed))
            case Compression.ZSTD:
                return cast(BinaryIO, self._open.enter_context(zstd.ZstdFile(raw, "w")))

    def write(self, row: Sequence[str]) -> None:
        if self._form.quote is None:
            # Nothing may enclose a value, so no value of ours may need it; the file's own did not.
            cut = self._form.delimiter
            self._add(cut.join(" ".join(cell.split(cut)) for cell in row))
        else:
            self._csv.writerow(row)

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._kept += len(line)
        if self._kept >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        end = self._form.line_end
        text = end.join([*self._lines, ""])
        self._lines.clear()
        self._kept = 0
        self._file.write(_encoded(text, self._form.encoding.name))

    def close(self) -> None:
        with self._open:
            self._flush()

    def discard(self) -> None:
        self._open.close()


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes that were no characters are written as they were; a character that the encoding lacks as `?`.

    The file's own values came from that encoding. What it may lack is in our columns: the name of a field.
    """
    errors = "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    try:
        return text.encode(encoding, errors)
    except UnicodeEncodeError:
        if len(text) == 1:
            return "?".encode(encoding)
    half = len(text) // 2
    return _encoded(text[:half], encoding) + _encoded(text[half:], encoding)


class _WorkbookWriter:
    """All cells are texts: 007 stays 007, and nothing is a formula. A sheet holds as many rows as the one read."""

    def __init__(self, path: Path, form: WorkbookForm) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
        self._book: Any = cast(Any, Workbook)(str(path), options)
        self._sheet: Any = self._book.add_worksheet(form.sheet)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._row = 0

    def write(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            if cell:
                self._sheet.write_string(self._row, column, cell)
        self._row += 1

    def close(self) -> None:
        try:
            self._book.close()
        except XlsxWriterException as error:
            raise OSError(str(error)) from error

    def discard(self) -> None:
        if not self._book.fileclosed:
            self.close()


class _ParquetWriter:
    """Pieces in a folder beside the file, which becomes one file in the end."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        self._header = list(header)
        self._folder = path.with_name(path.name + ".pieces")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        self._rows: list[list[str]] = []
        self._pieces: list[Path] = []

    def write(self, row: Sequence[str]) -> None:
        # A row that is too wide loses what has no column.
        self._rows.append([*row[: len(self._header)]])
        if len(self._rows) >= _PIECE:
            self._flush()

    def _flush(self) -> None:
        piece = self._folder / f"{len(self._pieces):06}.parquet"
        columns = list(zip(*self._rows, strict=True))
        frame = pl.DataFrame(
            {name: pl.Series(name, columns[at], dtype=pl.String) for at, name in enumerate(self._header)}
        )
        frame.write_parquet(piece)
        self._pieces.append(piece)
        self._rows.clear()

    def close(self) -> None:
        try:
            if self._rows:
                self._flush()
            cast(Any, pl.scan_parquet(self._pieces)).sink_parquet(self._path)
        finally:
            self.discard()

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
