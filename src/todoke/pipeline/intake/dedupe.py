"""One contact a number and one a external id, the first row of the file wins.

Only what occurs more than once has to be looked at closely, and sorting finds it with little memory. Beyond some
millions of rows they are split by their keys into shares on the disk, and each is looked at by itself.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from pathlib import Path

import polars as pl

from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.spool import Shares, Spool
from todoke.pipeline.intake.verdicts import verdict

IN_MEMORY = 6_000_000  # rows
_SHARES = 48

SCHEMA = pl.Schema(
    {"line": pl.UInt32(), "phone": pl.Int64(), "external": pl.Int64(), "check": pl.UInt32(), "zone_set": pl.UInt16()}
)
REPEATED = pl.Schema({"line": pl.UInt32(), "code": pl.UInt16(), "first": pl.UInt32(), "zone_set": pl.UInt16()})
_ROUNDS = 12
_ID = ("external", "check")


class Candidates:
    """Rows that may be contacts, in the order of the file.

    External ids are known by 96 bits of hash: two different ones of 100 million meet with a probability of 10^-13.
    """

    def __init__(self, folder: Path, *, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._spool = Spool(folder, in_memory * 24)

    @property
    def rows(self) -> int:
        return self._spool.rows

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()

    def add(self, accepted: pl.DataFrame) -> None:
        """More rows, with the columns of `SCHEMA` among others."""
        self._spool.append(accepted.select(SCHEMA.names()))

    def repeated(self) -> pl.DataFrame:
        """The rows that repeat an earlier contact, as `REPEATED`: the verdict, and the line of the row that is kept.

        A row that is refused itself bars no other.
        """
        if self._spool.rows <= self._in_memory:
            rows = self._spool.whole(SCHEMA)
            suspects = rows.filter(_occurs_again(rows, "phone") | _occurs_again(rows, "external"))
        else:
            suspects = self._suspects()
        self._spool.close()
        return _resolved(suspects)

    def _suspects(self) -> pl.DataFrame:
        """The same, share by share."""
        found: list[pl.DataFrame] = [SCHEMA.to_frame()]
        for key in ("phone", "external"):
            shares = Shares(self._folder, _SHARES)
            shares.append(self._spool.frames(), _share(key))
            found += [rows.filter(_occurs_again(rows, key)) for rows in shares]
        return pl.concat(found).unique("line").sort("line")


def _share(key: str) -> pl.Expr:
    return pl.col(key).cast(pl.UInt64, wrap_numerical=True) % _SHARES


def _occurs_again(rows: pl.DataFrame, name: str) -> pl.Series:
    """Which rows have a value in that column that occurs more than once."""
    ordered = rows[name].sort()
    repeated = ordered.filter(ordered == ordered.shift(1)).unique()
    if repeated.is_empty():
        return pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    return rows[name].is_in(repeated.implode())


def _resolved(suspects: pl.DataFrame) -> pl.DataFrame:
    """Who of these is a contact is decided in rounds: the first row of both its number and its external id is one, and
    what has either in common with it is none."""
    open_ = suspects
    accepted: list[pl.DataFrame] = [SCHEMA.to_frame()]
    for _ in range(_ROUNDS):
        line = pl.col("line")
        taken = open_.filter((line == line.min().over("phone")) & (line == line.min().over(_ID)))
        accepted.append(taken)
        open_ = open_.join(taken, on="phone", how="anti").join(taken, on=list(_ID), how="anti")
    kept = pl.concat([*accepted, _one_by_one(open_)])
    others = suspects.join(kept, on="line", how="anti")
    by_id = kept.select(*_ID, pl.col("line").alias("same_id"))
    by_phone = kept.select("phone", pl.col("line").alias("same_phone"))
    told = others.join(by_id, on=list(_ID), how="left").join(by_phone, on="phone", how="left")
    # What comes later bars nobody.
    same_id = pl.when(pl.col("same_id") < pl.col("line")).then("same_id")
    of_id = pl.lit(verdict(Reason.DUPLICATE_EXTERNAL_ID), pl.UInt16)
    of_phone = pl.lit(verdict(Reason.DUPLICATE_PHONE), pl.UInt16)
    return told.select(
        "line",
        pl.when(same_id.is_not_null()).then(of_id).otherwise(of_phone).alias("code"),
        pl.coalesce(same_id, "same_phone").alias("first"),
        "zone_set",
    ).sort("line")


def _one_by_one(rows: pl.DataFrame) -> pl.DataFrame:
    """The contacts among what the rounds have left: chains in which each row waits for the one before it."""
    phones: set[int] = set()
    ids: set[tuple[int, int]] = set()
    taken: list[bool] = []
    rows = rows.sort("line")
    for phone, external, check in rows.select("phone", *_ID).iter_rows():
        free = phone not in phones and (external, check) not in ids
        if free:
            phones.add(phone)
            ids.add((external, check))
        taken.append(free)
    return rows.filter(pl.Series(taken, dtype=pl.Boolean))
