"""A list that comes as a stream, kept in a file while it is imported: it is read more than once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from todoke.model.errors import Invalid, Unavailable

_PIECE = 1 << 20  # bytes


@contextmanager
def kept(stream: BinaryIO, folder: Path, *, name: str = "standard-input") -> Generator[Path]:
    """The rest of the stream as a file of that name, in a folder of its own that only its owner may read.

    Both are gone afterwards. `Invalid` for a stream that is empty, `Unavailable` where the disk does not take it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(prefix="upload-", dir=folder))
    except OSError as error:
        raise _unavailable(folder, error) from error
    path = own / name
    try:
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file, _PIECE)
                size = file.tell()
        except OSError as error:
            raise _unavailable(folder, error) from error
        if not size:
            raise Invalid("Nothing came in.", where=name, fix="Pipe a list into it, with a header row.")
        yield path
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _unavailable(folder: Path, error: OSError) -> Unavailable:
    reason = error.strerror or str(error)
    return Unavailable(
        f"What comes in cannot be kept while it is read: {reason}.",
        where=str(folder),
        fix="Free some space, or name another data folder.",
    )
