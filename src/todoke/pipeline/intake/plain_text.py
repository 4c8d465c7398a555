"""Delimited text as columns, where it is written plainly; row by row where it is not.

Text is plain where every line is, by a grammar so narrow that any reader understands the same by it: so many fields
as the header has, quotes around a whole field or nowhere, no blank before a field, no control character, nothing but
characters of UTF-8. One expression looks at some megabytes at once. Where it finds something else, it looks at smaller
pieces, and what is left goes row by row.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from todoke.model.errors import Invalid
from todoke.pipeline.intake.compression import Compression, Unpacked, unpacked
from todoke.pipeline.intake.forms import TextForm
from todoke.pipeline.intake.lines import MAX_LINE, Chunk, lines_of
from todoke.pipeline.intake.parts import MAX_VALUE, Part, batch_part, name
from todoke.pipeline.intake.rows import read_rows

FIRST, MOST = 128 << 10, 4 << 20  # bytes of a piece: small at first, so that something is known of a file soon
CAREFUL = 64 << 10  # bytes that are read row by row before something plain is looked for again
_MAX_WIDTH = 200  # columns; the expression grows with them

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f"
_NOT_UTF8 = "surrogateescape"
_WIDE = "surrogatepass"


class _Piece(NamedTuple):
    """How a part was read: the bytes of a plain piece, 0 for row by row; whether each of its lines is a row."""

    size: int
    of_lines: bool


_ROW_BY_ROW = _Piece(0, False)


class PlainText:
    """A text file below its header. What of it is plain is found out once, by the first reading to its end."""

    def __init__(self, path: Path, form: TextForm, header_line: int, width: int) -> None:
        self._path = path
        self._form = form
        self._quote = b"\0" if form.quote is None else form.quote.encode()
        self._header_line = header_line
        self._of_lines = _grammar(form.delimiter, form.quote, width, inside=r"\n")
        self._grammar = _grammar(form.delimiter, form.quote, width)
        self._width = width
        self._plan: list[_Piece] | None = None

    def parts(self) -> Iterator[Part]:
        """All rows below the header, in order; cut into the same parts each time, if the file is the same."""
        with unpacked(self._path, self._form.compression) as file:
            file.read(self._form.encoding.mark)
            stream = _Stream(file, self._form, str(self._path))
            if self._plan is not None:
                yield from self._again(stream, self._plan)
                return
            plan: list[_Piece] = []
            for piece, part in self._discovered(stream):
                plan.append(piece)
                yield part
            self._plan = plan

    def _again(self, stream: _Stream, plan: list[_Piece]) -> Iterator[Part]:
        for size, of_lines in plan:
            part = self._columns(stream, stream.peek(size)[:size], of_lines) if size else self._careful(stream)
            if part is not None:
                yield part

    def _discovered(self, stream: _Stream) -> Iterator[tuple[_Piece, Part]]:
        size = FIRST
        while stream.line <= self._header_line and (part := self._careful(stream)):
            yield _ROW_BY_ROW, part
        while whole := stream.peek(size):
            if found := self._plainly(stream, whole):
                yield found
                size = min(MOST, 2 * size)
                continue
            end = stream.offset + len(whole)
            while stream.offset < end:
                if found := self._plainly(stream, stream.peek(CAREFUL)):
                    yield found
                elif part := self._careful(stream):
                    yield _ROW_BY_ROW, part

    def _plainly(self, stream: _Stream, piece: bytes) -> tuple[_Piece, Part] | None:
        """The piece, up to where no field is open, if it is plain."""
        piece = piece[: self._closed(piece)]
        if not piece or (of_lines := self._is_plain(piece)) is None:
            return None
        part = self._columns(stream, piece, of_lines)
        return None if part is None else (_Piece(len(piece), of_lines), part)

    def _columns(self, stream: _Stream, piece: bytes, of_lines: bool) -> Part | None:
        reader = _Columns(piece, self._form, self._width, stream.line)
        lines = piece.count(b"\n")
        try:
            starts = reader.lines(lines) if of_lines else reader.starts()
        except pl.exceptions.PolarsError:  # the file is another one by now: the numbers of rows will tell
            return None
        if starts is None:
            return None
        part = Part(len(starts), starts, [], stream.consumed(len(piece)), reader.columns)
        stream.take(len(piece), lines)
        return part

    def _closed(self, piece: bytes) -> int:
        """How far no quoted field is open, if quotes are where they should be; 0 where that is nowhere."""
        quote, end = self._quote, len(piece)
        for _ in range(8):
            if piece.count(quote, 0, end) % 2 == 0:
                return end
            end = piece.rfind(b"\n", 0, piece.rfind(quote, 0, end)) + 1
        return 0

    def _is_plain(self, piece: bytes) -> bool | None:
        """Whether each line of the piece is a row; None where it is not plain."""
        if self._grammar is None or self._of_lines is None or _has_long_line(piece):
            return None
        try:
            text = pl.Series([piece], dtype=pl.Binary).cast(pl.String)
        except pl.exceptions.PolarsError:  # not UTF-8
            return None
        if text.str.contains(self._of_lines)[0]:
            return True
        return False if self._quote in piece and text.str.contains(self._grammar)[0] else None

    def _careful(self, stream: _Stream) -> Part | None:
        batch = next(read_rows(_chunks(stream), self._form.delimiter, self._form.quote), None)
        if batch is None:
            return None
        if batch.lines and batch.lines[0] <= self._header_line:
            batch = batch.after(self._header_line)
        return batch_part(batch, self._width)


class _Stream:
    """The file as UTF-8, a piece at a time; what is no character in its encoding stands as a lone surrogate, which is
    no UTF-8 either.

    `offset` (in bytes of UTF-8) and `line` are where the next piece begins.
    """

    def __init__(self, file: Unpacked, form: TextForm, where: str) -> None:
        self._file = file
        self.form = form
        encoding = form.encoding
        self._where = where
        self.errors = _NOT_UTF8 if encoding.name == "utf-8" else _WIDE
        self._decoder: Any = None
        if encoding.name != "utf-8":
            wide = encoding.name.startswith(("utf-16", "utf-32"))
            self._decoder = codecs.getincrementaldecoder(encoding.name)(_WIDE if wide else _NOT_UTF8)
        self._data = b""
        self._at = 0
        self._more = True
        self.offset = 0
        self.line = 1

    def peek(self, size: int) -> bytes:
        """Whole lines of about `size` bytes, at least one; nothing at the end. `Invalid` for a line without an end."""
        wanted = size
        while True:
            self._fill(wanted)
            data, at = self._data, self._at
            if len(data) - at <= size and not self._more:
                return data[at:]
            end = data.rfind(b"\n", at, at + wanted) + 1
            if not end:  # old line ends; the last one may be half of one
                end = data.rfind(b"\r", at, at + wanted - 1) + 1
            if end:
                return data[at:end]
            if not self._more and wanted >= len(data) - at:
                return data[at:]
            if wanted > 4 * MAX_LINE:
                raise Invalid(
                    f"Line {self.line} has no end within {MAX_LINE:,} characters.",
                    where=self._where,
                    fix="This does not look like a list; save it as CSV with one contact a line.",
                )
            wanted *= 2

    def take(self, size: int, lines: int) -> None:
        """Go on behind these."""
        self._at += size
        self.offset += size
        self.line += lines

    def consumed(self, size: int) -> int:
        """Bytes of the file that are read with that piece, about; exact where it is not packed."""
        left = len(self._data) - self._at - size
        if self.form.compression is not Compression.NONE:
            return self._file.consumed
        return max(0, self._file.consumed - left)

    def _fill(self, wanted: int) -> None:
        while self._more and len(self._data) - self._at <= wanted:  # one more tells whether it is the end
            raw = self._file.read(max(wanted, MOST))
            self._more = bool(raw)
            more = raw if self._decoder is None else self._decoded(raw)
            self._data = self._data[self._at :] + more
            self._at = 0

    def _decoded(self, raw: bytes) -> bytes:
        try:
            text: str = self._decoder.decode(raw, not raw)
        except UnicodeError as error:
            if not raw:
                return "\udcff".encode("utf-8", _WIDE)  # half a character at the very end
            raise Invalid(
                f"The file is not in the encoding {self.form.encoding.name}.",
                where=self._where,
                fix="Name the right one, or leave it to be found out.",
            ) from error
        return text.encode("utf-8", _WIDE)


def _chunks(stream: _Stream) -> Iterator[Chunk]:
    """Pieces as lines, for who reads row by row. Each is taken as it is given out."""
    while piece := stream.peek(CAREFUL):
        lines, quoted, flawed = lines_of(piece, stream.errors, stream.form.quote)
        chunk = Chunk(lines, stream.line, stream.consumed(len(piece)), quoted, flawed)
        stream.take(len(piece), len(lines))
        yield chunk


class _Columns:
    """A plain piece, read again for each choice of columns."""

    def __init__(self, piece: bytes, form: TextForm, width: int, line: int) -> None:
        self._piece = piece
        self._form = form
        self._width = width
        self._line = line
        self._quote = form.quote if form.quote is not None and form.quote.encode() in piece else None

    def columns(self, chosen: Sequence[int]) -> pl.DataFrame:
        names = [name(at) for at in chosen]
        if not names:
            return pl.DataFrame()
        read = pl.read_csv(
            self._piece,
            has_header=False,
            separator=self._form.delimiter,
            quote_char=self._quote,
            schema={name(at): pl.String for at in range(self._width)},
            columns=sorted(chosen) if len(chosen) < self._width else None,
            infer_schema=False,
            empty_string_is_null=False,
        )
        return read.select(names)

    def lines(self, ends: int) -> pl.Series:
        """The line on which each row starts, where each line is a row; `ends` counts the line ends."""
        last = self._line + ends + (not self._piece.endswith(b"\n"))
        return pl.int_range(self._line, last, dtype=pl.UInt32, eager=True)

    def starts(self) -> pl.Series | None:
        """The same where values hold line ends; None where a value may be too long."""
        frame = self.columns(range(self._width))
        if frame.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item() > MAX_VALUE:
            return None
        inside = frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True))).to_series()
        return (self._line + pl.int_range(frame.height, eager=True) + inside.cum_sum() - inside).cast(pl.UInt32)


def _grammar(delimiter: str, quote: str | None, width: int, inside: str = "") -> str | None:
    """The expression for plain text, without what is `inside` in quotes; None where there is none."""
    signs = delimiter + (quote or "")
    if (
        width > _MAX_WIDTH
        or " " in signs
        or not all(sign == "\t" or (sign.isascii() and sign.isprintable()) for sign in signs)
    ):
        return None
    cut = r"\t" if delimiter == "\t" else re.escape(delimiter)
    mark = "" if quote is None else re.escape(quote)
    bare = f"[^{cut}{mark}\\n\\r{_CONTROL}]"
    field = f"[^ {cut}{mark}\\n\\r{_CONTROL}]{bare}*"
    if quote is not None:
        field = f"{mark}(?:[^{mark}\\r{inside}{_CONTROL}]|{mark}{mark})*{mark}|{field}"
    field = f"(?:{field}|)" if width > 1 else f"(?:{field})"
    row = field + (f"(?:{cut}{field}){{{width - 1}}}" if width > 1 else "")
    return rf"\A(?:{row}\r?\n)*(?:{row})?\z"


def _has_long_line(piece: bytes) -> bool:
    """Whether a line has more bytes than a value may have characters."""
    at = 0
    while len(piece) - at > MAX_VALUE:
        end = piece.rfind(b"\n", at, at + MAX_VALUE + 1)
        if end < 0:
            return True
        at = end + 1
    return False
