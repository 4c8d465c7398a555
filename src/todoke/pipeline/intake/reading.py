"""A list file, opened: how it is written, its header, and its rows as often as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import polars as pl

from todoke.model.errors import Conflict, Invalid
from todoke.pipeline.intake import delimiter as delimiters
from todoke.pipeline.intake import encoding as encodings
from todoke.pipeline.intake import quoting, workbook
from todoke.pipeline.intake.compression import Compression, suffix_of, unpacked
from todoke.pipeline.intake.encoding import Encoding
from todoke.pipeline.intake.file_kind import FileKind, identify
from todoke.pipeline.intake.forms import Form, ParquetForm, TextForm, WorkbookForm
from todoke.pipeline.intake.lines import MAX_LINE, Chunk, read_chunks
from todoke.pipeline.intake.parquet import ParquetTable
from todoke.pipeline.intake.parts import Part
from todoke.pipeline.intake.plain_text import PlainText
from todoke.pipeline.intake.rows import Batch, read_rows

_SAMPLE = 256 << 10  # bytes
_SNIFFED_LINES = 200


class Source(Protocol):
    """An opened list file. `size` is what `consumed` of parts and batches ends at; `header_line` counts from 1.

    What is imported is read by `parts`, twice. A source that has columns gives them as they are (`columns_part`: text
    without nulls and without control characters); one that has rows reads batches and gives each as `batch_part`.
    Each reading must cut the rows into the same parts, of some thousand to some ten thousand rows.
    """

    @property
    def path(self) -> Path: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def header_line(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def encoding(self) -> Encoding | None: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def sheet(self) -> str | None: ...
    @property
    def form(self) -> Form: ...

    def batches(self) -> Iterator[Batch]:
        """The rows below the header, from the start each time. `Conflict` where the file changed meanwhile."""
        ...

    def parts(self) -> Iterator[Part]:
        """The same, as columns."""
        ...


class Known(Protocol):
    """What is said about a file of any kind; None is found out."""

    @property
    def encoding(self) -> str | None: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def quote(self) -> str | None: ...
    @property
    def sheet(self) -> str | None: ...


def open_read_as(path: Path, reading: Known) -> Source:
    """`open_source` by what is known of the file."""
    return open_source(
        path, encoding=reading.encoding, delimiter=reading.delimiter, quote=reading.quote, sheet=reading.sheet
    )


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    sheet: str | None = None,
) -> Source:
    """Open a list file; what is given is not guessed. Raises `NotFound` or `Invalid`, saying what to do."""
    kind, compression = identify(path)
    match kind:
        case FileKind.WORKBOOK:
            return _open_sheet(path, sheet)
        case FileKind.PARQUET:
            return ParquetSource(path, ParquetTable(path), _version(path))
        case FileKind.TEXT:
            return _open_text(path, compression, encoding, delimiter, quote)


@dataclass(frozen=True, slots=True)
class TextSource:
    """A delimited text file; it is read from the disk each time. `size` is the file's own, packed or not."""

    path: Path
    header: list[str]
    header_line: int
    size: int
    form: TextForm
    version: tuple[int, ...]
    plain: PlainText
    sheet: None = None

    @property
    def encoding(self) -> Encoding:
        return self.form.encoding

    @property
    def delimiter(self) -> str:
        return self.form.delimiter

    def batches(self) -> Iterator[Batch]:
        self._require_unchanged()
        form = self.form
        chunks = read_chunks(self.path, form.encoding, compression=form.compression, quote=form.quote)
        for batch in read_rows(chunks, form.delimiter, form.quote):
            if batch.lines and batch.lines[0] <= self.header_line:
                batch = batch.after(self.header_line)
            yield batch
        self._require_unchanged()

    def parts(self) -> Iterator[Part]:
        self._require_unchanged()
        yield from self.plain.parts()
        self._require_unchanged()

    def _require_unchanged(self) -> None:
        _require_unchanged(self.path, self.version)


@dataclass(frozen=True, slots=True)
class SheetSource:
    """A sheet of a workbook, held in memory."""

    path: Path
    header: list[str]
    header_line: int
    frame: pl.DataFrame
    sheet: str
    encoding: None = None
    delimiter: None = None

    @property
    def size(self) -> int:
        return self.frame.height

    @property
    def form(self) -> WorkbookForm:
        return WorkbookForm(self.sheet)

    def batches(self) -> Iterator[Batch]:
        return workbook.read_batches(self.frame, self.header_line)

    def parts(self) -> Iterator[Part]:
        return workbook.read_parts(self.frame, self.header_line)


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A Parquet file; some thousand rows of it are unpacked at once."""

    path: Path
    table: ParquetTable
    version: tuple[int, ...]
    header_line: int = 1
    encoding: None = None
    delimiter: None = None
    sheet: None = None

    @property
    def form(self) -> ParquetForm:
        return ParquetForm()

    @property
    def header(self) -> list[str]:
        return self.table.header

    @property
    def size(self) -> int:
        return self.table.rows

    def batches(self) -> Iterator[Batch]:
        _require_unchanged(self.path, self.version)
        try:
            yield from self.table.batches()
        finally:
            _require_unchanged(self.path, self.version)  # one that changed may also have become unreadable

    def parts(self) -> Iterator[Part]:
        _require_unchanged(self.path, self.version)
        try:
            yield from self.table.parts()
        finally:
            _require_unchanged(self.path, self.version)


def _open_text(
    path: Path, compression: Compression, encoding: str | None, delimiter: str | None, quote: str | None
) -> TextSource:
    version = _version(path)
    sample = _sample(path, compression)
    written = encodings.given(encoding, sample) if encoding else encodings.detect(sample)

    def chunks(mark: str | None = '"') -> Iterator[Chunk]:
        return read_chunks(path, written, size=_SAMPLE, compression=compression, quote=mark)

    lines = list(islice(chain.from_iterable(chunk.lines for chunk in chunks()), _SNIFFED_LINES))
    announced = _announced(lines)
    if delimiter:
        cut = delimiters.given(delimiter)
    else:
        cut = announced or delimiters.sniff(lines, suffix_of(path))
    mark = quoting.given(quote, cut) if quote else quoting.sniff(lines[1:] if announced else lines, cut)
    if mark != '"' and not delimiter and not announced:
        cut = delimiters.sniff(lines, suffix_of(path), mark)
    form = TextForm(written, cut, mark, _line_end(lines), compression, announced is not None, suffix_of(path))
    for batch in read_rows(chunks(mark), cut, mark):
        for index, (line, row) in enumerate(zip(batch.lines, batch.rows, strict=True)):
            if any(value.strip() for value in row) and not (announced and line == 1):
                if index in batch.flaws:
                    raise _unreadable_header(path, line, written)
                plain = PlainText(path, form, line, len(row))
                return TextSource(path, row, line, version[0], form, version, plain)
    raise Invalid("The file holds nothing but empty lines.", where=str(path), fix="Export the list again.")


def _open_sheet(path: Path, sheet: str | None) -> SheetSource:
    frame = workbook.read_sheet(path, sheet)
    name = sheet or workbook.sheet_names(path)[0]
    for batch in workbook.read_batches(frame):
        for line, row in zip(batch.lines, batch.rows, strict=True):
            if any(value.strip() for value in row):
                return SheetSource(path, row, line, frame, name)
    others = [other for other in workbook.sheet_names(path) if other != name]
    fix = f"Name another sheet: {', '.join(map(repr, others))}." if others else "Export the list again."
    raise Invalid(f"The sheet {name!r} is empty.", where=str(path), fix=fix)


def _sample(path: Path, compression: Compression) -> bytes:
    """The beginning of the file; where that is ASCII only, the first piece that is not: it tells the encoding."""
    with unpacked(path, compression) as file:
        head = file.read(_SAMPLE)
        piece = head
        without_end = 0
        while piece and piece.isascii() and b"\0" not in piece:
            piece = file.read(_SAMPLE)
            without_end = 0 if b"\n" in piece or b"\r" in piece else without_end + len(piece)
            if without_end > MAX_LINE:  # that is no list, as whoever reads its lines will say
                return head
        if not piece or piece is head:
            return head
        # A piece may begin within a character, but not behind a line end.
        return piece[piece.find(b"\n") + 1 :] + file.read(4096)


def _line_end(lines: list[str]) -> str:
    first = lines[0] if lines else ""
    return next((end for end in ("\r\n", "\n", "\r") if first.endswith(end)), "\n")


def _announced(lines: list[str]) -> str | None:
    """Excel's own first line: `sep=;`."""
    first = lines[0].strip().strip('"') if lines else ""
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _unreadable_header(path: Path, line: int, encoding: Encoding) -> Invalid:
    return Invalid(
        "The header row cannot be read: its quotation marks do not match, or it is not in the encoding "
        f"{encoding.name}.",
        where=f"{path}, line {line}",
        fix="Correct the header row, or name the right encoding.",
    )


def _require_unchanged(path: Path, version: tuple[int, ...]) -> None:
    if _version(path) != version:
        raise Conflict("The file changed while it was read.", where=str(path), fix="Import it again.")


def _version(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        raise Conflict("The file went away.", where=str(path), fix="Put it back and import it again.") from error
    return found.st_size, found.st_mtime_ns, found.st_ino
