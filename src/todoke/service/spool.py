"""Uploads that come as a stream: kept in the data folder until their import has ended."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import IO

from todoke.model.errors import Invalid, Unavailable

FOLDER = "uploads"  # in the data folder
_PIECE = 1 << 20  # bytes


def spool(stream: IO[bytes], folder: Path) -> Path:
    """Copy a stream to a new file in the folder, on the disk when this returns. Blocks. Invalid where it is empty,
    Unavailable where the disk does not take it; then nothing is left.
    """
    path = folder / uuid.uuid4().hex
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it holds people's numbers
        with path.open("wb") as file:
            while piece := stream.read(_PIECE):
                file.write(piece)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Unavailable(
            f"The upload cannot be kept: {error.strerror or error}.",
            where=str(folder),
            fix="Free some space, or name another data folder.",
        ) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not size:
        path.unlink(missing_ok=True)
        raise Invalid("Nothing came on standard input.", fix="Redirect a file: todoke import - --list NAME < FILE")
    return path
