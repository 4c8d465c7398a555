"""From what a provider reports to rows, and only then the acknowledgement.

A receipt that matches nothing is stored too, and matched again when its submission's result comes: nothing a
provider says is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from todoke.model.clock import SECOND, Micros
from todoke.model.event import Kind
from todoke.model.maker import maker
from todoke.providers.base import Provider, Word
from todoke.store.hot.base import Flush, Flushed, Receipt

_make_receipt = maker(Receipt)
_DELIVERED, _UNDELIVERED = int(Kind.DELIVERED), int(Kind.UNDELIVERED)  # an enumeration's members cost a call each time
_MOST = 4_096
"""Receipts that go with one flush; the rest waits for the next one, unacknowledged."""

_URGENT = 64
"""So many unacknowledged may be all that the provider lets be on the way: it waits for us."""


_LOOK = 5 * SECOND
"""A receipt may come over another engine's link, before this engine has stored the answer to its submission: neither
of the two finds the other's row. So each engine looks at what waits every so often, also when it has nothing to say.
"""


class Receipts:
    """A participant of the flush."""

    def __init__(self, providers: Mapping[int, Provider], wake: Callable[[bool], None]) -> None:
        self._providers = providers
        self._wake = wake
        self._waiting: list[tuple[int, Word]] = []
        self._under_way: list[tuple[int, Word]] = []
        self._looked_at: Micros = 0

    def words(self, provider_id: int, words: Sequence[Word]) -> None:
        """A provider reports."""
        self._waiting.extend([(provider_id, word) for word in words])
        self._wake(len(self._waiting) >= _URGENT)

    def prepare(self, flush: Flush) -> None:
        if flush.now - self._looked_at >= _LOOK:
            self._looked_at = flush.now
            flush.orphans = True
        self._under_way, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        flush.receipts.extend(
            [
                _make_receipt(
                    (
                        provider_id,
                        word.provider_message_id,
                        _DELIVERED if word.delivered else _UNDELIVERED,
                        word.at,
                        word.reason,
                        word.raw,
                        word.phone,
                        word.code,
                        word.reference,
                    )
                )
                for provider_id, word in self._under_way
            ]
        )

    def committed(self, flush: Flush, flushed: Flushed) -> None:  # noqa: ARG002
        handles: dict[int, list[object]] = {}
        last, of_last = -1, list[object]()
        for provider_id, word in self._under_way:
            if provider_id != last:  # neighbours mostly share it
                last, of_last = provider_id, handles.setdefault(provider_id, [])
            of_last.append(word.handle)
        self._under_way = []
        for provider_id, of_provider in handles.items():
            provider = self._providers.get(provider_id)
            if provider is not None:  # left to another engine meanwhile: the provider says it again there
                provider.acknowledge(of_provider)
        if self._waiting:
            self._wake(True)
