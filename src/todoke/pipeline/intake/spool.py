"""Frames put aside and read again in their order: in memory while they are few, then in a file that has no name, so
that nothing is left of it when the process ends, however it ends."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import polars as pl

from todoke.model.errors import Unavailable


class Spool:
    """`folder` holds the file, `memory` is how many bytes stay out of it. `Unavailable` where the disk is full."""

    def __init__(self, folder: Path, memory: int) -> None:
        self._folder = folder
        self._memory = memory
        self._frames: list[pl.DataFrame] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self._sizes: list[int] = []
        self.rows = 0

    def append(self, frame: pl.DataFrame) -> None:
        """Behind what is there."""
        self.rows += frame.height
        if self._file is None:
            self._frames.append(frame)
            self._held += int(frame.estimated_size())
            if self._held > self._memory:
                self._move()
        else:
            self._write(frame)

    def frames(self) -> Iterator[pl.DataFrame]:
        """All of them, in their order; as often as wanted."""
        if self._file is None:
            yield from self._frames
            return
        at = 0
        for size in self._sizes:
            yield pl.read_ipc_stream(io.BytesIO(os.pread(self._file.fileno(), size, at)))
            at += size

    def whole(self, schema: pl.Schema) -> pl.DataFrame:
        """All in one."""
        return pl.concat([schema.to_frame(), *self.frames()])

    def close(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._sizes.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _move(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - kept open
        except OSError as error:
            raise self._unavailable(error) from error
        for frame in self._frames:
            self._write(frame)
        self._frames.clear()

    def _write(self, frame: pl.DataFrame) -> None:
        assert self._file is not None
        out = io.BytesIO()
        frame.write_ipc_stream(out)
        data = out.getbuffer()
        try:
            done = 0
            while done < len(data):
                done += self._file.write(data[done:])
        except OSError as error:
            raise self._unavailable(error) from error
        self._sizes.append(len(data))

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"What an import keeps for a while cannot be written: {error.strerror or error}.",
            where=str(self._folder),
            fix="Free some space there.",
        )


class Shares:
    """Rows split by a number from 0 to `count` - 1, each share put aside by itself; only some rows are in memory."""

    def __init__(self, folder: Path, count: int, *, together: int = 500_000) -> None:
        self._together = together
        self._shares = [Spool(folder, 0) for _ in range(count)]
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0

    def append(self, frames: Iterable[pl.DataFrame], share: pl.Expr) -> None:
        """`share`: to which one a row goes."""
        for frame in frames:
            self._waiting.append(frame.with_columns(share.cast(pl.UInt16).alias("_share")))
            self._rows += frame.height
            if self._rows >= self._together:
                self._split()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """One share after the other, each whole; it is forgotten behind it."""
        self._split()
        for share in self._shares:
            frames = list(share.frames())
            share.close()
            if frames:
                yield pl.concat(frames)

    def close(self) -> None:
        """Forget everything."""
        for share in self._shares:
            share.close()
        self._waiting.clear()

    def _split(self) -> None:
        if not self._waiting:
            return
        rows = pl.concat(self._waiting).sort("_share")
        self._waiting.clear()
        self._rows = 0
        counts = rows["_share"].value_counts().sort("_share")
        start = 0
        for number, count in counts.iter_rows():
            self._shares[number].append(rows.slice(start, count).drop("_share"))
            start += count
