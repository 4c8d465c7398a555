"""Positions as `selection.positions` packs them: four bytes each, the largest byte first."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

WIDTH = 4
CHUNK = 8_192
"""Positions in one row at the most."""


def pack(positions: Sequence[int]) -> bytes:
    packed = array("I", positions)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def unpack(packed: bytes) -> array[int]:
    positions = array("I")
    positions.frombytes(packed)
    if sys.byteorder == "little":
        positions.byteswap()
    return positions


def of_range(rows: Sequence[tuple[int, bytes]], first: int, last: int) -> dict[int, int]:
    """By ordinal, of rows (first ordinal, positions) that hold these ordinals."""
    return {
        ordinal: position
        for start, packed in rows
        for ordinal, position in enumerate(unpack(packed), start)
        if first <= ordinal <= last
    }
