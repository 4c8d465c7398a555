"""Replies in: store them, act on STOP and START, tell the lanes, acknowledge. In this order.

The do-not-call entry is committed before the provider hears that we have the reply: whatever dies in between, the
provider sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from todoke.compliance.keywords import Meaning, read
from todoke.model.clock import Clock
from todoke.providers.base import Heard, Provider
from todoke.store.hot.base import Hot, InboundPart, OptOut, StoreUnavailable

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_MOST = 256
_RETRY = 0.5


class Address(NamedTuple):
    """Whose a transport code is, and where an opt-out to it goes."""

    bucket: int
    business_unit_id: int
    transport_code_id: int
    dnc_group_id: int
    keywords: Mapping[str, Sequence[str]]


class AddressBook(Protocol):
    """Who a code belongs to at a provider; None where no transport code is called so."""

    async def find(self, provider_id: int, code: str) -> Address | None: ...


class Stops(Protocol):
    """Where a fresh opt-out is pushed, so that nothing reserved goes to the number any more."""

    def add(self, group: int, phone: int, now: int) -> None: ...

    def lift(self, group: int, phone: int) -> None: ...


class Inbox:
    """`heard` from the event loop; `run` until cancelled."""

    def __init__(
        self, hot: Hot, providers: Mapping[int, Provider], book: AddressBook, stops: Stops, clock: Clock
    ) -> None:
        self._hot = hot
        self._providers = providers
        self._book = book
        self._stops = stops
        self._clock = clock
        self._waiting: list[tuple[int, Heard]] = []
        self._woken = asyncio.Event()

    def heard(self, provider_id: int, heard: Sequence[Heard]) -> None:
        """A phone says something."""
        self._waiting.extend([(provider_id, one) for one in heard])
        self._woken.set()

    async def run(self) -> None:
        """Store what is heard, in the order in which it came."""
        while True:
            await self._woken.wait()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            if not self._waiting:
                self._woken.clear()
            if batch:
                await self._take(batch)

    async def _patiently(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Each step until it is done: what is stored already is not stored a second time because the next one fails."""
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                _log.error("replies cannot be stored: %s", error, extra={"action": "inbox"})
                await asyncio.sleep(_RETRY)

    async def _find(self, batch: Sequence[tuple[int, Heard]]) -> list[Address | None]:
        return [await self._book.find(provider_id, one.destination) for provider_id, one in batch]

    async def _take(self, batch: Sequence[tuple[int, Heard]]) -> None:
        addresses = await self._patiently(lambda: self._find(batch))
        now = self._clock.now()
        parts = [
            _part(provider_id, one, address, now) for (provider_id, one), address in zip(batch, addresses, strict=True)
        ]
        stored = await self._patiently(lambda: self._hot.store_inbound(parts))
        changes: list[OptOut] = []
        meanings: list[tuple[int, str]] = []
        for (_, one), address, row in zip(batch, addresses, stored, strict=True):
            if row.text is None:
                meanings.append((row.id, Meaning.PART))
                continue
            meaning = read(row.text, address.keywords if address else None)
            meanings.append((row.id, meaning))
            phone = _phone(one.source)
            if meaning not in (Meaning.STOP, Meaning.START):
                continue
            if address is None or phone is None:
                _log.warning(
                    "an opt-out or opt-in cannot be applied: no registration knows the code, or it came from no number",
                    extra={"action": "opt_out_unknown", "inbound": row.id},
                )
                continue
            kind = "out" if meaning is Meaning.STOP else "in"
            changes.append(
                OptOut(
                    address.bucket,
                    address.business_unit_id,
                    address.dnc_group_id,
                    phone,
                    kind,
                    "reply",
                    row.text,
                    row.id,
                    now,
                    transport_code_id=address.transport_code_id,
                )
            )
        applied = await self._patiently(lambda: self._hot.apply_opt_outs(changes, meanings))
        for change in applied:
            if change.kind == "out":
                self._stops.add(change.dnc_group_id, change.phone, self._clock.now())
            else:
                self._stops.lift(change.dnc_group_id, change.phone)
        handles: dict[int, list[object]] = {}
        for provider_id, one in batch:
            handles.setdefault(provider_id, []).append(one.handle)
        for provider_id, of_provider in handles.items():
            provider = self._providers.get(provider_id)
            if provider is not None:  # left to another engine meanwhile: the provider says it again there
                provider.acknowledge(of_provider)


def _part(provider_id: int, one: Heard, address: Address | None, now: int) -> InboundPart:
    return InboundPart(
        address.bucket if address else 0,
        address.business_unit_id if address else None,
        provider_id,
        address.transport_code_id if address else None,
        one.source.lstrip("+"),
        one.destination.lstrip("+"),
        one.text.replace("\0", ""),
        one.reference,
        one.total,
        one.number,
        one.session,
        now,
    )


def _phone(source: str) -> int | None:
    digits = source.lstrip("+")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None
