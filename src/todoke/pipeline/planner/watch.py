"""Runs that are over: expired ones are counted out, settled ones end."""

from __future__ import annotations

import asyncio
import logging

from todoke.model.clock import Clock
from todoke.store.hot.base import Hot, StoreUnavailable

_log = logging.getLogger(__name__)


async def watch_runs(hot: Hot, clock: Clock, every: float = 0.5) -> None:
    """Look every so many seconds, until cancelled. Any number of engines may do this at once."""
    while True:
        try:
            await hot.expire_runs(clock.now())
            for bucket, run, state in await hot.settle_runs(clock.now()):
                _log.info("run %d is %s", run, state, extra={"action": "run_ended", "bucket": bucket, "run": run})
        except StoreUnavailable as error:
            _log.error("runs cannot be looked at: %s", error, extra={"action": "watch_runs"})
        await asyncio.sleep(every)
