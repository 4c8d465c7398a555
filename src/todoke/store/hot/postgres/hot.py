"""The hot operations on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

from todoke.model.clock import Micros
from todoke.model.event import Event, Folded
from todoke.model.run import RunEvent, RunState
from todoke.store.address import Address
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
from todoke.store.hot.hints import of_opt_outs, of_replies
from todoke.store.hot.matching import Matching, Surprise
from todoke.store.hot.orphans import Orphans
from todoke.store.hot.passing import Passed
from todoke.store.hot.postgres import (
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
from todoke.store.hot.postgres import opt_outs as opting
from todoke.store.hot.postgres import replies as replying
from todoke.store.hot.postgres import singles as posting
from todoke.store.hot.postgres.fence import pass_fence
from todoke.store.hot.postgres.receipts import Providers
from todoke.store.hot.postgres.session import Sessions
from todoke.store.hot.replies import Done, Said
from todoke.store.hot.selecting import Added, Apply, OpenSelection, Selecting, SelectionKey
from todoke.store.hot.singles import Single
from todoke.store.postgres import Connection


class PostgresHot:
    """Hot on a server: one session flushes, a few do the rest."""

    def __init__(self, address: Address) -> None:
        self._sessions = Sessions(address)
        self._turn = asyncio.Lock()
        self._correlation = Correlation()
        self._orphans = Orphans()
        self._hashed: Callable[[int], int] = no_key
        self._providers = Providers()
        self._alone = False  # whether only this process wrote events since the correlation began

    async def close(self) -> None:
        """Wait for a flush that runs, then close the connections."""
        async with self._turn:
            await self._sessions.close()

    # engines and lanes

    async def database_now(self) -> Micros:
        return await self._sessions.read(engines.now)

    async def register_engine(
        self, host: str, boot_id: str, pid: int, journal: str, now: Micros, lease_until: Micros
    ) -> int:
        return await self._sessions.run(lambda c: engines.register(c, host, boot_id, pid, journal, now, lease_until))

    async def renew_engine(self, engine_id: int, lease_until: Micros) -> bool:
        return await self._sessions.run(lambda c: engines.renew(c, engine_id, lease_until))

    async def engines(self, state: str) -> list[EngineRow]:
        return await self._sessions.read(lambda c: engines.list_engines(c, state))

    async def mark_engine(self, engine_id: int, old: str, new: str) -> bool:
        return await self._sessions.run(lambda c: engines.mark(c, engine_id, old, new))

    async def sharing(self, now: Micros) -> Sharing:
        return await self._sessions.read(lambda c: engines.sharing(c, now))

    async def take_lanes(
        self, engine_id: int, now: Micros, margin: Micros, providers: Collection[int] | None = None
    ) -> list[Lane]:
        return await self._sessions.run(lambda c: engines.take(c, engine_id, now, margin, providers))

    async def release_lanes(self, engine_id: int, provider_id: int | None = None) -> None:
        await self._sessions.run(lambda c: engines.release(c, engine_id, provider_id))

    async def hints(self, heard: Callable[[Hint], None]) -> None:
        await hints.listen(self._sessions.dedicated, heard)

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
            flushed, touched, passed = await self._sessions.flush(partial(self._apply, flush, matching, careful))
        except BaseException:
            matching.roll_back()
            self._orphans.reset()
            raise
        if passed is Passed.BEFORE or (passed is Passed.ALONE and not self._alone):
            self._correlation.clear()  # what others did meanwhile, or the lost answer would have taught, is not known
        if passed is not Passed.BEFORE:
            self._alone = passed is Passed.ALONE
            matching.commit(touched)
        return flushed

    async def _apply(
        self, flush: Flush, matching: Matching, careful: bool, connection: Connection
    ) -> tuple[Flushed, list[Event], Passed]:
        passed = await pass_fence(connection, flush)
        if passed is Passed.BEFORE:
            return await flushing.read_again(connection, flush, self._hashed), [], passed
        by_heart = self._alone and passed is Passed.ALONE
        touched, early = await flushing.record(
            connection, flush, matching, self._orphans, self._providers, careful=careful, by_heart=by_heart
        )
        flushed = await flushing.take(connection, flush, self._hashed)
        flushed.orphans = early
        return flushed, touched, passed

    # runs

    async def start_run(self, run: NewRun) -> int:
        async def work(connection: Connection) -> int:
            run_id = await starting.start(connection, run)
            await hints.tell(connection, Hint(work=True))
            return run_id

        return await self._sessions.run(work)

    async def open_runs(self, transport_code_ids: Sequence[int]) -> list[OpenRun]:
        return await self._sessions.read(lambda c: starting.open_runs(c, transport_code_ids))

    async def control_run(self, bucket: int, run_id: int, event: RunEvent, reason: str, now: Micros) -> RunState:
        async def work(connection: Connection) -> RunState:
            after = await controlling.control(connection, bucket, run_id, event, reason, now)
            await hints.tell(connection, Hint(work=True))
            return after

        state = await self._sessions.run(work)
        if state is RunState.STOPPING:
            await self._cut_due(bucket, run_id, "stopped", now)
        return state

    async def expire_runs(self, now: Micros) -> int:
        touched = 0
        for bucket, run_id in await self._sessions.run(lambda c: controlling.find(c, controlling.EXPIRED, now)):
            if await self._sessions.run(partial(_expire, bucket, run_id, now)):
                await self._cut_due(bucket, run_id, "expired", now)
                touched += 1
        return touched

    async def settle_runs(self, now: Micros) -> list[tuple[int, int, RunState]]:
        for bucket, run_id in await self._sessions.run(lambda c: controlling.find(c, controlling.LEFT)):
            await self._cut_due(bucket, run_id, "stopped", now)
        settled: list[tuple[int, int, RunState]] = []
        for bucket, run_id in await self._sessions.run(lambda c: controlling.find(c, controlling.AT_END)):
            state = await self._sessions.run(partial(_settle, bucket, run_id, now))
            if state is not None:
                settled.append((bucket, run_id, state))
        return settled

    async def _cut_due(self, bucket: int, run_id: int, reason: str, now: Micros) -> None:
        while await self._sessions.run(lambda c: controlling.cut_due(c, bucket, run_id, reason, now)):
            pass

    async def bring_forward(self, span: Span, now: Micros) -> int:
        return await self._sessions.run(lambda c: forwarding.forward(c, span, now))

    # selections

    async def selections_to_make(self, now: Micros) -> list[SelectionKey]:
        return await self._sessions.read(lambda c: selecting.to_make(c, now))

    async def claim_selection(self, key: SelectionKey, maker: str, now: Micros) -> OpenSelection | None:
        return await self._sessions.run(lambda c: selecting.claim(c, key, maker, now))

    async def keep_selection(self, selection: OpenSelection, now: Micros) -> bool:
        return await self._sessions.run(lambda c: selecting.keep(c, selection, now))

    async def add_to_selection(self, selection: OpenSelection, added: Added, now: Micros) -> OpenSelection | None:
        async def work(connection: Connection) -> OpenSelection | None:
            moved = await selecting.add(connection, selection, added, now)
            await hints.tell(connection, Hint(work=True))
            return moved

        return await self._sessions.run(work)

    async def taken_positions(self, bucket: int, run_id: int, after: int, limit: int) -> list[tuple[int, int]]:
        return await self._sessions.read(lambda c: selecting.taken(c, bucket, run_id, after, limit))

    async def select_anew(self, bucket: int, run_id: int, wanted: Selecting, apply: Apply, now: Micros) -> bool:
        async def work(connection: Connection) -> bool:
            begun = await selecting.anew(connection, bucket, run_id, wanted, apply, now)
            await hints.tell(connection, Hint(work=True))
            return begun

        return await self._sessions.run(work)

    # contacts

    async def read_contacts(
        self, bucket: int, list_id: int, first: int, last: int, groups: tuple[int, ...]
    ) -> list[Contact]:
        return await self._sessions.read(lambda c: contacts.between(c, bucket, list_id, first, last, groups))

    async def read_contacts_at(
        self, bucket: int, list_id: int, positions: Sequence[int], groups: tuple[int, ...]
    ) -> list[Contact]:
        return await self._sessions.read(lambda c: contacts.at(c, bucket, list_id, positions, groups))

    async def passing(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> set[int]:
        return await self._sessions.read(lambda c: selecting.passing(c, bucket, run_id, ordinals))

    async def selected(self, bucket: int, run_id: int, first: int, last: int) -> dict[int, int]:
        return await self._sessions.read(lambda c: selected.between(c, bucket, run_id, first, last))

    async def selected_at(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> dict[int, int]:
        return await self._sessions.read(lambda c: selected.at(c, bucket, run_id, ordinals))

    async def held_back(self, guard: Guard, messages: Sequence[tuple[int, int]]) -> dict[int, Held]:
        async def work(connection: Connection) -> dict[int, Held]:
            return await guards.ask(connection, guard, messages, await engines.now(connection))

        return await self._sessions.read(work)

    async def barred(
        self, bucket: int, groups: tuple[int, ...], check: Check, phones: Sequence[int], now: Micros
    ) -> dict[int, str]:
        return await self._sessions.read(lambda c: checks.barred(c, bucket, groups, check, phones, now, self._hashed))

    def use_key(self, hashed: Callable[[int], int]) -> None:
        self._hashed = hashed

    async def listed(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        return await self._sessions.read(lambda c: looking.listed(c, pairs))

    # recovery

    async def open_blocks(self, engine_id: int) -> list[OpenBlock]:
        return await self._sessions.read(lambda c: recovery.open_blocks(c, engine_id))

    async def open_intents(self, engine_id: int) -> list[OpenIntent]:
        return await self._sessions.read(lambda c: recovery.open_intents(c, engine_id))

    async def events_between(self, first_message_id: int, last_message_id: int) -> list[Event]:
        return await self._sessions.read(lambda c: recovery.events_between(c, first_message_id, last_message_id))

    async def recover_block(
        self,
        key: BlockKey,
        dead_engine_id: int,
        due: Sequence[DueRow],
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        work = partial(recovery.recover_block, key, dead_engine_id, due, events, doubts)
        return self._recovered(await self._sessions.run(work))

    async def recover_intent(
        self,
        key: DueKey,
        dead_engine_id: int,
        due: DueRow | None,
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        work = partial(recovery.recover_intent, key, dead_engine_id, [] if due is None else [due], events, doubts)
        return self._recovered(await self._sessions.run(work))

    def _recovered(self, touched: list[Event] | None) -> bool:
        self._correlation.forget(touched or ())
        return touched is not None

    # doubts: no message that has one is known by heart, so nothing is to be forgotten

    async def resend_doubts(self, now: Micros) -> int:
        resent = 0
        for bucket, run_id in await self._sessions.read(lambda c: resolving.ripe_runs(c, now)):
            more = True
            while more:
                count, more = await self._sessions.run(partial(_resend, bucket, run_id, now))
                resent += count
        return resent

    async def match_doubts(self, provider_id: int, now: Micros, before: Micros) -> int:
        bucket = await self._sessions.read(lambda c: self._providers.bucket(c, provider_id))
        if bucket is None:
            return 0
        found = await self._sessions.read(lambda c: doubts.recent(c, bucket, provider_id, now - RECENT))
        fit = [
            (number, pair.message_id)
            for number, pairs in found.items()
            if (matched := unique(pairs, before))
            for pair in matched
        ]
        ended = 0
        for start in range(0, len(fit), CHUNK):
            some = fit[start : start + CHUNK]
            ended += await self._sessions.run(partial(_match, provider_id, bucket, some, before))
        return ended

    async def resolve_doubts(
        self, bucket: int, run_id: int, message_ids: Sequence[int], choice: Choice, reason: str, now: Micros
    ) -> int:
        async def work(connection: Connection) -> int:
            count = await resolving.resolve(connection, bucket, run_id, message_ids, choice, reason, now)
            if count and choice is Choice.RESEND:
                await hints.tell(connection, Hint(work=True))
            return count

        return await self._sessions.run(work)

    # what phones say

    async def store_inbound(self, parts: Sequence[InboundPart]) -> list[StoredInbound]:
        return await self._sessions.run(lambda c: inbound.store(c, parts))

    async def apply_opt_outs(self, opt_outs: Sequence[OptOut], meanings: Sequence[tuple[int, str]]) -> list[OptOut]:
        async def apply(connection: Connection) -> list[OptOut]:
            applied = await opting.apply(connection, opt_outs)
            await checks.lift(connection, opt_outs, self._hashed)
            await inbound.set_meanings(connection, meanings)
            if applied:
                await hints.tell(connection, of_opt_outs(applied))
            return applied

        return await self._sessions.run(apply)

    async def apply_replies(self, replies: Sequence[Said]) -> list[Done]:
        async def apply(connection: Connection) -> list[Done]:
            done = await replying.apply(connection, replies, self._hashed)
            hint = of_replies(done)
            if hint.work or hint.numbers:
                await hints.tell(connection, hint)
            return done

        return await self._sessions.run(apply)

    async def post(self, singles: Sequence[Single]) -> list[int]:
        async def work(connection: Connection) -> list[int]:
            ids = await posting.post(connection, singles)
            await hints.tell(connection, Hint(work=True))
            return ids

        return await self._sessions.run(work)

    # readings

    async def message_states(
        self, bucket: int, run_id: int, first_ordinal: int, limit: int
    ) -> list[tuple[int, Folded]]:
        return await self._sessions.read(lambda c: readings.message_states(c, bucket, run_id, first_ordinal, limit))


async def _expire(bucket: int, run_id: int, now: Micros, connection: Connection) -> bool:
    return await controlling.expire(connection, bucket, run_id, now)


async def _settle(bucket: int, run_id: int, now: Micros, connection: Connection) -> RunState | None:
    return await controlling.settle(connection, bucket, run_id, now)


async def _resend(bucket: int, run_id: int, now: Micros, connection: Connection) -> tuple[int, bool]:
    return await resolving.resend(connection, bucket, run_id, now)


async def _match(
    provider_id: int, bucket: int, candidates: Sequence[tuple[int, int]], before: Micros, connection: Connection
) -> int:
    return await resolving.match(connection, provider_id, bucket, candidates, before)
