"""One transport code's queue: what is composed waits, what is reserved goes out at its slot.

    composed ──(reserve: the flush commits)──▶ slots ──(journal, then wire)──▶ with the provider ──▶ outcome

A lane keeps no clock and no task of its own: the owner calls `reserve` and `lease` before a flush, `granted` after
it, `pump` at each slot.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from todoke.model.clock import SECOND, Micros
from todoke.model.ids import MAX_ORDINAL
from todoke.pipeline.lanes import pace
from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.pipeline.lanes.outcomes import Outcomes
from todoke.pipeline.lanes.runs import LaneRun
from todoke.pipeline.lanes.stops import StopSet
from todoke.providers.base import Provider
from todoke.store.hot.base import Block, Flushed, Lease, Reserve, Scrub
from todoke.store.hot.base import Lane as LaneRow

HORIZON = SECOND // 5
"""How far ahead slots are reserved: longer than a flush and its commit take, short enough for a pause to be felt."""
LOOK_AHEAD = 1.0
"""Seconds of work that a lane holds composed or leased."""
MOST_AHEAD = 24_576
LARGEST_BLOCK = 8_192

_MEASURE = SECOND // 10
_FIRST_PAUSE = SECOND
_LONGEST_PAUSE = 30 * SECOND


@dataclass(slots=True)
class Reserved:
    """Segments that have slots; those before `next` are gone."""

    slots: pace.Slots
    submissions: list[Submission]
    next: int = 0


@dataclass(slots=True)
class _Asked:
    """What the flush under way reserves: messages in order, how many segments, from which slot."""

    messages: list[Message]
    slots: pace.Slots
    scrubbed: list[tuple[LaneRun, list[Message]]] = field(default_factory=list[tuple[LaneRun, list[Message]]])


class Lane:
    """See the module. Not safe for threads; everything runs on the event loop."""

    def __init__(self, row: LaneRow, provider: Provider, journal: Journal, stops: StopSet, outcomes: Outcomes) -> None:
        self.row = row
        self.provider = provider
        self.runs: dict[tuple[int, int], LaneRun] = {}
        self.composed: deque[Message] = deque()
        self.composing = 0  # positions and due rows taken and not composed yet
        self.reserved: deque[Reserved] = deque()
        self.next_slot = row.next_slot_at
        self._journal = journal
        self._stops = stops
        self._outcomes = outcomes
        self._asked: _Asked | None = None
        self._shelf: dict[tuple[int, int], list[Message]] = {}  # composed, of paused runs
        self._refused: list[Submission] = []
        self._pause = 0
        self._resume_at: Micros = 0
        self._pace = row.rate
        self._measured_at: Micros = 0
        self._written = 0  # since then
        self._missed = 0

    @property
    def key(self) -> int:
        return self.row.transport_code_id

    @property
    def ahead(self) -> int:
        """How much this lane holds that is not on the wire."""
        return len(self.composed) + self.composing + sum(len(r.submissions) - r.next for r in self.reserved)

    # -------------------------------------------------------------- before a flush

    def reserve(self, now: Micros) -> Reserve | None:
        """Slots for what is composed, as far as the horizon reaches."""
        self._asked = None
        self._take_refused()
        if not self.composed or not self.provider.up or now < self._resume_at:
            return None
        self._measure(now)
        messages, segments = self._draw(pace.affordable(self.next_slot, now, self._pace, HORIZON))
        if not messages:
            return None
        slots = pace.take(self.next_slot, now, self._pace, segments)
        asked = _Asked(messages, slots)
        ask = Reserve(self.row.bucket, self.key, self.row.epoch, slots.end)
        reserved_to: dict[int, tuple[Work, int]] = {}
        by_run: dict[tuple[int, int], tuple[LaneRun, list[Message]]] = {}
        for message in messages:
            work = message.work
            if work is not None:
                ordinal = message.id & MAX_ORDINAL
                if ordinal > work.reserved_to:
                    reserved_to[id(work)] = (work, ordinal)
                    work.reserved_to = ordinal
            elif message.taken is not None:
                ask.intents.append(message.taken.key)
            run = message.run
            entry = by_run.get(run.key)
            if entry is None:
                entry = by_run[run.key] = (run, [])
            entry[1].append(message)
        ask.blocks.extend((work.block.key, ordinal) for work, ordinal in reserved_to.values())
        for run, of_run in by_run.values():
            ask.scrubs.append(Scrub(run.data.bucket, run.groups, [m.destination for m in of_run]))
            asked.scrubbed.append((run, of_run))
        self._asked = asked
        return ask

    def _measure(self, now: Micros) -> None:
        elapsed = now - self._measured_at
        if elapsed >= _MEASURE:
            self._pace = pace.adapt(self._pace, self.row.rate, self._written, self._missed, elapsed / SECOND)
            self._measured_at, self._written, self._missed = now, 0, 0

    def _draw(self, room: int) -> tuple[list[Message], int]:
        """Messages for `room` segments from the front of the queue: a message's segments stay together."""
        messages: list[Message] = []
        segments = 0
        composed = self.composed
        while composed and segments < room:
            message = composed.popleft()
            run = message.run
            if run.running:
                messages.append(message)
                segments += len(message.numbers)
            elif run.stopping:
                self._outcomes.stopped(message)
            else:
                self._shelf.setdefault(run.key, []).append(message)
        return messages, segments

    def unshelve(self) -> None:
        """Runs that are not paused any more go on where they stood."""
        for key in list(self._shelf):
            run = self.runs.get(key)
            if run is None or run.running or run.stopping:
                self.composed.extendleft(reversed(self._shelf.pop(key)))

    def refused(self, submission: Submission, now: Micros, *, throttled: bool) -> None:
        """The provider certainly did not take it: it waits again, and where it came too fast the lane rests."""
        message, number, _ = submission
        self._journal.take_back(message.id, number, message.attempt)
        self._refused.append(submission)
        if throttled and now >= self._resume_at:
            self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._resume_at = now + self._pause

    def rest(self, until: Micros) -> None:
        """Write nothing before that."""
        self._resume_at = max(self._resume_at, until)

    def eased(self) -> None:
        """The provider takes again what it is given."""
        self._pause = 0

    def _take_refused(self) -> None:
        if self._refused:
            self._wait_again(self._refused)
            self._refused = []

    def lease(self, now: Micros) -> Lease | None:
        """More work, when less than the look-ahead is at hand."""
        want = min(MOST_AHEAD, max(4, int(self.row.rate * LOOK_AHEAD))) - self.ahead
        running = [run for run in self.runs.values() if run.running]
        if want <= 0 or not running:
            return None
        lease = Lease(self.row.bucket, self.key, self.row.epoch, due_limit=min(want, 2_048))
        for run in sorted(running, key=lambda run: run.served):
            for cursor in run.open_cursors(now):
                limit = min(LARGEST_BLOCK, want, cursor.last_position - cursor.next_position + 1)
                if limit <= 0:
                    return lease
                lease.cursors.append(run.ask(cursor, limit))
                run.served += limit / run.data.weight
                want -= limit
        return lease

    # -------------------------------------------------------------- after it

    def granted(self, flushed: Flushed) -> None:
        """The flush is committed: what was reserved and is still wanted gets its slots."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self.next_slot = asked.slots.end
        blocked = flushed.blocked.get(self.key, [])
        refused: set[Message] = set()
        for (run, messages), phones in zip(asked.scrubbed, blocked, strict=True):
            word = flushed.runs.get(run.key)
            if word is not None and word.state is not run.data.state:
                run.data.state, run.data.force = word.state, word.force
            if not run.running:
                refused.update(messages)
                self.composed.extendleft(reversed(messages))  # the next reserve sees to them
            elif phones:
                for message in messages:
                    if message.destination in phones:
                        refused.add(message)
                        self._outcomes.skipped(message, "dnc")
        submissions: list[Submission] = []
        for message in asked.messages:
            if message in refused:
                continue
            submissions.extend([(message, n, b) for n, b in zip(message.numbers, message.bodies, strict=True)])
            message.numbers, message.bodies = [], []
        if submissions:
            self.reserved.append(Reserved(asked.slots._replace(total=len(submissions)), submissions))

    def leased(self, block: Block) -> Work | None:
        """A block that was taken for this lane: None where its run is not known here (its rows are recovered later)."""
        run = self.runs.get((block.bucket, block.run_id))
        if run is None:
            return None
        run.moved(block.cursor, block.last_position + 1)
        work = Work(block, run)
        self.composing += work.open
        return work

    # -------------------------------------------------------------- at each slot

    def pump(self, now: Micros, certain: bool) -> None:
        """Write what has its slot; give back in memory what missed it. `certain`: this engine's lease holds."""
        while self.reserved:
            batch = self.reserved[0]
            if not certain or now < self._resume_at:
                self._requeue(batch, len(batch.submissions))
                self.reserved.popleft()
                continue
            missed = batch.slots.missed(now)
            if missed > batch.next:
                self._missed += missed - batch.next
                self._requeue(batch, missed)
            ready = batch.slots.passed(now) - batch.next
            count = min(ready, self.provider.free)
            if count > 0:
                self._write(batch.submissions[batch.next : batch.next + count], batch)
            if batch.next < len(batch.submissions):
                return
            self.reserved.popleft()

    def next_wake(self) -> Micros | None:
        """When the next slot is."""
        return self.reserved[0].slots.at(self.reserved[0].next) if self.reserved else None

    def _write(self, submissions: list[Submission], batch: Reserved) -> None:
        go = submissions if not self._stops else [s for s in submissions if self._last_look(s[0])]
        if go:
            # A disk that takes no more raises here, before anything is on the wire.
            self._journal.submit([(m.id, m.crc, n, m.segments, m.attempt) for m, n, _ in go])
        batch.next += len(submissions)
        if go:
            self._written += len(go)
            self.provider.submit([(submission[2], submission) for submission in go])
        if len(go) < len(submissions):
            kept = {id(s) for s in go}
            for message, _, _ in (s for s in submissions if id(s) not in kept):
                self._outcomes.cut(message, "dnc")

    def _last_look(self, message: Message) -> bool:
        return not self._stops.has(message.run.groups, message.destination)

    def _requeue(self, batch: Reserved, end: int) -> None:
        """Segments whose slot is forfeited wait again."""
        self._wait_again(batch.submissions[batch.next : end])
        batch.next = end

    def _wait_again(self, submissions: list[Submission]) -> None:
        """Before everything else, and in order."""
        waiting: list[Message] = []
        for message, number, body in submissions:
            if not message.numbers:
                waiting.append(message)
            message.numbers.append(number)
            message.bodies.append(body)
        self.composed.extendleft(reversed(waiting))

    def withdraw(self) -> None:
        """Force stop: what is reserved and not on the wire waits again, where a stopped run's messages are counted
        out.
        """
        for batch in self.reserved:
            if any(message.run.data.force for message, _, _ in batch.submissions[batch.next :]):
                self._requeue(batch, len(batch.submissions))
