"""The providers of the catalogue, running."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from todoke.model.clock import Clock
from todoke.model.errors import TodokeError
from todoke.model.provider_kind import resolve
from todoke.providers.base import Failure, Heard, Provider, Sink, Word
from todoke.providers.kinds import KINDS
from todoke.providers.smpp.provider import SmppProvider
from todoke.store.catalogue import providers as catalogue
from todoke.store.catalogue.providers import ProviderRow
from todoke.store.store import Store

_log = logging.getLogger(__name__)


class LaneSide(Protocol):
    def accepted(self, provider_id: int, tokens: list[object], provider_message_ids: list[str]) -> None: ...
    def failed(self, provider_id: int, failures: Sequence[Failure]) -> None: ...
    def resolved(self, provider_id: int, token: object, provider_message_id: str, failure: Failure | None) -> None: ...
    def writable(self, provider_id: int) -> None: ...


class ReceiptSide(Protocol):
    def words(self, provider_id: int, words: Sequence[Word]) -> None: ...


class InboxSide(Protocol):
    def heard(self, provider_id: int, heard: Sequence[Heard]) -> None: ...


class Hub:
    """What one provider says, handed to the stage whose business it is."""

    def __init__(self, provider_id: int, lanes: LaneSide, receipts: ReceiptSide, inbox: InboxSide) -> None:
        self._id = provider_id
        self._lanes = lanes
        self._receipts = receipts
        self._inbox = inbox

    def accepted(self, tokens: list[object], provider_message_ids: list[str]) -> None:
        self._lanes.accepted(self._id, tokens, provider_message_ids)

    def failed(self, failures: Sequence[Failure]) -> None:
        self._lanes.failed(self._id, failures)

    def resolved(self, token: object, provider_message_id: str, failure: Failure | None) -> None:
        self._lanes.resolved(self._id, token, provider_message_id, failure)

    def words(self, words: Sequence[Word]) -> None:
        self._receipts.words(self._id, words)

    def heard(self, heard: Sequence[Heard]) -> None:
        self._inbox.heard(self._id, heard)

    def writable(self) -> None:
        self._lanes.writable(self._id)


class Fleet:
    """The links of the provider accounts that this engine has. `running` is shared with the stages."""

    def __init__(
        self, store: Store, clock: Clock, hub: Callable[[int], Sink], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._environ = environ
        self.running: dict[int, Provider] = {}
        self._rows: dict[int, ProviderRow] = {}
        self._faulty: dict[int, ProviderRow] = {}
        self._changed: set[int] = set()
        self._generation = 0

    async def keep(self, wanted: Collection[int], spare: Collection[int] = ()) -> None:
        """Start what is wanted and does not run; stop what is not wanted any more, but for `spare`. A declaration that
        cannot be used is said once, and does not stop the others.
        """
        for provider_id in self.running.keys() - wanted - {*spare}:
            await self.close(provider_id, 0.0)
        async with self._store.reading() as connection:
            rows = await catalogue.every(connection)
        for row in rows:
            if row.id not in wanted:
                continue
            known = self._rows.get(row.id)
            if known is None and self._faulty.get(row.id) != row:
                self._generation += 1
                try:
                    provider = _build(row, self._clock, self._environ, self._generation)
                except TodokeError as error:
                    self._faulty[row.id] = row
                    _log.error("%s", error, extra={"action": "provider_faulty", "provider": row.name})
                    continue
                self._faulty.pop(row.id, None)
                await provider.start(self._hub(row.id))
                self.running[row.id] = provider
                self._rows[row.id] = row
            elif known is not None and known != row and row.id not in self._changed:
                self._changed.add(row.id)
                _log.info(
                    "provider %s was declared anew: its links are opened again",
                    row.name,
                    extra={"action": "provider_changed", "provider": row.name},
                )

    def faulty(self) -> Collection[int]:
        """Those whose declaration cannot be used here."""
        return self._faulty.keys() - self.running.keys()

    def changed(self) -> Collection[int]:
        """Those that were declared anew since they were started."""
        return self._changed

    async def close(self, provider_id: int, seconds: float) -> None:
        """Wait so long for answers, then close the links of one."""
        provider = self.running.get(provider_id)
        if provider is not None:
            if seconds:
                await provider.drain(seconds)
            await provider.stop()
            if self.running.get(provider_id) is provider:
                del self.running[provider_id]
        self._rows.pop(provider_id, None)
        self._changed.discard(provider_id)

    async def drain(self, seconds: float) -> None:
        """Wait for answers to what was submitted."""
        await asyncio.gather(*(provider.drain(seconds) for provider in self.running.values()))

    async def stop(self) -> None:
        await asyncio.gather(*(provider.stop() for provider in self.running.values()))


def _build(row: ProviderRow, clock: Clock, environ: Mapping[str, str], generation: int) -> Provider:
    settings = resolve(row.name, row.settings, KINDS[row.kind], environ)
    return SmppProvider(row.id, row.name, settings, clock, generation=generation)
