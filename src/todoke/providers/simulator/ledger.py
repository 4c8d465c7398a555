"""The ledger: every submit that the simulator took, append-only on disk, written before it is answered.

A file is a magic line and records: 4 octets length, 1 octet kind, body. Kind `E` is one entry. Kind `B` is one read
of a socket in fast mode: a small header and the raw PDUs, which the reader takes apart. A record torn by SIGKILL can
only be the last one; readers stop before it and the next writer cuts it off.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from todoke.model.errors import TodokeError
from todoke.providers.simulator.entry import Entry, MalformedSubmit, digest, pack_entry, parse_submit, unpack_entry
from todoke.providers.simulator.styles import decimal

MAGIC = b"todoke simulator ledger 1\n"
SUBMIT_SM = 0x00000004
_HEAD = struct.Struct(">IB")
_ENTRY, _BATCH = ord("E"), ord("B")
_BATCH_HEAD = struct.Struct(">QQIIQB")
_MAX_RECORD = 64 * 1024 * 1024


class LedgerError(TodokeError):
    """The ledger of the simulator cannot be used."""


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    body: bytes

    @property
    def count(self) -> int:
        """How many submits the record holds."""
        return 1 if self.kind == _ENTRY else int(_BATCH_HEAD.unpack_from(self.body)[3])

    def entries(self) -> Iterator[Entry]:
        """The submits of the record, in order."""
        if self.kind == _ENTRY:
            yield unpack_entry(self.body)
        else:
            yield from _batch_entries(self.body)


def _full(path: Path, error: OSError) -> LedgerError:
    return LedgerError(f"Cannot write the ledger: {error.strerror}.", where=str(path), fix="Make room on the disk.")


class Ledger:
    """The writer. One process at a time holds a ledger (flock); what `flush` wrote outlives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(
                f"Cannot open the ledger: {error.strerror}.", where=str(path), fix="Choose a writable place."
            ) from error
        try:
            self._claim()
            self.count, self._size = self._recover()
        except BaseException:
            os.close(self._descriptor)
            raise
        self._pending = bytearray()
        self._pending_count = 0

    def add(self, entry: Entry) -> None:
        """Take one entry into the next flush."""
        body = pack_entry(entry)
        self._pending += _HEAD.pack(len(body), _ENTRY)
        self._pending += body
        self._pending_count += 1

    def flush(self) -> None:
        """Write what was added. Raises LedgerError, and then nothing of it is in the file."""
        if self._pending:
            data, count = self._pending, self._pending_count
            self._pending, self._pending_count = bytearray(), 0
            self._write([data], len(data), count)

    def add_batch(
        self, at: int, monotonic: int, connection: int, account: bytes, first: int, count: int, raw: bytes
    ) -> None:
        """Write one read of fast mode: `count` submits among the PDUs of `raw`, given the ids from `first` on."""
        head = _BATCH_HEAD.pack(at, monotonic, connection, count, first, len(account)) + account
        size = len(head) + len(raw)
        self._write([_HEAD.pack(size, _BATCH), head, raw], _HEAD.size + size, count)

    def close(self) -> None:
        """Write the rest and give the file up."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)

    def _write(self, pieces: list[bytes | bytearray], size: int, count: int) -> None:
        try:
            written = os.writev(self._descriptor, pieces)
            if written != size:
                rest = memoryview(b"".join(pieces))[written:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            raise _full(self.path, error) from error
        self._size += size
        self.count += count

    def _claim(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerError(
                "Another simulator writes this ledger.", where=str(self.path), fix="Give this one its own."
            ) from error

    def _recover(self) -> tuple[int, int]:
        """Cut a torn tail off; how many submits the file holds, and its size."""
        size = os.fstat(self._descriptor).st_size
        with os.fdopen(os.dup(self._descriptor), "rb") as stream:
            stream.seek(0)
            if size < len(MAGIC) and MAGIC.startswith(stream.read()):
                os.ftruncate(self._descriptor, 0)
                try:
                    os.write(self._descriptor, MAGIC)
                except OSError as error:
                    raise _full(self.path, error) from error
                return 0, len(MAGIC)
            stream.seek(0)
            _check_magic(stream, self.path)
            count, whole = 0, len(MAGIC)
            for record in _records(stream):
                count += record.count
                whole += _HEAD.size + len(record.body)
        os.ftruncate(self._descriptor, whole)
        return count, whole


def read(path: Path | str, skip: int = 0) -> Iterator[Entry]:
    """Stream the entries of a ledger in order, after the first `skip`; a torn last record is left out.

    Works beside a running writer: it ends where the file ends now. Raises LedgerError when the file is not a ledger.
    """
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below, the error is of opening only
    except OSError as error:
        raise LedgerError(f"Cannot read the ledger: {error.strerror}.", where=str(path)) from error
    with stream:
        _check_magic(stream, path)
        for record in _records(stream):
            if skip >= record.count:
                skip -= record.count
                continue
            for entry in record.entries():
                if skip:
                    skip -= 1
                else:
                    yield entry


def _check_magic(stream: BinaryIO, path: Path | str) -> None:
    if stream.read(len(MAGIC)) != MAGIC:
        raise LedgerError(
            "This is not a ledger of the simulator.", where=str(path), fix="Name another file, or remove it."
        )


def _records(stream: BinaryIO) -> Iterator[_Record]:
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        size, kind = _HEAD.unpack(head)
        if size > _MAX_RECORD or kind not in (_ENTRY, _BATCH):
            raise LedgerError(
                "The ledger is damaged: a record has an impossible head.", fix="Keep it aside, start a new one."
            )
        body = stream.read(size)
        if len(body) != size:
            return
        yield _Record(kind, body)


def _batch_entries(body: bytes) -> Iterator[Entry]:
    at, monotonic, connection, _count, number, length = _BATCH_HEAD.unpack_from(body)
    position = _BATCH_HEAD.size + length
    account = body[_BATCH_HEAD.size : position].decode(errors="replace")
    while position < len(body):
        size = int.from_bytes(body[position : position + 4], "big")
        pdu = body[position : position + size]
        position += size
        if int.from_bytes(pdu[4:8], "big") != SUBMIT_SM:
            continue
        try:
            submit = parse_submit(pdu)
        except MalformedSubmit as error:
            raise LedgerError(f"Submission {number} of the ledger cannot be read: {error}.") from error
        yield Entry(
            at=at,
            monotonic=monotonic,
            account=account,
            connection=connection,
            sequence=submit.sequence,
            source=submit.source,
            destination=submit.destination,
            given=decimal(number),
            status=0,
            fate=0,
            concatenation=submit.concatenation,
            user_message_reference=submit.user_message_reference,
            data_coding=submit.data_coding,
            size=len(submit.payload),
            digest=digest(submit.payload),
            mark=submit.mark,
        )
        number += 1
