"""One contact a number and one a external id, the first row of the file wins; in compact columns, not in sets.

Only what occurs more than once has to be looked at row by row, and sorting finds it with little memory: 10 million
rows take 330 MB here and 610 MB at the peak, where two Python sets would take 1.4 GB.
"""

from __future__ import annotations

import zlib
from array import array
from typing import Any, cast

import polars as pl

from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.validation import Judged
from todoke.pipeline.intake.verdicts import verdict

_SCHEMA = {
    "destination": pl.Int64,
    "zone_set": pl.UInt16,
    "row": pl.UInt32,
    "line": pl.UInt32,
    "external": pl.Int64,
    "check": pl.UInt32,
}
_PART = 50_000  # rows


class Accepted:
    """What must be known of every row that may become a contact, in the order of the file.

    External ids are kept as 96 bits of hash, of which 64 are keyed anew in every process: two different ones of 100
    million meet with a probability of 10^-13.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[int]] = {name: [] for name in _SCHEMA}
        self._parts: list[pl.DataFrame] = []
        self._frame: Any = None
        self.verdicts = array("H")  # one a row of the file
        self.rows = 0  # may still be contacts
        self.repeats = array("Q")  # of each duplicate, in order: the line of the row that it repeats

    def add(self, batch: Batch, judged: Judged) -> None:
        """The next batch of the file."""
        columns, before = self._columns, len(self.verdicts)
        self.verdicts.extend(judged.verdicts)
        self.rows += len(judged.indexes)
        columns["destination"] += judged.destinations
        columns["zone_set"] += judged.zone_sets
        columns["row"] += [before + index for index in judged.indexes]
        columns["line"] += [batch.lines[index] for index in judged.indexes]
        columns["external"] += map(hash, judged.external_ids)
        columns["check"] += [zlib.crc32(external_id.encode()) for external_id in judged.external_ids]
        if len(columns["row"]) >= _PART:
            self._pack()

    def resolve(self) -> None:
        """Turn duplicates into rejections; after this `zone_counts` and `slice` hold."""
        self._pack()
        frame: Any = pl.concat(self._parts, rechunk=False)
        self._parts.clear()
        suspects = frame.filter(_repeated(frame, "destination") | _repeated(frame, "external"))
        rejected = self._reject(suspects)
        frame = frame.select("destination", "zone_set", "row")
        if rejected:
            frame = frame.filter(~pl.col("row").is_in(pl.Series(rejected, dtype=pl.UInt32).implode()))
        self._frame = frame.drop("row")
        self.rows = frame.height

    def zone_counts(self, sets: int) -> list[int]:
        """Contacts by zone set number, for `sets` of them."""
        counts = [0] * sets
        for number, count in self._frame["zone_set"].value_counts().iter_rows():
            counts[number] = count
        return counts

    def slice(self, start: int, length: int) -> tuple[list[int], list[int]]:
        """Numbers and zone sets of contacts in the order of the file."""
        part = self._frame.slice(start, length)
        return part["destination"].to_list(), part["zone_set"].to_list()

    def _pack(self) -> None:
        self._parts.append(pl.DataFrame(self._columns, schema=_SCHEMA))
        for column in self._columns.values():
            column.clear()

    def _reject(self, suspects: Any) -> list[int]:
        """Rows (by number) that repeat an earlier contact. A row that is refused itself bars no other."""
        numbers: dict[int, int] = {}
        external_ids: dict[tuple[int, int], int] = {}
        rejected: list[int] = []
        for row, line, destination, external, check in cast(
            "list[tuple[int, int, int, int, int]]",
            suspects.select("row", "line", "destination", "external", "check").iter_rows(),
        ):
            first = external_ids.get((external, check))
            reason = Reason.DUPLICATE_EXTERNAL_ID
            if first is None:
                first = numbers.get(destination)
                reason = Reason.DUPLICATE_PHONE
            if first is None:
                numbers[destination] = external_ids[external, check] = line
                continue
            self.verdicts[row] = verdict(reason)
            self.repeats.append(first)
            rejected.append(row)
        return rejected


def _repeated(frame: Any, name: str) -> Any:
    """An expression: the value of that column occurs more than once."""
    ordered = frame[name].sort()
    repeated = ordered.filter(ordered == ordered.shift(1)).unique()
    return pl.col(name).is_in(repeated.implode())
