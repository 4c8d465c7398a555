"""An engine's lease as it knows it itself: by its own monotonic clock, counted from before the request to renew."""

from __future__ import annotations

from todoke.model.clock import SECOND, Clock, Micros
from todoke.store.hot.base import EngineLost, Hot, Rewound

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
        self._written: set[Micros] = set()  # what the database may have as our lease's end, since it last confirmed one

    @property
    def certain(self) -> bool:
        """Whether this engine's lanes are certainly its own at this moment."""
        return self._clock.monotonic() < self._until - _MARGIN

    @property
    def lapses_at(self) -> Micros:
        """Until when a renewal asked for now holds."""
        return self._clock.now() + int(self.seconds * SECOND)

    async def renew(self) -> None:
        """Extend it; EngineLost when others have declared this engine dead, Rewound where the database has forgotten
        the last renewal that it confirmed: so an engine that has nothing to send notices, too.
        """
        asked, until = self._clock.monotonic(), self.lapses_at
        if self._written and await self._forgotten():
            raise Rewound(
                f"The database has lost what it had confirmed: the lease of engine {self._engine_id} is an older one.",
                fix="Every run is paused, for a person to look at.",
            )
        if self._written:
            self._written.add(until)  # it may be written though we do not hear of it
        if not await self._hot.renew_engine(self._engine_id, until):
            raise EngineLost("This engine was taken for dead and its lanes were given away.", fix="Start it again.")
        self._until, self._written = asked + self.seconds, {until}

    async def _forgotten(self) -> bool:
        """Whether our row says what we never wrote last. Nobody else moves our lease."""
        mine = [row.lease_until for row in await self._hot.engines("alive") if row.id == self._engine_id]
        return bool(mine) and mine[0] not in self._written
