"""Positions as `selection.positions` packs them: four bytes each, the largest byte first."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence

from todoke.model.ids import SELECTED, address

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


def by_run(message_ids: Iterable[int], plain: dict[int, int]) -> dict[tuple[int, int], list[int]]:
    """The ordinals of these messages that only a selection can tell the contact of, by bucket and run; those that are
    positions go into `plain`, by message id.
    """
    found: dict[tuple[int, int], list[int]] = {}
    for message_id in message_ids:
        bucket, run_id, ordinal = address(message_id)
        if ordinal < SELECTED:
            plain[message_id] = ordinal
        else:
            found.setdefault((bucket, run_id), []).append(ordinal)
    return found
