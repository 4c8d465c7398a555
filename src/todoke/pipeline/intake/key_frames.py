"""Keys of a list with their positions, put into order: as they come they are in the order of the file."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from todoke.pipeline.intake.spool import Shares

IN_MEMORY = 6_000_000  # keys
SCHEMA = pl.Schema({"key": pl.Int64(), "position": pl.UInt32()})


class KeyFrames:
    """`bounds`: ascending keys that split all keys into shares of about one size, for when they do not fit into
    memory."""

    def __init__(self, folder: Path, bounds: Sequence[int], *, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._bounds = pl.Series(bounds, dtype=pl.Int64)
        self._in_memory = in_memory
        self._frames: list[pl.DataFrame] = []
        self._rows = 0
        self._shares: Shares | None = None

    def add(self, keys: pl.DataFrame) -> None:
        """More keys, with the columns of `SCHEMA`."""
        self._frames.append(keys)
        self._rows += keys.height
        if self._shares is not None or self._rows > self._in_memory:
            if self._shares is None:
                self._shares = Shares(self._folder, len(self._bounds) + 1)
            share = pl.col("key").map_batches(self._bounds_below, return_dtype=pl.UInt32)
            self._shares.append(self._frames, share)
            self._frames = []

    def ordered(self) -> Iterator[pl.DataFrame]:
        """All keys in ascending order, some millions a frame; then they are gone."""
        frames = self._frames if self._shares is None else self._shares
        if self._shares is None and self._frames:
            frames = [pl.concat(self._frames)]
            self._frames = []
        for frame in frames:
            yield frame.sort("key", "position")

    def close(self) -> None:
        """Forget everything."""
        self._frames.clear()
        if self._shares is not None:
            self._shares.close()

    def _bounds_below(self, keys: pl.Series) -> pl.Series:
        return self._bounds.search_sorted(keys, side="right")


def even_bounds(count: int) -> list[int]:
    """Bounds for keys that are spread evenly over 64 bits, as hashes are."""
    step = (1 << 64) // count
    return [number * step - (1 << 63) for number in range(1, count)]


class Sample:
    """Some of many keys, evenly chosen, to say what would split all of them evenly."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._every = 1
        self._kept = pl.Series([], dtype=pl.Int64)

    def add(self, keys: pl.Series) -> None:
        """More keys."""
        self._kept = pl.concat([self._kept, keys.gather_every(self._every)])
        while len(self._kept) > self._most:
            self._kept = self._kept.gather_every(2)
            self._every *= 2

    def bounds(self, count: int) -> list[int]:
        """`count` - 1 keys at most that split all of them into shares of about one size."""
        ordered = self._kept.sort()
        if ordered.is_empty():
            return []
        at = [number * len(ordered) // count for number in range(1, count)]
        return ordered.gather(at).unique().sort().to_list()
