"""A text file as chunks of physical lines: bounded memory, whatever the file holds."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from todoke.model.errors import Invalid
from todoke.pipeline.intake.compression import Compression, Unpacked, unpacked
from todoke.pipeline.intake.encoding import Encoding

# Bytes. Small, because the garbage collector looks at all rows that are alive: with 1 MB reading takes twice as long.
CHUNK = 64 << 10
MAX_LINE = 4 << 20  # characters

# Contacts pack their values with U+001F, and PostgreSQL keeps no NUL: control characters have no place in a value.
# Vertical tab and form feed are line breaks of old spreadsheets.
_REMOVED = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n\r\x0b\x0c")
_TO_SPACE = bytes.maketrans(b"\x0b\x0c", b"  ")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Chunk(NamedTuple):
    """`lines` with their ends; `first` is the number of the first one (from 1); `consumed` bytes of the file are
    read so far.

    `quoted`: there are quotation marks. `flawed`: there are bytes that are no characters; they stand as lone
    surrogates.
    """

    lines: list[str]
    first: int
    consumed: int
    quoted: bool
    flawed: bool


def clean(text: str) -> str:
    """The text without control characters, but for tabs and line ends."""
    return _CONTROL.sub(lambda found: " " if found[0] in "\x0b\x0c" else "", text)


def is_flawed(text: str) -> bool:
    """Whether bytes of it could not be decoded: they stand as lone surrogates, which no encoding takes."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def lines_of(data: bytes, errors: str, quote: str | None) -> tuple[list[str], bool, bool]:
    """The lines of whole lines in UTF-8, without control characters; whether there are quotation marks, and bytes
    that are no characters (`errors` is how they are kept)."""
    text = data.translate(_TO_SPACE, _REMOVED).decode("utf-8", errors)
    return io.StringIO(text, newline="").readlines(), quote is not None and quote in text, is_flawed(text)


def read_chunks(
    path: Path,
    encoding: Encoding,
    *,
    size: int = CHUNK,
    compression: Compression = Compression.NONE,
    quote: str | None = '"',
) -> Iterator[Chunk]:
    """The whole file; `\\n`, `\\r\\n` and `\\r` end a line. Raises `Invalid` for a line without an end.

    `quote`: what a quotation mark is; None where there is none.
    """
    with unpacked(path, compression) as file:
        file.read(encoding.mark)
        yield from _chunks(file, encoding, str(path), size, quote)


def _chunks(file: Unpacked, encoding: Encoding, where: str, size: int, quote: str | None) -> Iterator[Chunk]:
    decoder = _Decoder(encoding, where)
    rest = ""
    first = 1
    more = True
    while more:
        raw = file.read(size)
        more = bool(raw)
        consumed = file.consumed
        text = rest + decoder.decode(raw, final=not more)
        lines = io.StringIO(text, newline="").readlines()
        # A carriage return at the very end may be half of a line end.
        rest = lines.pop() if more and lines and not lines[-1].endswith("\n") else ""
        if len(rest) > MAX_LINE:
            raise Invalid(
                f"Line {first + len(lines)} has no end within {MAX_LINE:,} characters.",
                where=where,
                fix="This does not look like a list; save it as CSV with one contact a line.",
            )
        if lines:
            yield Chunk(lines, first, consumed, quote is not None and quote in text, is_flawed(text))
            first += len(lines)


class _Decoder:
    """Bytes to text without control characters; what is no character becomes a lone surrogate."""

    def __init__(self, encoding: Encoding, where: str) -> None:
        # A lone half of a surrogate pair is the flaw that UTF-16 has.
        wide = encoding.name.startswith(("utf-16", "utf-32"))
        self._decoder = codecs.getincrementaldecoder(encoding.name)("surrogatepass" if wide else "surrogateescape")
        self._encoding = encoding
        self._where = where

    def decode(self, raw: bytes, *, final: bool) -> str:
        try:
            if self._encoding.ascii_superset:
                return self._decoder.decode(raw.translate(_TO_SPACE, _REMOVED), final)
            return clean(self._decoder.decode(raw, final))
        except UnicodeError as error:
            if final and not raw:
                return "\udcff"  # half a character at the very end
            raise Invalid(
                f"The file is not in the encoding {self._encoding.name}.",
                where=self._where,
                fix="Name the right one, or leave it to be found out.",
            ) from error
