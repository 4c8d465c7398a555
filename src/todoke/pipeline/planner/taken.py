"""Which positions of a list a run has given a message already: a bit for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.model.ids import SELECTED
from todoke.store.hot.base import Hot
from todoke.store.hot.selecting import OpenSelection

_BLOCKS = 5_000
_ORDINALS = 32_768


class Taken:
    """Positions 0 to size - 1, none of them taken at first."""

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self._size = size

    def take(self, positions: Iterable[int]) -> None:
        bits, size = self._bits, self._size
        for position in positions:
            if position < size:
                bits[position >> 3] |= 1 << (position & 7)

    def free(self, positions: Sequence[int]) -> list[int]:
        """Those of these positions that are not taken."""
        bits = self._bits
        return [position for position in positions if not bits[position >> 3] >> (position & 7) & 1]


async def taken_of(hot: Hot, selection: OpenSelection) -> Taken:
    """What engines have taken of the run, by whatever selection, and what is in this one. Nobody is texted twice."""
    bucket, run_id, _ = selection.key
    found = Taken(selection.size)
    last_seen = -1
    while blocks := await hot.taken_positions(bucket, run_id, last_seen, _BLOCKS):
        for first, last in _joined(blocks):
            await _take(hot, found, bucket, run_id, first, last)
        last_seen = blocks[-1][0]
    if selection.next_ordinal > selection.first_ordinal:
        await _take(hot, found, bucket, run_id, selection.first_ordinal, selection.next_ordinal - 1)
    return found


async def _take(hot: Hot, found: Taken, bucket: int, run_id: int, first: int, last: int) -> None:
    if first < SELECTED:
        found.take(range(first, last + 1))
        return
    for start in range(first, last + 1, _ORDINALS):
        places = await hot.selected(bucket, run_id, start, min(start + _ORDINALS - 1, last))
        found.take(places.values())


def _joined(blocks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ordinals in as few ranges as may be; positions and places in a selection are never in one."""
    joined: list[tuple[int, int]] = []
    for first, last in blocks:
        if joined and joined[-1][1] + 1 == first != SELECTED:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
