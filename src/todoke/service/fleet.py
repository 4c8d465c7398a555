"""The providers of the catalogue, running."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
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
    """`look` starts the providers that the catalogue has and we do not run yet. `running` is shared with the stages."""

    def __init__(self, store: Store, clock: Clock, environ: Mapping[str, str] = os.environ) -> None:
        self._store = store
        self._clock = clock
        self._environ = environ
        self.running: dict[int, Provider] = {}
        self._rows: dict[int, ProviderRow] = {}
        self._faulty: dict[int, ProviderRow] = {}

    async def look(self, hub: Callable[[int], Sink]) -> None:
        """Start what is new. A declaration that cannot be used is said once, and does not stop the others."""
        async with self._store.reading() as connection:
            rows = await catalogue.every(connection)
        for row in rows:
            known = self._rows.get(row.id)
            if known is None and self._faulty.get(row.id) != row:
                try:
                    provider = _build(row, self._clock, self._environ)
                except TodokeError as error:
                    self._faulty[row.id] = row
                    _log.error("%s", error, extra={"action": "provider_faulty", "provider": row.name})
                    continue
                await provider.start(hub(row.id))
                self.running[row.id] = provider
                self._rows[row.id] = row
            elif known is not None and known != row:
                self._rows[row.id] = row
                _log.warning(
                    "provider %s was declared anew: start the engine again for its new settings",
                    row.name,
                    extra={"action": "provider_changed", "provider": row.name},
                )

    async def drain(self, seconds: float) -> None:
        """Wait for answers to what was submitted."""
        for provider in self.running.values():
            await provider.drain(seconds)

    async def stop(self) -> None:
        for provider in self.running.values():
            await provider.stop()


def _build(row: ProviderRow, clock: Clock, environ: Mapping[str, str]) -> Provider:
    return SmppProvider(row.id, row.name, resolve(row.name, row.settings, KINDS[row.kind], environ), clock)
