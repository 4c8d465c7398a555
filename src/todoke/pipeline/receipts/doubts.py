"""What is in doubt, looked at: sent again where its skill's policy says so, ended where a receipt can be meant for
nothing else.

A receipt that echoes its reference ends a doubt when it is stored, or when the doubt is. Here are those without one:
they must wait until everything that may have been on its way to the same number has its answer or is in doubt too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from todoke.model.clock import SECOND, Clock, Micros
from todoke.providers.base import Provider
from todoke.store.hot.base import Hot, StoreUnavailable

_log = logging.getLogger(__name__)

RESEND = 1.0  # seconds between looks at what may be sent again
MATCH = 5.0  # between looks at orphans and doubts
SHARE = 0.01  # of the time may go into those looks
SLACK = 2 * SECOND
"""For a doubt to be committed after its time-out."""


class Doubts:
    """`run` until cancelled. Any number of engines may do this at once."""

    def __init__(self, hot: Hot, providers: Mapping[int, Provider], clock: Clock, lease: float) -> None:
        self._hot = hot
        self._providers = providers
        self._clock = clock
        self._lease = lease
        self._match_at = 0.0

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                _log.error("doubts cannot be looked at: %s", error, extra={"action": "doubts"})
            await asyncio.sleep(RESEND)

    async def look(self) -> None:
        """Once; the orphans only when it is their time."""
        resent = await self._hot.resend_doubts(self._clock.now())
        if resent:
            _log.info("%d messages in doubt are sent again", resent, extra={"action": "doubts_resent"})
        started = self._clock.monotonic()
        if started >= self._match_at:
            await self.match()
            took = self._clock.monotonic() - started
            self._match_at = started + max(MATCH, took / SHARE)

    async def match(self) -> None:
        """Hold orphans and doubts of every provider against each other."""
        known = await self._complete()
        for provider_id, provider in list(self._providers.items()):
            now = self._clock.now()
            # Whatever was on its way when such an orphan came is answered or in doubt by now, or its engine's lease has
            # lapsed.
            before = now - round((provider.patience + self._lease) * SECOND) - SLACK if known else -1
            ended = await self._hot.match_doubts(provider_id, now, before)
            if ended:
                _log.info(
                    "receipts ended %d doubts", ended, extra={"action": "doubts_ended", "provider": provider.name}
                )

    async def _complete(self) -> bool:
        """Whether what every dead engine had on its way is in doubt or answered: until then none counts as the only
        one.
        """
        now: Micros = self._clock.now()
        alive = await self._hot.engines("alive")
        return not await self._hot.engines("gone") and all(engine.lease_until > now for engine in alive)
