"""Numbers for a DNC group, many at a time: sorted, each once, with the moment at which its entry ends."""

from __future__ import annotations

import io
from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import polars as pl

from todoke.model.clock import Micros

_pl = cast(Any, pl)  # its stubs leave much open

FOR_GOOD = (1 << 63) - 1
"""Stands for no expiry, so that the later of two is the stricter one."""


class Numbers:
    """In order of the number. What is sliced shares the memory."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Any) -> None:
        self._frame = frame  # columns `phone` and `expires_at`, null for good

    @classmethod
    def of(cls, phones: array[int], until: array[int]) -> Numbers:
        """From parallel arrays of numbers and moments (FOR_GOOD for none), in any order. Of a number that comes twice
        the stricter one counts.
        """
        wanted, ends = _pl.Series("phone", phones, dtype=pl.Int64), _pl.Series("expires_at", until, dtype=pl.Int64)
        return cls.of_frame(_pl.DataFrame([wanted, ends]))

    @classmethod
    def of_frame(cls, found: pl.DataFrame) -> Numbers:
        """The same from columns `phone` and `expires_at`, without nulls."""
        wanted, ends = cast(Any, found["phone"]), cast(Any, found["expires_at"])
        if len(ends) and ends.min() < ends.max():
            frame = cast(Any, found).group_by("phone").agg(_pl.col("expires_at").max()).sort("phone")
        else:  # nearly always; six times as fast
            end = ends[0] if len(ends) else FOR_GOOD
            frame = _pl.DataFrame([wanted.unique().sort()]).with_columns(_pl.lit(end).alias("expires_at"))
        temporary = _pl.when(_pl.col("expires_at") < FOR_GOOD).then(_pl.col("expires_at"))
        return cls(frame.with_columns(temporary.alias("expires_at")))

    @classmethod
    def none(cls) -> Numbers:
        """No number at all."""
        return cls.of_frame(pl.DataFrame(schema={"phone": pl.Int64, "expires_at": pl.Int64}))

    def __len__(self) -> int:
        return self._frame.height

    def part(self, start: int, length: int) -> Numbers:
        return Numbers(self._frame.slice(start, length))

    def only(self, phones: Collection[int]) -> Numbers:
        return Numbers(self._frame.filter(_pl.col("phone").is_in(list(phones))))

    @property
    def phones(self) -> list[int]:
        return self._frame["phone"].to_list()

    @property
    def ends(self) -> Mapping[int, Micros | None]:
        """The moment by number; None for good."""
        return dict(self.pairs)

    @property
    def pairs(self) -> Sequence[tuple[int, Micros | None]]:
        return list(zip(self.phones, self._frame["expires_at"].to_list(), strict=True))

    @property
    def same_end(self) -> bool:
        """Whether they all end at the same moment."""
        return self._frame["expires_at"].n_unique() <= 1

    @property
    def first(self) -> int:
        return self._frame["phone"][0]

    @property
    def last(self) -> int:
        return self._frame["phone"][-1]

    @property
    def first_end(self) -> Micros | None:
        return self._frame["expires_at"][0]

    def csv(self, before: Mapping[str, object], after: Mapping[str, object]) -> tuple[io.BytesIO, list[str]]:
        """A file of rows for COPY and the names of its columns: `before`, number and end, `after`; what is given is
        the same in each row.
        """
        same = {
            **{key: _pl.lit(value) for key, value in before.items()},
            **{key: _pl.lit(value) for key, value in after.items()},
        }
        columns = [*before, "phone", "expires_at", *after]
        rows = self._frame.with_columns(**same).select(columns)
        buffer = io.BytesIO()
        rows.write_csv(buffer, include_header=False)
        buffer.seek(0)
        return buffer, columns
