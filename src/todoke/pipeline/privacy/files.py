"""Files of rejected rows and kept uploads hold numbers as people wrote them: which of them have a given one.

They are written like the lists that they are from: packed, as workbooks or Parquet, in any encoding.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import codecs
import gzip
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import polars as pl
from backports import zstd

_NOT_DIGITS = re.compile(r"[^0-9]+")
_SEPARATOR = re.compile(r"[,;\t|\r\n]")
_TAG = re.compile(r"<[^>]*>")
_LAST = 9  # digits by which a number is recognised, whatever stands before them
_PIECE = 1 << 20  # bytes; a line longer than that is looked at in pieces
_OVERLAP = 200  # characters of such a piece that the next one begins with
_ROWS = 20_000


def mentions(files: Sequence[Path], phone: int) -> list[Path]:
    """The files in which a cell has the number, or one that ends alike; and those that cannot be read, since nobody
    knows. Read a piece at a time.
    """
    wanted = str(phone)[-_LAST:]
    return [file for file in files if _has(file, wanted)]


def _has(file: Path, wanted: str) -> bool:
    try:
        return any(wanted in _digits(cell) for cell in _cells(file))
    except FileNotFoundError:
        return False  # gone meanwhile
    except (OSError, EOFError, zlib.error, zstd.ZstdError, zipfile.BadZipFile, pl.exceptions.PolarsError):
        return True


def _digits(cell: str) -> str:
    return _NOT_DIGITS.sub("", cell if cell.isascii() else unicodedata.normalize("NFKC", cell))


def _cells(file: Path) -> Iterator[str]:
    with file.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        if head == b"PAR1":
            yield from _of_parquet(file)
        elif head == b"PK\x03\x04":
            with zipfile.ZipFile(raw) as book:
                for name in book.namelist():
                    if name.endswith(".xml"):
                        with book.open(name) as part:
                            yield from _of_text(part, xml=True)
        elif head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield from _of_text(cast(IO[bytes], unpacked))
        elif head == b"\x28\xb5\x2f\xfd":
            with zstd.ZstdFile(raw, "r") as unpacked:
                yield from _of_text(cast(IO[bytes], unpacked))
        else:
            yield from _of_text(raw)


def _of_text(file: IO[bytes], *, xml: bool = False) -> Iterator[str]:
    """Read as each encoding in which a digit may be written otherwise: what it is not, makes no number."""
    piece = file.read(_PIECE)
    utf16 = piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    names = ("utf-16",) if utf16 else ("utf-8", "cp932")
    decoders = [codecs.getincrementaldecoder(name)("replace") for name in names]
    rests = [""] * len(decoders)
    while piece:
        for n, decoder in enumerate(decoders):
            text = rests[n] + decoder.decode(piece)
            rests[n] = text[-_OVERLAP:]
            yield from (_TAG if xml else _SEPARATOR).split(text)
        piece = file.read(_PIECE)


def _of_parquet(file: Path) -> Iterator[str]:
    rows = pl.scan_parquet(file).select(pl.all().cast(pl.String, strict=False))
    count = pl.scan_parquet(file).select(pl.len()).collect().item()
    for first in range(0, count, _ROWS):
        for column in rows.slice(first, _ROWS).collect().iter_columns():
            yield from (value for value in column.to_list() if value)
