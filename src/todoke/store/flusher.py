"""The flush loop: one transaction at a time for everything an engine has to say, and the same one again until it is
known to be in.

Participants add to a flush and are told when it is committed. What one participant adds rides on the commit of the
others: the size of the batch is what makes it fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from todoke.model.clock import Clock
from todoke.store.hot.base import Flush, Flushed, Hot, StoreUnavailable

_log = logging.getLogger(__name__)

_BREATH = 0.001  # seconds between two flushes at the least, for what is on its way to join the second
_FEW = 200  # messages and lanes in a flush: with no more, commits may be rarer, and cost hundreds of slow lanes less
_CALMER = 4.0
_RETRY = (0.05, 0.1, 0.25, 0.5, 1.0)


class Participant(Protocol):
    """A stage that writes through the engine's flush."""

    def prepare(self, flush: Flush) -> None:
        """Add what there is; it must keep nothing back that it could not add again after `committed`."""
        ...

    def committed(self, flush: Flush, flushed: Flushed) -> None:
        """What was added is stored."""
        ...


class Flusher:
    """`run` until cancelled. `interval` is the least time between two flushes in seconds, `idle` the longest without a
    look.
    """

    def __init__(
        self,
        hot: Hot,
        engine_id: int,
        clock: Clock,
        participants: Sequence[Participant],
        noted: Callable[[int], None],
        *,
        interval: float = 0.02,
        idle: float = 0.25,
    ) -> None:
        self._hot = hot
        self._engine_id = engine_id
        self._clock = clock
        self._participants = participants
        self._noted = noted
        self._interval = interval
        self._idle = idle
        self.seq = 0  # of the last flush that is in
        self._woken = asyncio.Event()
        self._few = True
        self._urgent = asyncio.Event()
        self._stopping = False
        self.unavailable: str | None = None  # what the database said, while it does not answer

    def wake(self, *, urgent: bool = False) -> None:
        """There is something to write; `urgent` where somebody waits for the commit before going on."""
        self._woken.set()
        if urgent:
            self._urgent.set()

    def finish(self) -> None:
        """Let `run` return after the flush under way."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Flush whenever there is something, at most every `interval`, and less often where there is little; at once
        when it is urgent.
        """
        clock = self._clock
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._idle)
            self._woken.clear()
            self._urgent.clear()
            started = clock.monotonic()
            await self.once()
            await asyncio.sleep(_BREATH)
            interval = self._interval * _CALMER if self._few else self._interval
            rest = interval - (clock.monotonic() - started)
            if rest > 0 and not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), rest)

    async def once(self) -> bool:
        """One flush, if there is anything to write; whether there was."""
        flush = Flush(self._engine_id, self.seq + 1, self._clock.now())
        for participant in self._participants:
            participant.prepare(flush)
        if not flush:
            return False
        fresh = sum(len(group.message_ids) for group in flush.fresh)
        self._few = fresh + len(flush.events) + len(flush.receipts) + len(flush.reserves) + len(flush.leases) < _FEW
        flushed = await self._until_known(flush)
        self.seq += 1
        self._noted(self.seq)
        for participant in self._participants:
            participant.committed(flush, flushed)
        return True

    async def _until_known(self, flush: Flush) -> Flushed:
        attempt = 0
        while True:
            try:
                flushed = await self._hot.flush(flush)
            except StoreUnavailable as error:
                if self.unavailable is None:
                    _log.error("the database does not answer: %s", error, extra={"action": "flush"})
                self.unavailable = str(error)
                await asyncio.sleep(_RETRY[min(attempt, len(_RETRY) - 1)])
                attempt += 1
            else:
                if self.unavailable is not None:
                    _log.warning("the database answers again", extra={"action": "flush"})
                    self.unavailable = None
                return flushed
