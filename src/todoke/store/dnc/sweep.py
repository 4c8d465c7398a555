"""What is over is swept away, a little at a time: DNC entries that have expired, and uses that no cap counts any more.

What has expired holds no more whether it is swept or not; sweeping tells it, and keeps the tables small.
"""

from __future__ import annotations

from todoke.model.cap import LONGEST
from todoke.model.clock import HOUR, Micros
from todoke.store.dnc.uploads import dnc_store
from todoke.store.store import Store

_PIECE = 2_000
_PIECES = 50  # at a time

_START = (-1, -1, -1, -1)


class DncSweep:
    """One an engine; any number of engines may sweep side by side."""

    def __init__(self, store: Store) -> None:
        self._dnc = dnc_store(store)
        self._after = _START

    async def entries(self) -> list[tuple[int, int]]:
        """Remove entries that have expired; (group, number) of those that are gone."""
        freed: list[tuple[int, int]] = []
        for _ in range(_PIECES):
            swept = await self._dnc.expire(_PIECE)
            freed += swept.freed
            if not swept.more:
                break
        return freed

    async def uses(self, now: Micros) -> int:
        """Walk on over the uses; how many are gone. Whoever comes to the end begins anew the next time."""
        gone = 0
        for _ in range(_PIECES):
            swept = await self._dnc.forget_uses(self._after, now - LONGEST - HOUR, _PIECE)
            gone += swept.gone
            self._after = swept.after or _START
            if swept.after is None:
                break
        return gone
