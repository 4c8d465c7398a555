"""What became of messages since the last flush, gathered in the form in which the store takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from todoke.model.clock import SECOND, Clock, Micros
from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.model.limit import LimitKey
from todoke.pipeline.lanes.charging import Charge
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.providers.base import Decision, Failure
from todoke.store.hot.base import Block, BlockKey, Doubt, DueKey, DueRow, Flush, Fresh, Held, Returned, Unused
from todoke.store.hot.checking import KEYLESS, NO_KEY

_FIRST_RETRY = 30 * SECOND
_LONGEST_RETRY = 3600 * SECOND
LONGEST_PATIENCE = 3600.0  # no provider waits longer for an answer


def retry_after(attempt: int) -> Micros:
    """How long to wait before the attempt after this one (0 for the first): 30 s, doubling, at most an hour."""
    return min(_FIRST_RETRY << min(attempt, 10), _LONGEST_RETRY)


def _another(decision: Decision, message: Message) -> bool:
    """Whether a later attempt may follow; `_try_again` counts the attempts of what is retryable."""
    return decision is Decision.RETRYABLE or message.attempt == 0


class Outcomes:
    """Collects on the event loop; `drain` hands everything over to one flush.

    `on_refused(submission, decision)` is called for a submission that certainly did not leave, or came too fast: it
    waits in its lane, it is no attempt.
    """

    def __init__(self, clock: Clock, on_refused: Callable[[Submission, Decision], None]) -> None:
        self._clock = clock
        self._on_refused = on_refused
        self._fresh: dict[tuple[int, int, int], Fresh] = {}
        self._events: list[Event] = []
        self._doubts: list[Doubt] = []
        self._due: list[DueRow] = []
        self._closed: list[BlockKey] = []
        self._settled: list[DueKey] = []
        self._returned: dict[tuple[LimitKey, int], int] = {}  # segments by limit and day
        self._unused: list[Unused] = []

    def __bool__(self) -> bool:
        return bool(
            self._fresh or self._events or self._due or self._closed or self._settled or self._returned or self._unused
        )

    def drain(self, flush: Flush) -> None:
        """Everything so far goes with this flush."""
        flush.fresh.extend(self._fresh.values())
        flush.events.extend(self._events)
        flush.doubts.extend(self._doubts)
        flush.due.extend(self._due)
        flush.closed.extend(self._closed)
        flush.settled.extend(self._settled)
        flush.unused.extend(self._unused)
        flush.returned.extend(Returned(key, day, count) for (key, day), count in self._returned.items())
        self._fresh, self._events, self._doubts, self._returned = {}, [], [], {}
        self._due, self._closed, self._settled, self._unused = [], [], [], []

    # -------------------------------------------------------------- from the provider

    def accepted(self, provider_id: int, tokens: Sequence[object], provider_message_ids: Sequence[str]) -> None:
        """The carrier has these segments."""
        fresh: Fresh | None = None
        last_run: object = None
        submissions = cast("Sequence[Submission]", tokens)
        for (message, number, _), provider_message_id in zip(submissions, provider_message_ids, strict=True):
            # Fresh are messages that no event can speak of yet: the first attempts of a block's own positions.
            if message.segments == 1 and (work := message.work) is not None:
                run = message.run
                if run is not last_run:
                    fresh, last_run = self._fresh_of(message, provider_id), run
                if fresh is not None:
                    fresh.message_ids.append(message.id)
                    fresh.provider_message_ids.append(provider_message_id)
                message.left = 0
                work.open -= 1  # nothing else can be said of this attempt
                if not work.open:
                    self._closed.append(work.block.key)
                continue
            self._event(message, number, Kind.ACCEPTED, provider_id, provider_message_id)
            message.left -= 1
            if not message.left:
                self._done(message)

    def _fresh_of(self, message: Message, provider_id: int) -> Fresh:
        bucket, run_id = message.run.key
        key = (bucket, run_id, provider_id)
        found = self._fresh.get(key)
        if found is None:
            found = self._fresh[key] = Fresh(bucket, run_id, provider_id, self._clock.now(), [], [])
        return found

    def failed(self, provider_id: int, failures: Sequence[Failure], patience: float = LONGEST_PATIENCE) -> None:
        """These were not taken, or nobody knows; `patience` is how many seconds the provider waits for an answer.

        What is in doubt is not tried again from here: its receipt may come. Its skill's policy decides later.
        """
        for failure in failures:
            submission = cast("Submission", failure.token)
            message, number, _ = submission
            match failure.decision:
                case Decision.THROTTLED | Decision.NEVER_SENT:
                    self._on_refused(submission, failure.decision)
                    continue
                case Decision.RETRYABLE | Decision.RETRY_ONCE if _another(failure.decision, message):
                    message.deferred += ((number, failure.reason),)
                case Decision.PERMANENT | Decision.RETRYABLE | Decision.RETRY_ONCE:
                    self._event(message, number, Kind.REJECTED, provider_id, None, failure.reason)
                    message.cut = True
                case Decision.MAYBE_SENT:
                    self._event(message, number, Kind.IN_DOUBT, provider_id, None, failure.reason)
                    since = self._clock.now() - round((patience + 1) * SECOND)
                    self._doubts.append(
                        Doubt(message.id, number, message.attempt, message.destination, message.crc, since)
                    )
            message.left -= 1
            if not message.left:
                self._done(message)

    def resolved(self, provider_id: int, token: object, provider_message_id: str, failure: Failure | None) -> None:
        """A late answer: the doubt about this segment is over. Refusals of any kind are final now: no blind resend."""
        message, number, _ = cast("Submission", token)
        if failure is None:
            self._event(message, number, Kind.ACCEPTED, provider_id, provider_message_id)
        else:
            self._event(message, number, Kind.REJECTED, provider_id, None, failure.reason)

    # -------------------------------------------------------------- without the provider

    def skipped(self, message: Message, reason: str) -> None:
        """It goes no further; nothing of this attempt is on the wire."""
        self._whole(message, Kind.SKIPPED, reason)

    def stopped(self, message: Message) -> None:
        """Its run was stopped."""
        self._whole(message, Kind.STOPPED, "stopped")

    def expired(self, message: Message) -> None:
        """Its run is too old."""
        self._whole(message, Kind.EXPIRED, "expired")

    def give_back(self, message: Message, not_before: Micros) -> None:
        """What waits of it goes back to `due`, as soon as what is with the provider is answered; the same attempt."""
        message.not_before = not_before
        message.left -= len(message.numbers)
        if not message.left:
            self._done(message)

    def held(self, message: Message, held: Held) -> None:
        """A suppression or a cap holds it: it waits, or goes no further where its run ends before, or it does."""
        last = message.run.data.expires_at if message.expires_at is None else message.expires_at
        if held.until < last:
            self.give_back(message, held.until)
        else:
            self.skipped(message, held.reason)

    def barred(self, message: Message, reason: str) -> None:
        """It goes no further for that reason; or it waits, where nobody can tell for lack of the key."""
        if reason == NO_KEY:
            self.held(message, Held(self._clock.now() + KEYLESS, NO_KEY))
        else:
            self.skipped(message, reason)

    def give_back_segment(self, message: Message, number: int, not_before: Micros) -> None:
        """A segment that was refused, of a message that was given back or whose lane is gone: it goes to `due` too."""
        if message.not_before is None:
            message.not_before = not_before
        message.numbers.append(number)
        message.left -= 1
        if not message.left:
            self._done(message)

    def give_back_block(self, block: Block, not_before: Micros) -> None:
        """A block that cannot be worked on here: all of it goes to `due`."""
        start = base(block.bucket, block.run_id)
        self._due.extend(
            DueRow(block.bucket, start + position, 0, block.run_id, block.transport_code_id, not_before)
            for position in range(block.first_position, block.last_position + 1)
        )
        self._closed.append(block.key)

    def cut(self, message: Message, reason: str) -> None:
        """One of its segments is not written after all, and so none of the rest."""
        self._count_out(message, Kind.SKIPPED, reason)
        message.left -= 1
        if not message.left:
            self._done(message)

    def composed(self, events: Sequence[Event], due: Sequence[DueRow], work: Work | None) -> None:
        """Contacts that did not become messages: out, or early."""
        self._events.extend(events)
        self._due.extend(due)
        if work is not None:
            self._count_down(work, len(events) + len(due))

    def settle(self, key: DueKey) -> None:
        """The due row that was taken has its outcome."""
        self._settled.append(key)

    def returned(self, charge: Charge, segments: int) -> None:
        """So many segments that were charged so are certainly not sent."""
        for cap in charge if segments else ():
            self._returned[cap] = self._returned.get(cap, 0) + segments

    def _whole(self, message: Message, kind: Kind, reason: str) -> None:
        self._count_out(message, kind, reason)
        message.left -= len(message.numbers)
        message.numbers, message.bodies = [], []
        if not message.left:
            self._done(message)

    def _count_out(self, message: Message, kind: Kind, reason: str) -> None:
        if not message.cut:
            message.cut = True
            self._events.append(
                Event(message.id, 0, message.attempt, kind, self._clock.now(), message.segments, reason=reason)
            )

    def _event(
        self,
        message: Message,
        number: int,
        kind: Kind,
        provider_id: int,
        provider_message_id: str | None,
        reason: str = "",
    ) -> None:
        self._events.append(
            Event(
                message.id,
                number,
                message.attempt,
                kind,
                self._clock.now(),
                message.segments,
                provider_id,
                provider_message_id,
                reason,
            )
        )

    def _done(self, message: Message) -> None:
        """Every segment of this attempt is answered."""
        if not message.cut:
            if message.not_before is not None and message.numbers:
                self._due.append(_due(message, message.attempt, message.numbers, message.not_before))
            if message.deferred:
                self._try_again(message)
        if message.work is not None:
            self._count_down(message.work, 1)
        elif message.taken is not None:
            self._settled.append(message.taken.key)
        guard = message.run.data.guard
        if guard is not None and guard.counts and (message.cut or message.not_before is not None or message.deferred):
            unit = (guard.bucket, guard.business_unit_id)
            self._unused.append(Unused(*unit, message.destination, message.id))

    def _try_again(self, message: Message) -> None:
        data = message.run.data
        now = self._clock.now()
        exhausted = message.attempt + 1 >= data.max_attempts
        kind = Kind.REJECTED if exhausted else Kind.DEFERRED
        for number, reason in message.deferred:
            self._events.append(Event(message.id, number, message.attempt, kind, now, message.segments, reason=reason))
        if not exhausted:
            numbers = [number for number, _ in message.deferred]
            self._due.append(_due(message, message.attempt + 1, numbers, now + retry_after(message.attempt)))

    def _count_down(self, work: Work, count: int) -> None:
        work.open -= count
        if not work.open:
            self._closed.append(work.block.key)


def _due(message: Message, attempt: int, numbers: Sequence[int], not_before: Micros) -> DueRow:
    """These segments of the message, to be sent from then on."""
    data = message.run.data
    partly = len(numbers) < message.segments
    return DueRow(
        data.bucket,
        message.id,
        attempt,
        data.id,
        data.transport_code_id,
        not_before,
        ",".join(map(str, sorted(numbers))) if partly else "",
        message.crc if partly else None,
    )
