"""The journal: what was about to be written to the wire, noted just before it was.

A file an engine process, append-only and locked as long as the process lives, so that whoever gets the lock knows
that the engine is dead. There is no fsync: the journal tells of a crash of the process; after a crash of the
machine (another boot id) it is void. Entries have 16 octets:

    message id (8) | crc of the text (4) | segment (1) | segments (1) | attempt (2)     a segment that goes to the wire
    -(sequence)    | 0                                                                  a flush was committed

An entry that is repeated with 0 segments takes the earlier one back: the provider refused it, so it was certainly
not taken.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from todoke.model.errors import Conflict, TodokeError

_MAGIC = b"todoke\x00\x01"
_HEADER = struct.Struct(">8s36s32s20x")  # magic, boot id, incarnation; 96 octets
_ENTRY = struct.Struct(">qIBBH")
_ENTRIES_AT_A_TIME = 65_536


class JournalInUse(Conflict):
    """Another engine process has this journal open."""


class JournalBroken(TodokeError):
    """This file is not a journal."""


class Entry(NamedTuple):
    """One segment that was about to be written."""

    message_id: int
    crc: int
    segment: int
    segments: int
    attempt: int


class Journal:
    """The writing end. Raises JournalInUse when another process holds it, OSError when the disk refuses."""

    def __init__(self, path: Path, boot_id: str, incarnation: str) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if not _lock(self._fd):
            os.close(self._fd)
            raise JournalInUse(
                where=str(path), fix="Stop the other engine, or give this one a data directory of its own."
            )
        self._pack = _ENTRY.pack
        self._size = os.fstat(self._fd).st_size
        if self._size == 0:
            self._write(_HEADER.pack(_MAGIC, boot_id.encode(), incarnation.encode()))

    def submit(self, entries: Iterable[tuple[int, int, int, int, int]]) -> None:
        """Note segments (message id, crc, segment, segments, attempt), in one write."""
        pack = self._pack
        self._write(b"".join([pack(*entry) for entry in entries]))

    def take_back(self, message_id: int, segment: int, attempt: int) -> None:
        """The provider refused this segment."""
        self._write(self._pack(message_id, 0, segment, 0, attempt))

    def flushed(self, seq: int) -> None:
        """The flush with this number is committed."""
        self._write(self._pack(-seq, 0, 0, 0, 0))

    @property
    def size(self) -> int:
        """In octets."""
        return self._size

    def clear(self) -> None:
        """Begin anew: nothing that was noted is open any more."""
        os.ftruncate(self._fd, _HEADER.size)
        self._size = _HEADER.size

    def close(self) -> None:
        """Let go of the lock. What is noted after that raises OSError."""
        descriptor, self._fd = self._fd, -1  # its number may be another file's soon
        if descriptor >= 0:
            os.close(descriptor)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
            while written < len(data):  # a disk that is nearly full takes a part
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, self._size)  # what follows a torn entry could not be read
            raise
        self._size += len(data)


@dataclass(slots=True)
class Record:
    """What a dead engine's journal says. `sent`: by (message id, attempt), the segments that may have been written."""

    boot_id: str
    incarnation: str
    last_flush: int = 0
    sent: dict[tuple[int, int], dict[int, Entry]] = field(default_factory=dict[tuple[int, int], dict[int, Entry]])


class DeadJournal:
    """The journal of an engine that is not running: locked by us while we recover from it."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    def read(self, wanted: Callable[[int], bool] = lambda _: True) -> Record:
        """What it says of messages whose id is `wanted`: of what is still open, so that a journal of any size can be
        read. A torn last entry is left out: what it was to note was never written to the wire.
        """
        with self.path.open("rb") as file:
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return Record("", "")
            magic, boot, incarnation = _HEADER.unpack(header)
            if magic != _MAGIC:
                raise JournalBroken(where=str(self.path), fix="Move it away if it is no journal of Todoke's.")
            record = Record(_text(boot), _text(incarnation))
            while data := file.read(_ENTRY.size * _ENTRIES_AT_A_TIME):
                whole = len(data) // _ENTRY.size * _ENTRY.size
                for entry in _ENTRY.iter_unpack(memoryview(data)[:whole]):
                    message_id, _, segment, segments, attempt = entry
                    if message_id < 0:
                        record.last_flush = max(record.last_flush, -message_id)
                    elif not wanted(message_id):
                        continue
                    elif segments:
                        record.sent.setdefault((message_id, attempt), {})[segment] = Entry(*entry)
                    else:
                        record.sent.get((message_id, attempt), {}).pop(segment, None)
        return record

    def remove(self) -> None:
        """Once everything in it is recovered."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go. An empty one was not there before we looked."""
        if not os.fstat(self._fd).st_size:
            self.remove()
        os.close(self._fd)


def seize(path: Path) -> DeadJournal | None:
    """The journal of a dead engine, or None while its engine lives. A missing file is an empty journal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _lock(fd):
        return DeadJournal(path, fd)
    os.close(fd)
    return None


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode("utf-8", "replace")


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
