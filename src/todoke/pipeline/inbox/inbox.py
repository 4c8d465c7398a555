"""Replies in: store them, read them, act on them, tell the lanes, acknowledge. In this order.

The do-not-call entry, and with it the confirmation, is committed before the provider hears that we have the reply:
whatever dies in between, the provider sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from todoke.compliance.reading import read
from todoke.model.clock import Clock, Micros
from todoke.model.errors import TodokeError
from todoke.model.meaning import Meaning
from todoke.pipeline.inbox.address import Address, AddressBook, Runs
from todoke.providers.base import Heard, Provider
from todoke.store.hot.base import Done, Hot, InboundPart, RunEnded, Said, StoredInbound, StoreUnavailable
from todoke.store.hot.replies import Answers

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_MOST = 256
_RETRY = 0.5


class Stops(Protocol):
    """Where a fresh opt-out is pushed, so that nothing reserved goes to the number any more."""

    def add(self, group: int, phone: int, now: int) -> None: ...

    def lift(self, group: int, phone: int) -> None: ...


class Inbox:
    """`wake` says that there is something to send. `heard` from the event loop; `run` until cancelled."""

    def __init__(
        self,
        hot: Hot,
        providers: Mapping[int, Provider],
        book: AddressBook,
        stops: Stops,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._hot = hot
        self._providers = providers
        self._book = book
        self._stops = stops
        self._clock = clock
        self._wake = wake
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
        done = await self._patiently(lambda: self._act(batch, addresses, stored, now))
        for one in done:
            for group, phone, kind in one.numbers:
                if kind == "out":
                    self._stops.add(group, phone, self._clock.now())
                else:
                    self._stops.lift(group, phone)
        if any(one.message_id is not None for one in done):
            self._wake()
        handles: dict[int, list[object]] = {}
        for provider_id, one in batch:
            handles.setdefault(provider_id, []).append(one.handle)
        for provider_id, of_provider in handles.items():
            provider = self._providers.get(provider_id)
            if provider is not None:  # left to another engine meanwhile: the provider says it again there
                provider.acknowledge(of_provider)

    async def _act(
        self,
        batch: Sequence[tuple[int, Heard]],
        addresses: Sequence[Address | None],
        stored: Sequence[StoredInbound],
        now: Micros,
    ) -> list[Done]:
        """What the whole texts among these mean takes effect, all of it or nothing."""
        replies: list[Said] = []
        for anew in (False, True):
            runs: dict[int, Runs | None] = {}
            replies = []
            for (_, one), address, row in zip(batch, addresses, stored, strict=True):
                said = _read(one, address, row, now)
                if said.answers is not None and address is not None:
                    if address.transport_code_id not in runs:
                        runs[address.transport_code_id] = await self._runs(address, anew=anew)
                    said = _with_runs(said, runs[address.transport_code_id])
                replies.append(said)
            try:
                return await self._hot.apply_replies(replies)
            except RunEnded:
                continue  # somebody stopped the run of the answers: another one takes its place
        # Whoever stops runs faster than they are made: the opt-outs count all the same.
        return await self._hot.apply_replies([said._replace(answers=None) for said in replies])

    async def _runs(self, address: Address, *, anew: bool) -> Runs | None:
        """Where answers go; None where that cannot be had: an opt-out does not wait for its confirmation."""
        try:
            return await self._book.runs(address, anew=anew)
        except StoreUnavailable:
            raise
        except TodokeError as error:
            extra = {"action": "answer_impossible", "transport_code": address.transport_code_id}
            _log.error("replies to a code cannot be answered: %s", error, extra=extra)
            return None


def _read(one: Heard, address: Address | None, row: StoredInbound, now: Micros) -> Said:
    """What the reply says. Its answers have their texts already, and no runs yet."""
    phone = _phone(one.source)
    bucket = address.bucket if address else 0
    unit = address.business_unit_id if address else None
    code = address.transport_code_id if address else None
    said = Said(bucket, unit, code, phone, row.id, Meaning.PART, row.text or "", now, now)
    if row.text is None:
        return said
    reading = read(row.text, address.keywords if address else None)
    said = said._replace(meaning=reading.meaning, lifting=reading.lifting)
    targets = address.targets if address else ()
    if reading.meaning in (Meaning.STOP, Meaning.REVIEW) and (phone is None or not targets):
        _log.warning(
            "an opt-out cannot be applied: no registration knows the code, or it came from no number",
            extra={"action": "opt_out_unknown", "inbound": row.id},
        )
        return said._replace(reason="It cannot be applied: the code is not known, or it came from no number.")
    if reading.meaning is Meaning.REVIEW:
        return said._replace(targets=targets, reason=reading.why)
    if reading.meaning not in (Meaning.STOP, Meaning.START, Meaning.HELP) or address is None:
        return said
    text = address.answering.text(reading.meaning, reading.languages)
    if text is None:
        return said._replace(targets=targets, narrow=address.narrow)
    texts = {kind: text if kind is reading.meaning else None for kind in (Meaning.STOP, Meaning.START, Meaning.HELP)}
    return said._replace(targets=targets, narrow=address.narrow, answers=Answers(0, 0, *texts.values()))


def _with_runs(said: Said, runs: Runs | None) -> Said:
    if said.answers is None or runs is None:
        return said._replace(answers=None)
    return said._replace(answers=said.answers._replace(run_id=runs.scrubbed, exempt_run_id=runs.exempt))


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
    return int(digits) or None if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None
