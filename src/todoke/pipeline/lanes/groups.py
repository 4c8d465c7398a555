"""The bind groups of this engine: takes its share, opens their links, and leaves in order what another should have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Protocol

from todoke.model.clock import SECOND, Clock
from todoke.pipeline.lanes.sharing import divide
from todoke.store.hot.base import Hot, Lane, Sharing, StoreUnavailable

_log = logging.getLogger(__name__)

_TAKE_OVER_MARGIN = 2 * SECOND
_DRAIN = 10.0  # seconds that leaving waits for the carrier's answers
_FORGOTTEN = 5.0  # seconds
_SHUN = 60.0
_REST = 5.0  # seconds after leaving something in which nothing more is left: the others must see it first


class Links(Protocol):
    """Who opens and closes the links of provider accounts."""

    async def keep(self, wanted: Collection[int], spare: Collection[int]) -> None:
        """Open what is wanted and not open; close at once what is open, not wanted, and not to be spared."""
        ...

    def faulty(self) -> Collection[int]:
        """Those that cannot be opened here as they are declared."""
        ...

    async def close(self, provider_id: int, seconds: float) -> None:
        """Wait so long for answers to what was submitted, then close its links."""
        ...

    def changed(self) -> Collection[int]:
        """Open accounts that were declared anew since."""
        ...


class Lanes(Protocol):
    """Who runs the lanes that this engine has."""

    def have(self, rows: Sequence[Lane]) -> None:
        """These are all the lanes; any other is not ours any more."""
        ...


class Groups:
    """`look` every second or two. Raises EngineLost."""

    def __init__(self, hot: Hot, engine_id: int, clock: Clock, links: Links, lanes: Lanes) -> None:
        self._hot = hot
        self._engine_id = engine_id
        self._clock = clock
        self._links = links
        self._lanes = lanes
        self._held: set[int] = set()
        self._leaving: dict[int, asyncio.Task[None]] = {}
        self._left: set[int] = set()  # since the look under way began
        self._rest_until = 0.0
        self._free_since: dict[int, float] = {}
        self._shunned: dict[int, float] = {}  # not taken before then: it cannot be opened here
        self._stopping = False

    async def look(self) -> None:
        """Take what should be ours, begin to leave what should not."""
        if self._stopping:
            return
        self._left.clear()
        away = {*self._leaving}
        sharing = await self._hot.sharing(self._clock.now())
        division = divide(sharing.groups, sharing.engines, self._engine_id)
        wanted = {*self._held, *division.take, *self._forgotten(sharing)} - away - self._shunned.keys()
        rows = await self._hot.take_lanes(self._engine_id, self._clock.now(), _TAKE_OVER_MARGIN, wanted)
        # What was left while we looked is not ours, whatever the rows said then.
        away |= self._leaving.keys() | self._left
        before, self._held = self._held, {row.provider_id for row in rows} - away
        for provider_id in self._held - before:
            _log.info(
                "engine %d has provider %d now",
                self._engine_id,
                provider_id,
                extra={"action": "group_taken", "engine": self._engine_id, "provider": provider_id},
            )
        await self._links.keep(self._held, away)
        for provider_id in self._held & {*self._links.faulty()}:
            # Perhaps another engine can: its environment may have what ours lacks.
            self._shunned[provider_id] = self._clock.monotonic() + _SHUN
            self._held.discard(provider_id)
            await self._hot.release_lanes(self._engine_id, provider_id)
        leave = {*self._links.changed()} & self._held
        if division.leave and self._clock.monotonic() >= self._rest_until:
            leave.update({*division.leave} & self._held)
            self._rest_until = self._clock.monotonic() + _REST
        for provider_id in leave:
            self._held.discard(provider_id)
            self._leaving[provider_id] = asyncio.create_task(self._leave(provider_id))
        self._lanes.have([row for row in rows if row.provider_id in self._held])

    def _forgotten(self, sharing: Sharing) -> list[int]:
        """Groups that have been free for long: whoever should take them does not."""
        now = self._clock.monotonic()
        free = {group.provider_id for group in sharing.groups if group.owner is None}
        self._free_since = {provider_id: self._free_since.get(provider_id, now) for provider_id in free}
        self._shunned = {provider_id: until for provider_id, until in self._shunned.items() if until > now}
        return [provider_id for provider_id, since in self._free_since.items() if now - since > _FORGOTTEN]

    async def stop(self) -> None:
        """Take and leave nothing more; what is being left is given up with the rest."""
        self._stopping = True
        for task in self._leaving.values():
            task.cancel()
        await asyncio.gather(*self._leaving.values(), return_exceptions=True)

    async def _leave(self, provider_id: int) -> None:
        """Its lanes give back what they hold (`have` without them does that); the answers under way are awaited; the
        links close before another engine opens its own.
        """
        try:
            await self._links.close(provider_id, _DRAIN)
            while True:
                try:
                    await self._hot.release_lanes(self._engine_id, provider_id)
                    break
                except StoreUnavailable:
                    await asyncio.sleep(1.0)
            _log.info(
                "engine %d leaves provider %d to another",
                self._engine_id,
                provider_id,
                extra={"action": "group_left", "engine": self._engine_id, "provider": provider_id},
            )
        finally:
            self._left.add(provider_id)
            self._leaving.pop(provider_id, None)
