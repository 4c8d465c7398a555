"""One transport code's queue: what is composed waits, what is reserved goes out at its slot.

    composed ──(reserve: the flush commits)──▶ slots ──(journal, then wire)──▶ with the provider ──▶ outcome

A lane keeps no clock and no task of its own: the owner calls `reserve` and `lease` before a flush, `granted` after
it, `pump` at each slot.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat

from todoke.model.allowance import SHARED, Grant, Wish
from todoke.model.clock import SECOND, Micros
from todoke.model.stream import RANKS
from todoke.pipeline.lanes import leasing, marking, pace
from todoke.pipeline.lanes.brake import Brake
from todoke.pipeline.lanes.charging import Charge, charged, credit, note
from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.pipeline.lanes.outcomes import Outcomes
from todoke.pipeline.lanes.reserved import AskedFor, Reserved
from todoke.pipeline.lanes.runs import LaneRun
from todoke.pipeline.lanes.stops import StopSet
from todoke.pipeline.lanes.turns import Line, Turns
from todoke.providers.base import Provider
from todoke.store.hot.base import Asked, Block, Flushed, Lease, Reserve, Scrub
from todoke.store.hot.base import Lane as LaneRow

_GRAIN = 500.0
"""Segments a second for each segment of a run's turn: turns are about 2 ms, and at least a segment."""

_MEASURE = SECOND // 10
_LONGEST_LEAD = 5 * SECOND
_LONGEST_DENIAL = 5 * SECOND
"""Then a limit that is used up is asked again: somebody may have given back, or it was declared anew."""


class Lane:
    """See the module. Not safe for threads; everything runs on the event loop."""

    def __init__(
        self,
        row: LaneRow,
        provider: Provider,
        journal: Journal,
        stops: StopSet,
        outcomes: Outcomes,
        brake: Brake,
    ) -> None:
        self.row = row
        self.provider = provider
        self.runs: dict[tuple[int, int], LaneRun] = {}
        self.composed: Turns[Message] = Turns(max(1, int(row.rate / _GRAIN)))
        self.reserved: deque[Reserved] = deque()
        self.next_slot = row.next_slot_at
        self._journal = journal
        self._stops = stops
        self._outcomes = outcomes
        self._asked: AskedFor | None = None
        self._shelf: dict[tuple[int, int], list[Message]] = {}  # composed, of paused runs
        self._brake = brake
        self._recalled: set[tuple[int, int]] = set()  # runs whose messages the flush under way may bring back
        self._withdrawn: set[tuple[int, int]] = set()  # runs of which the flush under way may know too little
        # Segments that wait again; they join the queue at the next `reserve`, when no flush has their message.
        self._again_at: Micros = 0  # before that a limit beside the rate has nothing for us
        self._refused: list[Submission] = []
        self._forfeited: list[Submission] = []
        self._lead: Micros = 0  # how long a reserving flush takes lately
        self._pace = pace.first(row.rate)
        self.sent = 0  # segments written, altogether
        self._measured_at: Micros = 0
        self._written = 0  # since then
        self._missed = 0

    @property
    def key(self) -> int:
        return self.row.transport_code_id

    def update(self, row: LaneRow) -> None:
        """The store's word of now."""
        if row.limits != self.row.limits:
            self._again_at = 0
        self.row = row

    @property
    def ahead(self) -> int:
        """How much this lane holds that is not on the wire."""
        return len(self.composed) + self.composing + self._slotted

    @property
    def composing(self) -> int:
        """Positions and due rows taken and not composed yet."""
        return sum(run.composing for run in self.runs.values())

    @property
    def waiting(self) -> bool:
        """Whether something waits for slots that may be asked for."""
        return not self._again_at and bool(self.composed or self._refused or self._forfeited)

    @property
    def _slotted(self) -> int:
        """Segments that have slots or had them, of all streams."""
        return sum(len(r.submissions) - r.next for r in self.reserved) + len(self._refused) + len(self._forfeited)

    def compose(self, run: LaneRun, messages: Sequence[Message]) -> None:
        """These messages of the run wait for slots from now on."""
        self.composed.extend(self._line(run), messages)

    def _line(self, run: LaneRun) -> Line[Message]:
        return self.composed.line(run.key, run.data.stream, run.data.weight)

    def able(self, now: Micros) -> bool:
        """Whether the provider would take something now."""
        return self.provider.up and self.provider.free > 0 and not self._brake.resting(now)

    def has_work(self, now: Micros) -> bool:
        """Whether something waits here or at a cursor whose window is open, and no limit is known to be used up."""
        if now < self._again_at:
            return False
        held = self.ahead > 0 or self._asked is not None
        return held or any(run.running and run.open_cursors(now) for run in self.runs.values())

    # -------------------------------------------------------------- before a flush

    def content(self, now: Micros) -> bool:
        """Its slots are laid for a while and what comes next is composed: this flush has nothing to bring it. (Of
        hundreds of slow lanes nearly all are at any moment.)
        """
        if self.next_slot <= now + pace.HORIZON + self._lead or not self.composed or self._brake.resting(now):
            return False
        streams = {run.data.stream for run in self.runs.values() if run.running and run.wanted(now)}
        return len(streams) < 2 or all(map(self.composed.waiting, streams))

    def reserve(self, now: Micros) -> Reserve | None:
        """Slots for what is composed, as far as the horizon reaches."""
        self._asked = None
        resting = self._brake.resting(now)
        if resting:
            self.withdraw()  # what is refused meanwhile comes before what is not written yet
            self.reserved.clear()
        else:
            self._wait_again()
        if resting or not self.provider.up or now < self._again_at:
            self._count_out(now)
            return None
        self._again_at = 0
        if not self.composed or self.next_slot > now + pace.HORIZON + self._lead:  # enough have their slots
            return None
        self._measure(now)
        rate = min(self._pace, self.row.rate) * self._brake.share(now)
        limits = self.row.limits
        for limit in limits:
            if limit.rate is not None:
                rate = min(rate, limit.rate * (SHARED / pace.SHARE))
        usable = now + self._lead  # an earlier slot would be gone before it is ours
        earliest = usable if self.next_slot >= usable else pace.begin(self.key, rate, usable)
        slots = pace.take(self.next_slot, earliest, rate, 0, self.row.burst)
        until = usable + pace.horizon(rate, self._lead, shared=bool(self.row.limits))
        # A limit may have them begin later, but within the horizon.
        written = until + (until - usable if limits else 0)
        messages, segments = self._draw(pace.affordable(slots, until), now, written)
        if not messages:
            return None
        slots = slots._replace(total=segments)
        asked = AskedFor(messages, slots, now, limits)
        ask = Reserve(self.row.bucket, self.key, self.row.epoch, slots.end)
        if limits:
            ask.asked = Asked(
                Wish(slots.first, slots.interval, slots.floor, until, [len(message.numbers) for message in messages]),
                limits,
                marking.each(messages),
                RANKS[messages[0].run.data.stream],
                self.next_slot,
            )
        else:
            marking.all_of(messages, ask)
        by_run: dict[tuple[int, int], tuple[LaneRun, list[Message]]] = {}
        run: LaneRun | None = None
        of_run: list[Message] = []
        for message in messages:  # neighbours mostly share their run
            if message.run is not run:
                run = message.run
                of_run = by_run.setdefault(run.key, (run, []))[1]
            of_run.append(message)
        for each, of_run in by_run.values():
            scrub = Scrub(each.data.bucket, each.groups, [m.destination for m in of_run], check=each.data.check)
            if (guard := each.data.guard) is not None:
                scrub = scrub._replace(guard=guard, guarded=[(m.id, m.destination) for m in of_run])
            ask.scrubs.append(scrub)
            asked.scrubbed.append((each, of_run))
        self._asked = asked
        return ask

    def _measure(self, now: Micros) -> None:
        elapsed = now - self._measured_at
        if elapsed >= _MEASURE:
            self._pace = pace.adapt(self._pace, self.row.rate, self._written, self._missed, elapsed / SECOND)
            self._measured_at, self._written, self._missed = now, 0, 0

    def _draw(self, room: int, now: Micros, until: Micros) -> tuple[list[Message], int]:
        """Messages for `room` segments, of the runs whose turn it is: a message's segments stay together. Their slots
        are before `until`.

        What was composed a while ago (its run was paused, the provider down) is looked at again: the calling window
        counts when a text is written, so it must be open now and then, and it must be the one whose end its octets
        tell the carrier. Else it goes to `due`, and is composed anew.
        """
        messages: list[Message] = []
        segments = 0
        while segments < room and (turn := self.composed.next(room - segments)) is not None:
            waiting = turn.line.messages
            run = waiting[0].run
            running = run.running and until < run.data.expires_at
            zone_set, clear, valid = -1, False, 0
            drawn = 0
            while waiting and drawn < turn.most:
                message = waiting.popleft()
                if message.zone_set != zone_set:  # neighbours mostly share it
                    zone_set = message.zone_set
                    clear = running and run.opens_at(zone_set, now) == now and run.opens_at(zone_set, until) == until
                    valid = run.valid_until(zone_set, now)
                live = message.expires_at is None or until < message.expires_at
                if clear and live and not message.cut and message.valid_until == valid:
                    messages.append(message)
                    drawn += len(message.numbers)
                else:
                    self._set_aside(message, run, until)
            self.composed.served(turn, drawn)
            segments += drawn
        return messages, segments

    def _set_aside(self, message: Message, run: LaneRun, now: Micros) -> None:
        """It may not be handed over now: paused, or out for a reason, or early."""
        if run.stopping:
            self._outcomes.stopped(message)
        elif now >= run.data.expires_at or (run.data.standing and message.expired(now)):
            self._outcomes.expired(message)
        elif not run.running:
            self._shelf.setdefault(run.key, []).append(message)
        elif message.cut:
            self._outcomes.skipped(message, "dnc")
        elif message.expired(now):
            self._outcomes.skipped(message, "contact_expired")
        else:
            later = run.held_until(message.zone_set, now)
            last = message.expires_at
            self._outcomes.give_back(message, later if last is None else min(later, last))

    def _count_out(self, now: Micros) -> None:
        """Runs end although nothing can be sent."""
        over = {run for run in self.runs.values() if run.stopping or now >= run.data.expires_at}
        singles = any(run.data.standing and self.composed.waiting(run.data.stream) for run in self.runs.values())
        if over or singles:
            for message in self.composed.take_out(lambda m: m.run in over or (singles and m.expired(now))):
                self._set_aside(message, message.run, now)

    def unshelve(self, now: Micros) -> None:
        """Runs that are not paused any more go on where they stood; expired ones are counted out."""
        for key in list(self._shelf):
            run = self.runs.get(key)
            if run is None or run.running or run.stopping or now >= run.data.expires_at:
                messages = self._shelf.pop(key)
                self.composed.restore(self._line(messages[0].run), messages)

    def refused(self, submission: Submission) -> None:
        """The provider certainly did not take it: it waits again."""
        message, number, _ = submission
        # A disk that takes no more: after a crash this one would be in doubt, no worse.
        with contextlib.suppress(OSError):
            self._journal.take_back(message.id, number, message.attempt)
        self._refused.append(submission)
        self._return([submission])

    def give_back(self, not_before: Micros) -> None:
        """This lane is another's now: what it holds that is not on the wire goes to `due`."""
        asked, self._asked = self._asked, None
        for run, messages in asked.scrubbed if asked is not None else ():
            self.composed.restore(self._line(run), messages)
        self.withdraw()
        self.reserved.clear()
        self._wait_again()
        for messages in (self.composed, *self._shelf.values()):
            for message in messages:
                self._outcomes.give_back(message, not_before)
        self.composed.clear()
        self._shelf.clear()

    def recall(self, run: tuple[int, int], now: Micros) -> None:
        """A new filter of the run: what is not on the wire goes to `due`, and must pass it when it is taken again."""
        self.withdraw(run)
        if self._asked is not None:  # when it is granted: until then a flush may have its messages
            self._recalled.add(run)
            return
        self._wait_again()
        for message in self.composed.take_out(lambda message: message.run.key == run) + self._shelf.pop(run, []):
            self._outcomes.give_back(message, now)

    def lease(self, now: Micros) -> Lease | None:
        """More work, when less than the look-ahead is at hand."""
        return leasing.lease(self.row, self.runs.values(), self._slotted, self.composed.waiting, now)

    # -------------------------------------------------------------- after it

    def granted(self, flushed: Flushed, now: Micros) -> None:
        """The flush is committed: what was reserved and is still wanted gets its slots."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        messages, slots, denied = asked.messages, asked.slots, frozenset[Message]()
        charge: Charge = ()
        if asked.limits:
            grant = flushed.granted.get(self.key, Grant(self.next_slot, 0, 0, 0))
            self._again_at = min(grant.again_at, now + _LONGEST_DENIAL)
            slots = slots._replace(first=grant.first, floor=grant.floor, total=grant.segments)
            messages, denied = messages[: grant.messages], frozenset(messages[grant.messages :])
            charge = charged(asked.limits, grant)
        if slots.total:
            self.next_slot = slots.end
        took = min(now - asked.at, _LONGEST_LEAD)
        self._lead = max(took, self._lead - (self._lead - took) // 8)
        blocked = flushed.blocked.get(self.key, [])
        held = flushed.held.get(self.key) or repeat(None)
        barred = flushed.barred.get(self.key) or repeat(None)
        refused: set[Message] = set()
        for (run, of_run), phones, waits, others in zip(asked.scrubbed, blocked, held, barred, strict=False):
            word = flushed.runs.get(run.key)
            if word is not None and word.state is not run.data.state:
                run.data.state, run.data.force = word.state, word.force
            if not run.running or run.key in self._recalled or run.key in self._withdrawn:
                refused.update(of_run)
                self.composed.undo(self._line(run), of_run)  # the next reserve sees to them
                continue
            for message in of_run if phones else ():
                if message.destination in phones:
                    refused.add(message)
                    self._outcomes.skipped(message, "dnc")
            for message in of_run if waits else ():
                if waits and message not in refused and (wait := waits.get(message.id)) is not None:
                    refused.add(message)
                    self._outcomes.held(message, wait)
            for message in of_run if others else ():
                if others and message not in refused and (reason := others.get(message.destination)) is not None:
                    refused.add(message)
                    self._outcomes.barred(message, reason)
            if denied:
                self.composed.undo(self._line(run), [m for m in of_run if m in denied and m not in refused])
        submissions: list[Submission] = []
        for message in messages:
            if refused and message in refused:
                continue
            numbers, bodies = message.numbers, message.bodies
            if len(numbers) == 1:
                submissions.append((message, numbers[0], bodies[0]))
            else:
                submissions.extend([(message, n, b) for n, b in zip(numbers, bodies, strict=True)])
            numbers.clear()
            bodies.clear()
        if submissions:
            self.reserved.append(Reserved(slots._replace(total=len(submissions)), submissions))
            note(submissions, charge)
        self._outcomes.returned(charge, slots.total - len(submissions))
        recalled, self._recalled, self._withdrawn = self._recalled, set(), set()
        for key in recalled:
            self.recall(key, now)

    def leased(self, block: Block) -> Work | None:
        """A block that was taken for this lane: None where its run is not known here: give it back."""
        run = self.runs.get((block.bucket, block.run_id))
        if run is None:
            return None
        run.moved(block.cursor, block.last_position + 1)
        work = Work(block, run)
        run.composing += work.open
        return work

    def _return(self, submissions: Iterable[Submission]) -> None:
        """They had slots and are certainly not sent: the daily caps that were charged have them back."""
        for charge, segments in credit(submissions).items():
            self._outcomes.returned(charge, segments)

    # -------------------------------------------------------------- at each slot

    def pump(self, now: Micros, certain: bool, clock: Callable[[], Micros] | None = None) -> None:
        """Write what has its slot; give back in memory what missed it. `certain`: this engine's lease holds.

        `clock` is looked at once more right before each write: a process that had to wait for a processor or a disk
        while it noted, or was frozen then, would write late, and a second would be too full.
        """
        if now >= self._again_at:
            self._again_at = 0
        go = certain and not self._brake.resting(now)
        while self.reserved:
            batch = self.reserved[0]
            if go:
                missed = batch.slots.missed(now)
                if missed > batch.next:
                    self._missed += missed - batch.next
                    self._forfeit(batch, missed)
                count = min(batch.slots.passed(now) - batch.next, self.provider.free)
                if count > 0:
                    self._write(batch.submissions[batch.next : batch.next + count], batch, clock)
                if batch.next < len(batch.submissions):
                    return
            else:
                self._forfeit(batch, len(batch.submissions))
            self.reserved.popleft()

    def next_wake(self) -> Micros | None:
        """When the next slot is, or more may be asked for."""
        if self.reserved:
            return self.reserved[0].slots.at(self.reserved[0].next)
        return self._again_at or None

    def _write(self, submissions: list[Submission], batch: Reserved, clock: Callable[[], Micros] | None) -> None:
        go = submissions
        if self._stops or any(s[0].cut for s in submissions):
            go = [s for s in submissions if self._last_look(s[0])]
        if go:
            # A disk that takes no more raises here, before anything is on the wire.
            self._journal.submit([(m.id, m.crc, n, m.segments, m.attempt) for m, n, _ in go])
        first = batch.next
        batch.next += len(submissions)
        kept = go
        if go and clock is not None and (missed := batch.slots.missed(clock()) - first) > 0:
            go = self._too_late(go, submissions[:missed])
        if go:
            self._written += len(go)
            self.sent += len(go)
            self.provider.submit([(submission[2], submission) for submission in go])
        if len(kept) < len(submissions):
            noted = {id(s) for s in kept}
            stopped = [s for s in submissions if id(s) not in noted]
            self._return(stopped)
            for message, _, _ in stopped:
                self._outcomes.cut(message, "dnc")

    def _too_late(self, noted: list[Submission], late: list[Submission]) -> list[Submission]:
        """The slots of `late` went by while they were noted: they are taken back and wait again. The others."""
        ids = {id(submission) for submission in late}
        for submission in noted:
            if id(submission) in ids:
                message, number, _ = submission
                with contextlib.suppress(OSError):  # after a crash it would be in doubt, no worse
                    self._journal.take_back(message.id, number, message.attempt)
                self._forfeited.append(submission)
                self._missed += 1
                self._return([submission])
        return [submission for submission in noted if id(submission) not in ids]

    def _last_look(self, message: Message) -> bool:
        """Not where the number said STOP, or where another segment of the text was refused for good."""
        return not message.cut and not self._stops.has(message.run.groups, message.destination)

    def _forfeit(self, batch: Reserved, end: int) -> None:
        """Segments whose slot is gone, or not wanted, wait again."""
        forfeited = batch.submissions[batch.next : end]
        self._return(forfeited)
        self._forfeited.extend(forfeited)
        batch.next = end

    def _wait_again(self) -> None:
        """Before everything else of their runs, and in the order in which they had their slots."""
        waiting: dict[LaneRun, list[Message]] = {}
        for message, number, body in (*self._refused, *self._forfeited):
            if message.not_before is not None:  # another segment of it was given back meanwhile: so is this one
                self._outcomes.give_back_segment(message, number, message.not_before)
                continue
            if not message.numbers:
                waiting.setdefault(message.run, []).append(message)
            message.numbers.append(number)
            message.bodies.append(body)
        self._refused, self._forfeited = [], []
        for run, messages in waiting.items():
            self.composed.undo(self._line(run), messages)

    def withdraw(self, run: tuple[int, int] | None = None) -> None:
        """What is reserved and not on the wire waits again: everything, or what is of this run. Others of its batch
        move up to the slots that are free then. What a flush reserves right now waits again when it is granted.
        """
        if self._asked is not None:
            self._withdrawn.update(each.key for each, _ in self._asked.scrubbed if run in (None, each.key))
        for batch in self.reserved:
            if run is None:
                self._forfeit(batch, len(batch.submissions))
                continue
            left = batch.submissions[batch.next :]
            kept = [submission for submission in left if submission[0].run.key != run]
            if len(kept) < len(left):
                taken_back = [submission for submission in left if submission[0].run.key == run]
                self._return(taken_back)
                self._forfeited.extend(taken_back)
                batch.submissions[batch.next :] = kept
                batch.slots = batch.slots._replace(total=len(batch.submissions))
