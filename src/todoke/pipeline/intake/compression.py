"""Compressed text files as a stream of bytes: bounded memory, however much a file unpacks to."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import BinaryIO, cast

from backports import zstd

from todoke.model.errors import Invalid

# No list of contacts repeats itself so much; a file that is made to fill memory or time does.
_MOST_RATIO = 250
_TRUSTED = 256 << 20  # bytes, unpacked: below this nothing is suspected

_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd")


class Compression(Enum):
    """How the bytes of a file are packed. The value is what people call it."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends in."""
        return {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}[self]


def compression_of(head: bytes) -> Compression:
    """By the first bytes of a file."""
    if head.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    # A frame, or one to be skipped, with which parallel compressors begin.
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return Compression.ZSTD
    return Compression.NONE


def suffix_of(path: Path) -> str:
    """The suffix of the list itself, in lower case: `.tsv` of `agents.tsv.gz`."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in _SUFFIXES else suffix


class Unpacked:
    """The bytes of a list file, unpacked as they are read. `consumed`: bytes of the file itself that were read."""

    def __init__(self, raw: BinaryIO, unpacking: BinaryIO, compression: Compression, path: Path) -> None:
        self._raw = raw
        self._unpacking = unpacking
        self._compression = compression
        self._path = path
        self._unpacked = 0

    @property
    def consumed(self) -> int:
        return self._raw.tell()

    def read(self, size: int) -> bytes:
        """The next bytes, less than `size` only at the end. `Invalid` where the file is damaged."""
        try:
            data = self._unpacking.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
            raise self._damaged(error) from error
        self._unpacked += len(data)
        if self._unpacked > _TRUSTED and self._unpacked > _MOST_RATIO * self.consumed:
            name = self._compression.value
            raise Invalid(
                f"This {name} file unpacks to more than {_MOST_RATIO} times its size, as no list does.",
                where=str(self._path),
                fix="Unpack it yourself, look at what it is, and import that.",
            )
        return data

    def _damaged(self, error: Exception) -> Invalid:
        name = self._compression.value
        if "too much memory" in str(error):
            return Invalid(
                f"This {name} file was packed so that unpacking takes more than 128 MB of memory.",
                where=str(self._path),
                fix="Pack it again without --long or --ultra, or unpack it first.",
            )
        return Invalid(
            f"This {name} file is damaged or not complete: {self._unpacked:,} bytes of the list could be unpacked.",
            where=str(self._path),
            fix="Copy or download it again.",
        )


@contextmanager
def unpacked(path: Path, compression: Compression) -> Generator[Unpacked]:
    """The file from its start."""
    with path.open("rb") as raw:
        match compression:
            case Compression.NONE:
                yield Unpacked(raw, raw, compression, path)
            case Compression.GZIP:
                with gzip.GzipFile(fileobj=raw, mode="rb") as file:
                    yield Unpacked(raw, cast(BinaryIO, file), compression, path)
            case Compression.ZSTD:
                with zstd.ZstdFile(raw, "r") as file:
                    yield Unpacked(raw, cast(BinaryIO, file), compression, path)
