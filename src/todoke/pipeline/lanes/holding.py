"""An engine's lease as it knows it itself: by its own monotonic clock, counted from before the request to renew."""

from __future__ import annotations

from todoke.model.clock import SECOND, Clock, Micros
from todoke.store.hot.base import EngineLost, Hot

_MARGIN = 0.5  # seconds before the lease's end at which it is not certain any more


class Holding:
    """Renew it about every third of its length. Frozen for longer than the lease, an engine finds it uncertain when it
    wakes.
    """

    def __init__(self, hot: Hot, engine_id: int, clock: Clock, seconds: float, asked: float) -> None:
        self._hot = hot
        self._engine_id = engine_id
        self._clock = clock
        self.seconds = seconds
        self._until = asked + seconds  # `asked`: the moment before the engine was registered

    @property
    def certain(self) -> bool:
        """Whether this engine's lanes are certainly its own at this moment."""
        return self._clock.monotonic() < self._until - _MARGIN

    @property
    def lapses_at(self) -> Micros:
        """Until when a renewal asked for now holds."""
        return self._clock.now() + int(self.seconds * SECOND)

    async def renew(self) -> None:
        """Extend it; EngineLost when others have declared this engine dead."""
        asked = self._clock.monotonic()
        if not await self._hot.renew_engine(self._engine_id, self.lapses_at):
            raise EngineLost("This engine was taken for dead and its lanes were given away.", fix="Start it again.")
        self._until = asked + self.seconds
