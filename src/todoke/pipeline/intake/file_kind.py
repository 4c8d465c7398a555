"""What a file is by its first bytes and its name: delimited text, a workbook, or something that is no list."""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path

from todoke.model.errors import Invalid, NotFound

_WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
_MAX_WORKBOOK = 2 << 30  # bytes, unpacked: it is read into memory as a whole
_AS_TEXT = "Save the list as CSV (UTF-8) or .xlsx and import that."
_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "This is a PDF document, not a list.", _AS_TEXT),
    (
        b"\xd0\xcf\x11\xe0",
        "This is an old Excel workbook (.xls) or one with a password.",
        "Open it in Excel and save it as .xlsx without a password.",
    ),
    (b"\x1f\x8b", "This file is compressed with gzip.", "Unpack it first (gunzip)."),
    (b"\x28\xb5\x2f\xfd", "This file is compressed with zstd.", "Unpack it first (unzstd)."),
    (b"BZh", "This file is compressed with bzip2.", "Unpack it first (bunzip2)."),
    (b"\xfd7zXZ\x00", "This file is compressed with xz.", "Unpack it first (unxz)."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive.", "Unpack it first."),
    (b"PAR1", "This is a Parquet file.", _AS_TEXT),
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


def file_kind(path: Path) -> FileKind:
    """What to read the file as; raises `NotFound` or `Invalid` with what to do instead."""
    head = _head(path)
    if head.startswith(b"PK\x03\x04"):
        _check_workbook(path)
        return FileKind.WORKBOOK
    for magic, sentence, fix in _STRANGERS:
        if head.startswith(magic):
            raise Invalid(sentence, where=str(path), fix=fix)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<table")):
        raise Invalid("This is a web page or an XML document, not a list.", where=str(path), fix=_AS_TEXT)
    if not head:
        raise Invalid("The file is empty.", where=str(path), fix="Export the list again, with a header row.")
    if path.suffix.lower() in _WORKBOOK_SUFFIXES:
        raise Invalid(
            "The name says that this is an Excel workbook, but it is none.",
            where=str(path),
            fix="If it is text, name it .csv; else save it from Excel as .xlsx again.",
        )
    return FileKind.TEXT


def _head(path: Path) -> bytes:
    try:
        if not path.is_dir() and path.exists() and not path.is_file():
            raise Invalid("This is no regular file.", where=str(path), fix="Save the list to a file: it is read twice.")
        with path.open("rb") as file:
            return file.read(4096)
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
