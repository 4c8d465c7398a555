"""What a file is by its first bytes and its name: delimited text, a workbook, Parquet, or something that is no list."""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from todoke.model.errors import Invalid, NotFound
from todoke.pipeline.intake.compression import Compression, compression_of, suffix_of, unpacked

_HEAD = 4096  # bytes
_NAMED = {".xlsx": "an Excel workbook", ".xlsm": "an Excel workbook", ".parquet": "a Parquet file"}
_MAX_WORKBOOK = 2 << 30  # bytes, unpacked: it is read into memory as a whole
_AS_TEXT = "Save the list as CSV (UTF-8) or .xlsx and import that."
_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "This is a PDF document, not a list.", _AS_TEXT),
    (
        b"\xd0\xcf\x11\xe0",
        "This is an old Excel workbook (.xls) or one with a password.",
        "Open it in Excel and save it as .xlsx without a password.",
    ),
    (b"BZh", "This file is compressed with bzip2.", "Unpack it first (bunzip2)."),
    (b"\xfd7zXZ\x00", "This file is compressed with xz.", "Unpack it first (unxz)."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive.", "Unpack it first."),
    (b"PARE", "This Parquet file is encrypted.", "Write it again without encryption."),
    (b"\x89PNG", "This is a picture.", _AS_TEXT),
    (b"\xff\xd8\xff", "This is a picture.", _AS_TEXT),
    (b"GIF8", "This is a picture.", _AS_TEXT),
    (b"\x7fELF", "This is a program.", _AS_TEXT),
    (b"SQLite format 3\x00", "This is an SQLite database.", "Export the table as CSV."),
    (b"{\\rtf", "This is a rich text document.", _AS_TEXT),
)


class FileKind(Enum):
    TEXT = "text"
    WORKBOOK = "workbook"
    PARQUET = "parquet"


class Identified(NamedTuple):
    """Only text may be compressed: the other kinds are so in themselves."""

    kind: FileKind
    compression: Compression = Compression.NONE


def identify(path: Path) -> Identified:
    """What to read the file as; raises `NotFound` or `Invalid` with what to do instead."""
    head = _head(path)
    compression = compression_of(head)
    if compression is not Compression.NONE:
        with unpacked(path, compression) as file:
            _require_text(file.read(_HEAD), path, compression)
        return Identified(FileKind.TEXT, compression)
    if head.startswith(b"PK\x03\x04"):
        _check_workbook(path)
        return Identified(FileKind.WORKBOOK)
    if head.startswith(b"PAR1"):
        return Identified(FileKind.PARQUET)
    if stranger := _stranger(head):
        raise Invalid(stranger[0], where=str(path), fix=stranger[1])
    if not head:
        raise Invalid("The file is empty.", where=str(path), fix="Export the list again, with a header row.")
    if path.suffix.lower() in _NAMED:
        raise Invalid(
            f"The name says that this is {_NAMED[path.suffix.lower()]}, but it is none.",
            where=str(path),
            fix="If it is text, name it .csv; else save or copy it again.",
        )
    return Identified(FileKind.TEXT)


def _require_text(head: bytes, path: Path, compression: Compression) -> None:
    """`Invalid` where what is in a compressed file is no text."""
    name = compression.value
    unpack = (
        "Unpack it (gunzip) and import what is in it."
        if compression is Compression.GZIP
        else ("Unpack it (unzstd) and import what is in it.")
    )
    if not head:
        raise Invalid(f"There is nothing in this {name} file.", where=str(path), fix="Export the list again.")
    inner: str | None = None
    if head.startswith(b"PK\x03\x04"):
        inner = "an Excel workbook or a ZIP archive"
    elif head.startswith(b"PAR1"):
        inner = "a Parquet file"
    elif compression_of(head) is not Compression.NONE:
        inner = "another compressed file"
    if inner is not None:
        raise Invalid(f"In this {name} file is {inner}; only text is read packed.", where=str(path), fix=unpack)
    if suffix_of(path) in _NAMED:
        sentence = f"The name says that in this {name} file is {_NAMED[suffix_of(path)]}, but it is none."
        raise Invalid(sentence, where=str(path), fix=unpack)
    if stranger := _stranger(head):
        sentence = f"{stranger[0].removesuffix('.')}, packed with {name}."
        raise Invalid(sentence, where=str(path), fix=f"Unpack it. {stranger[1]}")


def _stranger(head: bytes) -> tuple[str, str] | None:
    """A sentence and what to do, where this is no list."""
    for magic, sentence, fix in _STRANGERS:
        if head.startswith(magic):
            return sentence, fix
    if head[257:262] == b"ustar":
        return "This is a tar archive, not a list.", "Unpack it and import the list in it."
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<table")):
        return "This is a web page or an XML document, not a list.", _AS_TEXT
    return None


def _head(path: Path) -> bytes:
    try:
        if not path.is_dir() and path.exists() and not path.is_file():
            fix = "Save the list to a file, or pipe it to todoke import -."
            raise Invalid("This is no regular file.", where=str(path), fix=fix)
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError as error:
        raise NotFound("There is no such file.", where=str(path), fix="Check the path and the spelling.") from error
    except IsADirectoryError as error:
        raise Invalid("This is a folder, not a file.", where=str(path), fix="Name one list file in it.") from error
    except PermissionError as error:
        raise Invalid(
            "This file may not be read.", where=str(path), fix="Give this user the right to read it."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise Invalid(f"The file cannot be read: {reason}.", where=str(path), fix="Copy it to a local disk.") from error


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise Invalid(
            "This looks like an Excel workbook but is damaged or not complete.",
            where=str(path),
            fix="Copy or download it again.",
        ) from error
    if not any(member.filename.startswith("xl/workbook") for member in members):
        raise Invalid("This is a ZIP archive, not a list.", where=str(path), fix="Unpack it and import the list in it.")
    if sum(member.file_size for member in members) > _MAX_WORKBOOK:
        raise Invalid("This workbook is too large to be read as a whole.", where=str(path), fix="Save it as CSV.")
