"""The engine's part in sending: it owns lanes, feeds them through the flush, and wakes each at its slot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from typing import TypeVar

from todoke.compliance.rulebook import Rulebook, standard
from todoke.model.clock import SECOND, Clock, Micros
from todoke.model.event import Event, Kind
from todoke.model.ids import MAX_ORDINAL
from todoke.model.transport_code import CODE_TYPES
from todoke.pipeline.lanes import contacts as contacts_of
from todoke.pipeline.lanes.brake import Brake
from todoke.pipeline.lanes.composing import Batch, compose_block, compose_due
from todoke.pipeline.lanes.forwarding import Widened
from todoke.pipeline.lanes.holding import Holding
from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.keeping import kept
from todoke.pipeline.lanes.lane import Lane
from todoke.pipeline.lanes.message import Submission, Work
from todoke.pipeline.lanes.outcomes import LONGEST_PATIENCE, Outcomes
from todoke.pipeline.lanes.pace import LATEST
from todoke.pipeline.lanes.relooking import Relook
from todoke.pipeline.lanes.runs import LaneRun
from todoke.pipeline.lanes.stops import StopSet
from todoke.pipeline.lanes.watchdog import Verdict, Watched, watch
from todoke.pipeline.lanes.wheel import Wheel
from todoke.providers.base import Decision, Failure, Provider
from todoke.sms.templates import TemplateError, UnknownField
from todoke.store.hot.base import Contact, DueRow, DueTaken, Flush, Flushed, Hot, OpenRun, StoreUnavailable
from todoke.store.hot.base import Lane as LaneRow

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


_SLICE = 256  # contacts composed before the event loop gets its turn
_READ = 1_024  # contacts read at a time
_JOURNAL_REST = SECOND
_WITHDRAW_EVERY = 5.0
_LONG_JOURNAL = 16 * 1024 * 1024


class Owner:
    """A participant of the flush. `wake` asks for a flush soon."""

    def __init__(
        self,
        hot: Hot,
        clock: Clock,
        holding: Holding,
        journal: Journal,
        stops: StopSet,
        providers: Mapping[int, Provider],
        wake: Callable[[], None],
        rulebook: Callable[[], Rulebook] = standard,
        keyed: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """`keyed`: whether the key is there by which people who were erased are recognised; asked where some were."""
        self._hot = hot
        self._clock = clock
        self._holding = holding
        self._journal = journal
        self._stops = stops
        self._providers = providers
        self._wake = wake
        self._rulebook = rulebook
        self._keyed = keyed
        self.outcomes = Outcomes(clock, self._refused)
        self.lanes: dict[int, Lane] = {}
        self._brakes: dict[int, Brake] = {}  # by provider
        self._starved: dict[int, dict[int, Lane]] = {}  # by provider: lanes whose slot came when there was no room
        self._wheel = Wheel(clock, self._at_slots)
        self._turn = 0
        self._watched: dict[int, Watched] = {}  # by transport code
        self._open = 0  # blocks and intents of this engine in the database
        self._composing: set[asyncio.Task[None]] = set()
        self._widened = Widened(hot, clock, self._patiently)
        self._relook = Relook(hot, clock, stops, self._has_slots, self._patiently)
        self._withdrawn_at = float("-inf")
        self._withdrawing: asyncio.TimerHandle | None = None
        self._stopping = False
        self.broken: BaseException | None = None
        self._no_more_until: Micros = 0

    # -------------------------------------------------------------- lanes and runs, every now and then

    def have(self, rows: Sequence[LaneRow]) -> None:
        """These lanes are ours, as far as their providers are there; any other is not any more."""
        self._have({row.transport_code_id: row for row in rows if row.provider_id in self._providers})
        self._wake()

    async def look(self) -> None:
        """See what runs are open. Called when a hint says so, and every now and then."""
        if self.broken is not None:
            raise self.broken
        by_code: dict[int, list[OpenRun]] = {code: [] for code in self.lanes}
        if by_code:
            for run in await self._hot.open_runs(list(by_code)):
                by_code[run.transport_code_id].append(run)
        erased = any(run.check is not None and run.check.erased for runs in by_code.values() for run in runs)
        keyless = erased and self._keyed is not None and not await self._keyed()
        for code, runs in by_code.items():
            lane = self.lanes.get(code)
            if lane is not None:  # it may have been lost meanwhile
                self._see(lane, runs, keyless=keyless)
        if self._widened and not self._widened.working and not self._stopping:
            self._spawn(self._widened.work())
        self._watch()
        self._wake()

    def _watch(self) -> None:
        """Lanes that should send and do not."""
        now = self._clock.now()
        self._watched = {code: seen for code, seen in self._watched.items() if code in self.lanes}
        for code, lane in list(self.lanes.items()):
            able = self._holding.certain and lane.able(now)
            seen, verdict = watch(
                self._watched.get(code),
                lane.sent,
                backlog=lane.has_work(now),
                able=able,
                rate=lane.row.rate,
                now=now,
            )
            self._watched[code] = seen
            if verdict is Verdict.FINE:
                continue
            _log.error(
                "code %s has work and has sent nothing for %d s: %s",
                lane.row.code,
                (now - seen.since) // SECOND,
                lane.provider.health(),
                extra={"action": "lane_stuck", "transport_code": lane.row.code, "step": verdict.name.lower()},
            )
            if verdict is not Verdict.ALARM:
                self._leave(code)  # it is made anew at the next look at the lanes
            if verdict is Verdict.RESET:
                lane.provider.reset("A lane had work and sent nothing.")

    def _have(self, rows: Mapping[int, LaneRow]) -> None:
        for code in self.lanes.keys() - rows.keys():
            self._leave(code)
        for code, row in rows.items():
            lane = self.lanes.get(code)
            if lane is None or lane.row.epoch != row.epoch:
                self._lose(code)
                brake = self._brakes.setdefault(row.provider_id, Brake())
                self.lanes[code] = Lane(
                    row, self._providers[row.provider_id], self._journal, self._stops, self.outcomes, brake
                )
            else:
                lane.update(row)

    def _lose(self, code: int) -> None:
        """Another engine has it now."""
        lane = self._leave(code)
        if lane is not None:
            _log.warning("lane lost", extra={"action": "lane_lost", "transport_code": lane.row.code})

    def _leave(self, code: int) -> Lane | None:
        """It is, or will be, another's. What we hold of it unsent goes to `due`, for whoever has it; answers still to
        come are facts and are stored.
        """
        lane = self.lanes.pop(code, None)
        if lane is not None:
            lane.give_back(self._clock.now())
        return lane

    def _see(self, lane: Lane, runs: Sequence[OpenRun], *, keyless: bool) -> None:
        open_now = {(run.bucket, run.id) for run in runs}
        rulebook = self._rulebook()
        for data in runs:
            key = (data.bucket, data.id)
            known = lane.runs.get(key)
            if known is not None:
                stricter, recalled = known.stricter(data), data.recalls > known.data.recalls
                before, rescheduled = copy(known), known.rescheduled(data, rulebook)
                known.refresh(data, rulebook)
                if rescheduled or known.loosened(before.data):
                    self._widened.add(before, known)
                    stricter = True  # or laxer: its windows are looked at again
                if recalled:
                    lane.recall(key, self._clock.now())
                if stricter:
                    lane.withdraw(key)
                continue
            try:
                sender = lane.provider.sender(lane.row.code, CODE_TYPES[lane.row.type])
                lane.runs[key] = LaneRun(data, sender, rulebook)
            except (
                TemplateError,
                UnknownField,
            ) as error:  # checked before the start: only a hand in the database does this
                _log.error("run %d cannot be sent: %s", data.id, error, extra={"action": "run_broken"})
                continue
            rivals = (run for run in lane.runs.values() if run.running and run.key != key)
            lane.runs[key].served = min((run.served for run in rivals if run.data.stream is data.stream), default=0.0)
        for key in lane.runs.keys() - open_now:
            del lane.runs[key]
        for run in lane.runs.values():
            run.keyless = keyless and run.data.check is not None and run.data.check.erased
        lane.composed.forget(lane.runs)
        lane.unshelve(self._clock.now())
        for key, run in lane.runs.items():
            if run.data.force or not (run.running or run.stopping):
                lane.withdraw(key)

    def withdraw(self) -> None:
        """Many numbers may not be texted any more: those that have their slots are looked up, and what is reserved and
        not written is looked at and reserved again.

        Slots that are taken back are gone, so an import of numbers, which says this many times a second, must not do
        that each time: not oftener than slots are laid ahead. What a flush reserves meanwhile is why it is done at all.
        """
        if self._relook.want() and not self._stopping:
            self._spawn(self._relook.work())
        if self._withdrawing is None:
            wait = max(0.0, self._withdrawn_at + _WITHDRAW_EVERY - self._clock.monotonic())
            self._withdrawing = asyncio.get_running_loop().call_later(wait, self._withdraw)

    def _has_slots(self) -> Iterator[tuple[tuple[int, ...], int]]:
        for lane in self.lanes.values():
            for batch in lane.reserved:
                for message, _, _ in batch.submissions[batch.next :]:
                    yield message.run.groups, message.destination

    def _withdraw(self) -> None:
        self._withdrawing = None
        self._withdrawn_at = self._clock.monotonic()
        for lane in self.lanes.values():
            lane.withdraw()
        self._no_more_until = 0
        self._wake()

    # -------------------------------------------------------------- the flush

    def prepare(self, flush: Flush) -> None:
        self.outcomes.drain(flush)
        if not self._holding.certain or self._stopping:
            return
        for lane in self.lanes.values():
            if lane.content(flush.now):
                continue
            if reserve := lane.reserve(flush.now):
                flush.reserves.append(reserve)
            if lease := lane.lease(flush.now):
                flush.leases.append(lease)
        if flush.leases and flush.now < self._no_more_until and not flush.reserves:
            flush.leases.clear()  # the last look found nothing to take: look again a little later
        self.outcomes.drain(flush)  # what drawing stopped

    def committed(self, flush: Flush, flushed: Flushed) -> None:
        self._open += len(flushed.blocks) + len(flushed.due) - len(flush.closed) - len(flush.settled)
        if not self._open and self._journal.size > _LONG_JOURNAL:
            with contextlib.suppress(OSError):
                self._journal.clear()
        for code in flushed.lost:
            self._lose(code)
        for reserve in flush.reserves:
            lane = self.lanes.get(reserve.transport_code_id)
            if lane is not None:
                lane.granted(flushed, self._clock.now())
                self._pump(lane)
        if self._stopping:
            return  # what this flush took is recovered from its rows
        for block in flushed.blocks:
            lane = self.lanes.get(block.transport_code_id)
            work = lane.leased(block) if lane is not None else None
            if lane is not None and work is not None:
                self._spawn(self._compose_block(lane, work))
            else:
                self.outcomes.give_back_block(block, self._clock.now())
        if flushed.due:
            self._compose_due(flushed.due)
        if flush.leases and not flushed.blocks and not flushed.due:
            self._no_more_until = flush.now + SECOND // 5
        elif flushed.blocks:
            self._no_more_until = 0
        if self.outcomes or any(lane.waiting for lane in self.lanes.values()):
            self._wake()

    # -------------------------------------------------------------- composing

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._composing.add(task)
        task.add_done_callback(self._composed_or_broken)

    def _composed_or_broken(self, task: asyncio.Task[None]) -> None:
        self._composing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken = (
                error  # a mistake of ours: `look` raises it, and the engine stops rather than leave work undone
            )

    async def _compose_block(self, lane: Lane, work: Work) -> None:
        run, block = work.run, work.block
        first = block.first_position
        while first <= block.last_position:
            last = min(first + _READ - 1, block.last_position)
            contacts = await self._patiently(
                lambda a=first, b=last: contacts_of.between(self._hot, run.data, a, b, run.groups)
            )
            missing = last - first + 1 - len(contacts)
            if missing:
                self._gone(run, work, first, last, {contact.position for contact in contacts})
            out = await self._patiently(lambda c=contacts: kept(self._hot, run, c, self._clock.now()))
            for start in range(0, len(contacts), _SLICE):
                batch = compose_block(run, work, contacts[start : start + _SLICE], self._clock.now(), out)
                self._composed(lane, run, batch, work, work.recalls)
                await asyncio.sleep(0)
            run.composing -= last - first + 1
            first = last + 1

    def _gone(self, run: LaneRun, work: Work, first: int, last: int, there: set[int]) -> None:
        now = self._clock.now()
        gone = [
            Event(run.base_id + position, 0, 0, Kind.SKIPPED, now, reason="contact_deleted")
            for position in range(first, last + 1)
            if position not in there
        ]
        self.outcomes.composed(gone, [], work)

    def _compose_due(self, rows: Sequence[DueTaken]) -> None:
        by_run: dict[tuple[int, int, int], list[DueTaken]] = {}
        for row in rows:
            by_run.setdefault((row.transport_code_id, row.bucket, row.run_id), []).append(row)
        for (code, bucket, run_id), of_run in by_run.items():
            lane = self.lanes.get(code)
            run = lane.runs.get((bucket, run_id)) if lane is not None else None
            if lane is None or run is None:
                # Taken just before we knew the run: it goes back, and is taken again.
                self.outcomes.composed([], [_back(row, self._clock.now() + SECOND) for row in of_run], None)
                for row in of_run:
                    self.outcomes.settle(row.key)
                continue
            run.composing += len(of_run)
            self._spawn(self._compose_taken(lane, run, of_run))

    async def _compose_taken(self, lane: Lane, run: LaneRun, rows: Sequence[DueTaken]) -> None:
        ordinals = sorted({row.message_id & MAX_ORDINAL for row in rows})
        recalls = run.data.recalls
        found = await self._patiently(lambda: contacts_of.at(self._hot, run.data, ordinals, run.groups))
        contacts = {contact.position: contact for contact in found}
        out = await self._patiently(lambda: kept(self._hot, run, found, self._clock.now()))
        passing: Set[int] | None = None
        if recalls and any(untouched(row) for row in rows):
            passing = await self._patiently(lambda: self._hot.passing(run.data.bucket, run.data.id, ordinals))
        now = self._clock.now()
        pairs: list[tuple[DueTaken, Contact]] = []
        gone: list[Event] = []
        for row in rows:
            ordinal = row.message_id & MAX_ORDINAL
            contact = contacts.get(ordinal)
            if contact is None:
                gone.append(Event(row.message_id, 0, row.attempt, Kind.SKIPPED, now, reason="contact_deleted"))
            elif passing is not None and untouched(row) and ordinal not in passing:
                gone.append(Event(row.message_id, 0, row.attempt, Kind.SKIPPED, now, reason="filtered"))
            else:
                pairs.append((row, contact))
        batch = compose_due(run, pairs, now, out)
        batch.events.extend(gone)
        waiting = {(message.id, message.attempt) for message in batch.messages}
        for row in rows:
            if (row.message_id, row.attempt) not in waiting:
                self.outcomes.settle(row.key)
        self._composed(lane, run, batch, None, recalls)
        run.composing -= len(rows)

    def _composed(self, lane: Lane, run: LaneRun, batch: Batch, work: Work | None, recalls: int) -> None:
        if batch.events or batch.due:
            self.outcomes.composed(batch.events, batch.due, work)
        recalled = run.data.recalls > recalls
        if lane is self.lanes.get(lane.key) and not recalled:
            lane.compose(run, batch.messages)
        else:  # it was lost, or a new filter came, while we read
            for message in batch.messages:
                self.outcomes.give_back(message, self._clock.now())
        self._wake()

    async def _patiently(self, read: Callable[[], Awaitable[_T]]) -> _T:
        while True:
            try:
                return await read()
            except StoreUnavailable:
                await asyncio.sleep(0.5)

    # -------------------------------------------------------------- the wire

    def accepted(self, provider_id: int, tokens: list[object], provider_message_ids: list[str]) -> None:
        brake = self._brakes.get(provider_id)
        if brake is not None:
            brake.eased(self._clock.now())
        self.outcomes.accepted(provider_id, tokens, provider_message_ids)
        self._wake()

    def failed(self, provider_id: int, failures: Sequence[Failure]) -> None:
        provider = self._providers.get(provider_id)  # none: its links are closed already
        self.outcomes.failed(provider_id, failures, provider.patience if provider is not None else LONGEST_PATIENCE)
        self._wake()

    def resolved(self, provider_id: int, token: object, provider_message_id: str, failure: Failure | None) -> None:
        self.outcomes.resolved(provider_id, token, provider_message_id, failure)
        self._wake()

    def _refused(self, submission: Submission, decision: Decision) -> None:
        message, number, _ = submission
        lane = self.lanes.get(message.run.data.transport_code_id)
        # A lane that was made anew knows the run by another object: the message's own is not kept up to date any more.
        strange = lane is None or lane.runs.get(message.run.key) is not message.run
        if lane is None or strange or message.not_before is not None:
            self.outcomes.give_back_segment(message, number, self._clock.now())
            return
        lane.refused(submission)
        if decision is Decision.THROTTLED:
            self._brakes[lane.row.provider_id].throttled(self._clock.now())

    def writable(self, provider_id: int) -> None:
        """There is room in the provider's window."""
        starved = self._starved.get(provider_id)
        if starved:
            # Another lane first each time: a link that is slower than they are together is shared.
            waiting = [lane for lane in starved.values() if lane is self.lanes.get(lane.key)]
            starved.clear()
            if waiting:
                self._turn = (self._turn + 1) % len(waiting)
                for lane in waiting[self._turn :] + waiting[: self._turn]:
                    self._pump(lane)

    def _pump(self, lane: Lane) -> None:
        if self._stopping or self.broken is not None:
            return
        now = self._clock.now()
        try:
            lane.pump(now, self._holding.certain, self._clock.now)
        except OSError as error:
            _log.error(
                "the journal cannot be written: %s", error, extra={"action": "journal", "path": self._journal.path}
            )
            self._brakes[lane.row.provider_id].rest(now + _JOURNAL_REST)
        except Exception as error:
            # A mistake of ours. From a timer the event loop would only log it, and segments that are noted and not
            # written would wait for ever for their answers: the engine stops, and they are recovered.
            self.broken = error
            return
        if lane.waiting and not lane.content(now):
            self._wake()
        wake = lane.next_wake()
        if wake is None:
            return
        if wake <= now and not lane.provider.free:
            wake += LATEST + 1  # it says when there is room again; if it does not, this slot is gone then
            self._starved.setdefault(lane.row.provider_id, {})[lane.key] = lane
        self._wheel.at(lane.key, wake)

    def _at_slots(self, keys: Iterable[int]) -> None:
        for key in keys:
            if (lane := self.lanes.get(key)) is not None:
                self._pump(lane)

    # -------------------------------------------------------------- the end

    def finish(self) -> None:
        """Take no more, write no more. What is unsent is recovered from its rows."""
        self._stopping = True
        if self._withdrawing is not None:
            self._withdrawing.cancel()
        for task in self._composing:
            task.cancel()
        self._wheel.clear()
        for lane in self.lanes.values():
            lane.reserved.clear()
            lane.composed.clear()


def untouched(row: DueTaken) -> bool:
    """Nothing of the message was ever on the wire."""
    return not row.attempt and not row.segments


def _back(row: DueTaken, not_before: Micros) -> DueRow:
    return DueRow(
        row.bucket,
        row.message_id,
        row.attempt,
        row.run_id,
        row.transport_code_id,
        not_before,
        row.segments,
        row.text_crc,
    )
