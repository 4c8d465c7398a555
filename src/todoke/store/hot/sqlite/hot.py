"""The hot operations on SQLite."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from sqlite3 import Connection

from todoke.model.clock import Clock, Micros
from todoke.model.event import Event, Folded
from todoke.model.run import RunEvent, RunState
from todoke.store.hot.base import (
    BlockKey,
    Check,
    Choice,
    Contact,
    Doubt,
    DueKey,
    DueRow,
    EngineRow,
    Flush,
    Flushed,
    Guard,
    Held,
    Hint,
    InboundPart,
    Lane,
    NewRun,
    OpenBlock,
    OpenIntent,
    OpenRun,
    OptOut,
    Sharing,
    StoredInbound,
)
from todoke.store.hot.checking import no_key
from todoke.store.hot.correlation import Correlation
from todoke.store.hot.deciding import CHUNK
from todoke.store.hot.doubts import RECENT, unique
from todoke.store.hot.forwarding import Span
from todoke.store.hot.matching import Matching, Surprise
from todoke.store.hot.orphans import Orphans
from todoke.store.hot.passing import Passed
from todoke.store.hot.replies import Done, Said
from todoke.store.hot.selecting import Added, Apply, OpenSelection, Selecting, SelectionKey
from todoke.store.hot.singles import Single
from todoke.store.hot.sqlite import (
    checks,
    contacts,
    controlling,
    doubts,
    engines,
    flushing,
    forwarding,
    guards,
    hints,
    inbound,
    looking,
    readings,
    recovery,
    resolving,
    selected,
    selecting,
    starting,
)
from todoke.store.hot.sqlite import opt_outs as opting
from todoke.store.hot.sqlite import replies as replying
from todoke.store.hot.sqlite import singles as posting
from todoke.store.hot.sqlite.fence import pass_fence
from todoke.store.writer import Reader, Writer


class SqliteHot:
    """Hot on one file: writes on the one writer thread, reads beside it."""

    def __init__(self, writer: Writer, reader: Reader, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._turn = asyncio.Lock()
        self._correlation = Correlation()
        self._orphans = Orphans()
        self._hashed: Callable[[int], int] = no_key

    async def close(self) -> None:
        """Wait for a flush that runs."""
        async with self._turn:
            pass

    # engines and lanes

    async def database_now(self) -> Micros:
        return time.time_ns() // 1000

    async def register_engine(
        self, host: str, boot_id: str, pid: int, journal: str, now: Micros, lease_until: Micros
    ) -> int:
        return await self._writer.run(lambda db: engines.register(db, host, boot_id, pid, journal, now, lease_until))

    async def renew_engine(self, engine_id: int, lease_until: Micros) -> bool:
        return await self._writer.run(lambda db: engines.renew(db, engine_id, lease_until))

    async def engines(self, state: str) -> list[EngineRow]:
        return await self._reader.run(lambda db: engines.list_engines(db, state))

    async def mark_engine(self, engine_id: int, old: str, new: str) -> bool:
        return await self._writer.run(lambda db: engines.mark(db, engine_id, old, new))

    async def sharing(self, now: Micros) -> Sharing:
        return await self._writer.run(lambda db: engines.sharing(db, now))

    async def take_lanes(
        self, engine_id: int, now: Micros, margin: Micros, providers: Collection[int] | None = None
    ) -> list[Lane]:
        return await self._writer.run(lambda db: engines.take(db, engine_id, now, margin, providers))

    async def release_lanes(self, engine_id: int, provider_id: int | None = None) -> None:
        await self._writer.run(lambda db: engines.release(db, engine_id, provider_id))

    async def hints(self, heard: Callable[[Hint], None]) -> None:
        await hints.watch(self._writer, heard)

    # the flush

    async def flush(self, flush: Flush) -> Flushed:
        # A caller that is cancelled does not cut a transaction in two: it runs to its end, the next one waits.
        running = asyncio.ensure_future(self._flush(flush))
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(running)

    async def _flush(self, flush: Flush) -> Flushed:
        async with self._turn:
            try:
                return await self._attempt(flush, careful=False)
            except Surprise:
                return await self._attempt(flush, careful=True)

    async def _attempt(self, flush: Flush, *, careful: bool) -> Flushed:
        matching = Matching(flush, self._correlation, careful=careful)
        try:
            flushed, touched, passed = await self._writer.run(partial(self._apply, flush, matching, careful))
        except BaseException:
            matching.roll_back()
            self._orphans.reset()
            raise
        if passed is Passed.ALONE:
            matching.commit(touched)
        else:
            self._correlation.clear()  # others write events too: what is known by heart may be wrong
        return flushed

    def _apply(
        self, flush: Flush, matching: Matching, careful: bool, db: Connection
    ) -> tuple[Flushed, list[Event], Passed]:
        passed = pass_fence(db, flush)
        if passed is Passed.BEFORE:
            return flushing.read_again(db, flush, self._hashed), [], passed
        if passed is Passed.AMONG_OTHERS and not careful:
            raise Surprise
        touched, early = flushing.record(db, flush, matching, self._orphans, careful=careful)
        flushed = flushing.take(db, flush, self._hashed)
        flushed.orphans = early
        return flushed, touched, passed

    # runs

    async def start_run(self, run: NewRun) -> int:
        return await self._writer.run(lambda db: starting.start(db, run))

    async def open_runs(self, transport_code_ids: Sequence[int]) -> list[OpenRun]:
        return await self._reader.run(lambda db: starting.open_runs(db, transport_code_ids))

    async def control_run(self, bucket: int, run_id: int, event: RunEvent, reason: str, now: Micros) -> RunState:
        if event is RunEvent.RESUME:
            while await self._writer.run(lambda db: controlling.free(db, bucket, run_id)):
                pass
        state = await self._writer.run(lambda db: controlling.control(db, bucket, run_id, event, reason, now))
        if state is RunState.PAUSED:
            while await self._writer.run(lambda db: controlling.park(db, bucket, run_id)):
                pass
        if state is RunState.STOPPING:
            await self._cut_due(bucket, run_id, "stopped", now)
        return state

    async def expire_runs(self, now: Micros) -> int:
        touched = 0
        for bucket, run_id in await self._reader.run(lambda db: controlling.find(db, controlling.EXPIRED, now)):
            if await self._writer.run(lambda db, b=bucket, r=run_id: controlling.expire(db, b, r, now)):
                await self._cut_due(bucket, run_id, "expired", now)
                touched += 1
        return touched

    async def settle_runs(self, now: Micros) -> list[tuple[int, int, RunState]]:
        for bucket, run_id in await self._reader.run(lambda db: controlling.find(db, controlling.LEFT)):
            await self._cut_due(bucket, run_id, "stopped", now)
        settled: list[tuple[int, int, RunState]] = []
        for bucket, run_id in await self._reader.run(lambda db: controlling.find(db, controlling.AT_END)):
            state = await self._writer.run(lambda db, b=bucket, r=run_id: controlling.settle(db, b, r, now))
            if state is not None:
                settled.append((bucket, run_id, state))
        return settled

    async def _cut_due(self, bucket: int, run_id: int, reason: str, now: Micros) -> None:
        while await self._writer.run(lambda db: controlling.cut_due(db, bucket, run_id, reason, now)):
            pass

    async def bring_forward(self, span: Span, now: Micros) -> int:
        return await self._writer.run(lambda db: forwarding.forward(db, span, now))

    # selections

    async def selections_to_make(self, now: Micros) -> list[SelectionKey]:
        return await self._reader.run(lambda db: selecting.to_make(db, now))

    async def claim_selection(self, key: SelectionKey, maker: str, now: Micros) -> OpenSelection | None:
        return await self._writer.run(lambda db: selecting.claim(db, key, maker, now))

    async def keep_selection(self, selection: OpenSelection, now: Micros) -> bool:
        return await self._writer.run(lambda db: selecting.keep(db, selection, now))

    async def add_to_selection(self, selection: OpenSelection, added: Added, now: Micros) -> OpenSelection | None:
        if added.made:
            while await self._writer.run(lambda db: selecting.free(db, selection)):
                pass
        return await self._writer.run(lambda db: selecting.add(db, selection, added, now))

    async def taken_positions(self, bucket: int, run_id: int, after: int, limit: int) -> list[tuple[int, int]]:
        return await self._reader.run(lambda db: selecting.taken(db, bucket, run_id, after, limit))

    async def select_anew(self, bucket: int, run_id: int, wanted: Selecting, apply: Apply, now: Micros) -> bool:
        begun = await self._writer.run(lambda db: selecting.anew(db, bucket, run_id, wanted, apply, now))
        if begun and apply in (Apply.STOP, Apply.FLUSH):
            while await self._writer.run(lambda db: controlling.park(db, bucket, run_id)):
                pass
        return begun

    # contacts

    async def read_contacts(
        self, bucket: int, list_id: int, first: int, last: int, groups: tuple[int, ...]
    ) -> list[Contact]:
        return await self._reader.run(lambda db: contacts.between(db, bucket, list_id, first, last, groups))

    async def read_contacts_at(
        self, bucket: int, list_id: int, positions: Sequence[int], groups: tuple[int, ...]
    ) -> list[Contact]:
        return await self._reader.run(lambda db: contacts.at(db, bucket, list_id, positions, groups))

    async def passing(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> set[int]:
        return await self._reader.run(lambda db: selecting.passing(db, bucket, run_id, ordinals))

    async def selected(self, bucket: int, run_id: int, first: int, last: int) -> dict[int, int]:
        return await self._reader.run(lambda db: selected.between(db, bucket, run_id, first, last))

    async def selected_at(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> dict[int, int]:
        return await self._reader.run(lambda db: selected.at(db, bucket, run_id, ordinals))

    async def held_back(self, guard: Guard, messages: Sequence[tuple[int, int]]) -> dict[int, Held]:
        now = self._clock.now()
        return await self._reader.run(lambda db: guards.ask(db, guard, messages, now))

    async def barred(
        self, bucket: int, groups: tuple[int, ...], check: Check, phones: Sequence[int], now: Micros
    ) -> dict[int, str]:
        return await self._reader.run(lambda db: checks.barred(db, bucket, groups, check, phones, now, self._hashed))

    def use_key(self, hashed: Callable[[int], int]) -> None:
        self._hashed = hashed

    async def listed(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        return await self._reader.run(lambda db: looking.listed(db, pairs))

    # recovery

    async def open_blocks(self, engine_id: int) -> list[OpenBlock]:
        return await self._reader.run(lambda db: recovery.open_blocks(db, engine_id))

    async def open_intents(self, engine_id: int) -> list[OpenIntent]:
        return await self._reader.run(lambda db: recovery.open_intents(db, engine_id))

    async def events_between(self, first_message_id: int, last_message_id: int) -> list[Event]:
        return await self._reader.run(lambda db: recovery.events_between(db, first_message_id, last_message_id))

    async def recover_block(
        self,
        key: BlockKey,
        dead_engine_id: int,
        due: Sequence[DueRow],
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        now = self._clock.now()
        return self._recovered(
            await self._writer.run(lambda db: recovery.recover_block(db, key, dead_engine_id, due, events, doubts, now))
        )

    async def recover_intent(
        self,
        key: DueKey,
        dead_engine_id: int,
        due: DueRow | None,
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        now = self._clock.now()
        rows = [] if due is None else [due]
        return self._recovered(
            await self._writer.run(
                lambda db: recovery.recover_intent(db, key, dead_engine_id, rows, events, doubts, now)
            )
        )

    def _recovered(self, touched: list[Event] | None) -> bool:
        self._correlation.forget(touched or ())
        return touched is not None

    # doubts: no message that has one is known by heart, so nothing is to be forgotten

    async def resend_doubts(self, now: Micros) -> int:
        resent = 0
        for bucket, run_id in await self._reader.run(lambda db: resolving.ripe_runs(db, now)):
            more = True
            while more:
                count, more = await self._writer.run(lambda db, b=bucket, r=run_id: resolving.resend(db, b, r, now))
                resent += count
        return resent

    async def match_doubts(self, provider_id: int, now: Micros, before: Micros) -> int:
        found = await self._reader.run(lambda db: doubts.recent(db, provider_id, now - RECENT))
        numbers = [number for number, pairs in found.items() if unique(pairs, before)]
        matched = 0
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            matched += await self._writer.run(lambda db, n=some: resolving.match(db, provider_id, n, before))
        return matched

    async def resolve_doubts(
        self, bucket: int, run_id: int, message_ids: Sequence[int], choice: Choice, reason: str, now: Micros
    ) -> int:
        return await self._writer.run(
            lambda db: resolving.resolve(db, bucket, run_id, message_ids, choice, reason, now)
        )

    # what phones say

    async def store_inbound(self, parts: Sequence[InboundPart]) -> list[StoredInbound]:
        return await self._writer.run(lambda db: inbound.store(db, parts))

    async def apply_opt_outs(self, opt_outs: Sequence[OptOut], meanings: Sequence[tuple[int, str]]) -> list[OptOut]:
        now = self._clock.now()

        def apply(db: Connection) -> list[OptOut]:
            applied = opting.apply(db, opt_outs, now)
            checks.lift(db, opt_outs, self._hashed)
            inbound.set_meanings(db, meanings)
            return applied

        return await self._writer.run(apply)

    async def apply_replies(self, replies: Sequence[Said]) -> list[Done]:
        return await self._writer.run(lambda db: replying.apply(db, replies, self._hashed))

    async def post(self, singles: Sequence[Single]) -> list[int]:
        return await self._writer.run(lambda db: posting.post(db, singles))

    # readings

    async def message_states(
        self, bucket: int, run_id: int, first_ordinal: int, limit: int
    ) -> list[tuple[int, Folded]]:
        return await self._reader.run(lambda db: readings.message_states(db, bucket, run_id, first_ordinal, limit))
