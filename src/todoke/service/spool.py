"""Uploads that come as a stream: kept in the data folder until their import has ended.

While a process copies one, or looks at one that is not to be imported, the file is called `.part` and is locked: the
lock goes with the process, however that ends, so what is left of a killed one can be told and removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from todoke.model.errors import Invalid, Unavailable

FOLDER = "uploads"  # in the data folder
PART = ".part"
LEFT = 3600.0
"""Seconds since its last byte after which a copy that no process has open goes."""
_PIECE = 1 << 20  # bytes


def spool(stream: IO[bytes], folder: Path) -> Path:
    """Copy a stream to a new file in the folder, on the disk when this returns. Blocks. Invalid where it is empty,
    Unavailable where the disk does not take it; then nothing is left.
    """
    with _copied(stream, folder) as part:
        return part.rename(part.with_suffix(""))


@contextmanager
def spooled(stream: IO[bytes], folder: Path) -> Generator[Path]:
    """The same, for as long as it is looked at."""
    with _copied(stream, folder) as part:
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)


def remove_parts(folder: Path, now: float) -> int:
    """Remove the copies that killed processes left; how many. `now`: seconds since 1970."""
    return sum(_remove_part(path, now) for path in folder.glob(f"*{PART}"))


@contextmanager
def _copied(stream: IO[bytes], folder: Path) -> Generator[Path]:
    path = folder / (uuid.uuid4().hex + PART)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_parts(folder, time.time())
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # it holds people's numbers
    except OSError as error:
        raise _unavailable(error, folder) from error
    with file:
        try:
            with contextlib.suppress(OSError):  # where nobody can lock, nobody removes what is not locked
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            while piece := stream.read(_PIECE):
                file.write(piece)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _unavailable(error, folder) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not size:
            path.unlink(missing_ok=True)
            raise Invalid("Nothing came on standard input.", fix="Redirect a file: todoke import - --list NAME < FILE")
        yield path


def _remove_part(path: Path, now: float) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_mtime > now - LEFT:  # somebody may be about to lock it
                return False
            path.unlink()
    except OSError:  # a process is at it, or another one has removed it
        return False
    return True


def _unavailable(error: OSError, folder: Path) -> Unavailable:
    return Unavailable(
        f"The upload cannot be kept: {error.strerror or error}.",
        where=str(folder),
        fix="Free some space, or name another data folder.",
    )
