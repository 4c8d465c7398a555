"""The key of an external id: 64 bits that never change, one id at a time or a column at once.

Two ids may have one key. Whoever finds a contact by a key looks whether its external id is the one that was meant.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import polars as pl  # its types mention numpy, which is not here

# Words of eight bytes, little-endian, zeros at the end; each is mixed in with the finalizer of MurmurHash3. Stored
# keys rest on every number here.
_FIRST = 0x9E3779B97F4A7C15
_BY = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_SHIFT = 33
_WORD = 8  # bytes
_MASK = (1 << 64) - 1


def external_key(external_id: str) -> int:
    """The key of one external id; a signed 64-bit number."""
    data = external_id.encode("utf-8", "surrogatepass")
    state = _mixed(_FIRST, len(data))
    for start in range(0, len(data), _WORD):
        state = _mixed(state, int.from_bytes(data[start : start + _WORD], "little"))
    return state - (1 << 64) if state >> 63 else state


def external_keys(external_ids: pl.Series) -> pl.Series:
    """The keys of a column of texts, as Int64; the same as `external_key` of each."""
    frame = pl.DataFrame({"data": external_ids.cast(pl.Binary)})
    size = pl.col("data").bin.size()
    longest = frame.select(size.max()).item() or 0
    padded = pl.col("data") + pl.lit(b"\0" * _WORD)
    frame = frame.select(size.cast(pl.UInt64).alias("size"), padded.alias("data")).with_columns(
        _mixed_column(pl.lit(_FIRST, pl.UInt64), pl.col("size")).alias("key")
    )
    for start in range(0, longest, _WORD):
        longer = pl.col("size") > start
        data = pl.when(longer).then(pl.col("data").bin.slice(start, _WORD)).otherwise(pl.lit(b"\0" * _WORD))
        word = data.bin.reinterpret(dtype=pl.UInt64, endianness="little")
        frame = frame.with_columns(
            pl.when(longer).then(_mixed_column(pl.col("key"), word)).otherwise("key").alias("key")
        )
    return frame.get_column("key").reinterpret(signed=True)


def _mixed(state: int, word: int) -> int:
    state ^= word
    for factor in _BY:
        state = state * factor & _MASK
        state ^= state >> _SHIFT
    return state


def _mixed_column(state: pl.Expr, word: pl.Expr) -> pl.Expr:
    mixed = state ^ word
    for factor in _BY:
        mixed = mixed * pl.lit(factor, pl.UInt64)
        mixed = mixed ^ (mixed // pl.lit(1 << _SHIFT, pl.UInt64))
    return mixed
