"""What an engine commits in one transaction, and what that brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from todoke.model.allowance import Grant, Wish
from todoke.model.clock import Micros
from todoke.model.event import Event
from todoke.model.limit import Limit, LimitKey
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.store.hot.checking import Check
from todoke.store.hot.guarding import Guard, Held, Unused

# ------------------------------------------------------------------ what a flush carries


class Fresh(NamedTuple):
    """Messages of one segment that a provider accepted at their first attempt, of which no event is stored yet: the
    hot path.

    The two lists run in parallel. `at` is one moment for all of them.
    """

    bucket: int
    run_id: int
    provider_id: int
    at: Micros
    message_ids: list[int]
    provider_message_ids: list[str]  # normalised


class Receipt(NamedTuple):
    """A provider's word on a submission. `kind` is Kind.DELIVERED or Kind.UNDELIVERED."""

    provider_id: int
    provider_message_id: str  # normalised
    kind: int
    at: Micros
    reason: str
    raw: str  # kept when it matches nothing yet; no message text
    phone: str = ""  # whom the submission went to, as the provider writes it
    code: str = ""  # what it was sent from
    reference: int | None = None  # the reference of the submission, where the provider echoes it


class Doubt(NamedTuple):
    """What an engine knows about an event IN_DOUBT of the same flush, beyond the event; None where it does not know."""

    message_id: int
    segment: int
    attempt: int
    destination: int | None
    text_crc: int | None
    earliest_at: Micros | None  # it was certainly not written before


class BlockKey(NamedTuple):
    bucket: int
    run_id: int
    first_position: int


class DueRow(NamedTuple):
    """Something to be sent at its own time. `segments`: empty for the whole message, else "2,3". `text_crc` where
    parts are with the provider.
    """

    bucket: int
    message_id: int
    attempt: int
    run_id: int
    transport_code_id: int
    not_before: Micros
    segments: str = ""
    text_crc: int | None = None


class DueKey(NamedTuple):
    bucket: int
    message_id: int
    attempt: int


class Scrub(NamedTuple):
    """Numbers to look up once more in these DNC groups; where the run has a guard, also the messages to these numbers,
    as (message id, number): whether they are held, and what of them counts against caps.
    """

    bucket: int
    groups: tuple[int, ...]
    phones: list[int]
    guard: Guard | None = None
    guarded: Sequence[tuple[int, int]] = ()
    check: Check | None = None  # what else to look up of them


class Asked(NamedTuple):
    """What a lane asks for whose slots depend on limits beside its rate. `marks`: for each message of the wish the
    block that it is of, with its position, or its intent. `rank`: of the stream of the first one. `since`: where the
    lane's last slot ended.
    """

    wish: Wish
    limits: tuple[Limit, ...]
    marks: list[tuple[BlockKey, int] | DueKey]
    rank: int
    since: Micros


class Returned(NamedTuple):
    """Segments that were granted on this day and certainly not sent: the daily cap has them back."""

    key: LimitKey
    day: int
    segments: int


@dataclass(slots=True)
class Reserve:
    """Slots for one lane. Granted only while the lane is this engine's under this epoch.

    `blocks`: key and the last position that may now be sent. `intents`: due rows taken earlier that may now be sent.
    Where there are limits beside the rate, `asked` says what is wanted, and `next_slot_at`, `blocks` and `intents`
    follow from what is granted; see `Flushed.granted`.
    """

    bucket: int
    transport_code_id: int
    epoch: int
    next_slot_at: Micros
    blocks: list[tuple[BlockKey, int]] = field(default_factory=list[tuple[BlockKey, int]])
    intents: list[DueKey] = field(default_factory=list[DueKey])
    scrubs: list[Scrub] = field(default_factory=list[Scrub])
    asked: Asked | None = None


class CursorAsk(NamedTuple):
    """Take up to `limit` positions at a run's cursor, if it still stands at `expected`."""

    run_id: int
    number: int
    expected: int
    limit: int


@dataclass(slots=True)
class Lease:
    """More work for one lane: positions from cursors, and rows of `due` that are ready at the flush's time: up to so
    many of each stream.
    """

    bucket: int
    transport_code_id: int
    epoch: int
    cursors: list[CursorAsk] = field(default_factory=list[CursorAsk])
    due: dict[Stream, int] = field(default_factory=dict[Stream, int])


@dataclass(slots=True)
class Flush:
    """One transaction of an engine, applied in the order of the fields. `seq` counts up by one."""

    engine_id: int
    seq: int
    now: Micros
    fresh: list[Fresh] = field(default_factory=list[Fresh])
    events: list[Event] = field(default_factory=list[Event])
    doubts: list[Doubt] = field(default_factory=list[Doubt])  # of those events that are IN_DOUBT
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    closed: list[BlockKey] = field(default_factory=list[BlockKey])
    settled: list[DueKey] = field(
        default_factory=list[DueKey]
    )  # intents that have their outcome (or go back to due below)
    due: list[DueRow] = field(default_factory=list[DueRow])
    returned: list[Returned] = field(default_factory=list[Returned])
    unused: list[Unused] = field(default_factory=list[Unused])
    reserves: list[Reserve] = field(default_factory=list[Reserve])
    leases: list[Lease] = field(default_factory=list[Lease])
    orphans: bool = False  # look at receipts that wait for their submission, though nothing new is known here

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(
            self.fresh
            or self.events
            or self.receipts
            or self.closed
            or self.settled
            or self.due
            or self.returned
            or self.unused
            or self.reserves
            or self.leases
            or self.orphans
        )


# ------------------------------------------------------------------ what comes back


class Block(NamedTuple):
    """Positions first..last (inclusive) that are now this engine's."""

    bucket: int
    run_id: int
    first_position: int
    last_position: int
    transport_code_id: int
    cursor: int

    @property
    def key(self) -> BlockKey:
        return BlockKey(self.bucket, self.run_id, self.first_position)


class DueTaken(NamedTuple):
    """A due row that is now this engine's intent."""

    bucket: int
    message_id: int
    attempt: int
    run_id: int
    transport_code_id: int
    segments: str
    text_crc: int | None

    @property
    def key(self) -> DueKey:
        return DueKey(self.bucket, self.message_id, self.attempt)


class RunWord(NamedTuple):
    """A run's state as the reserving transaction saw it."""

    state: RunState
    force: bool


@dataclass(slots=True)
class Flushed:
    """What a flush brought.

    `lost`: lanes (transport code ids) that are not this engine's any more: nothing was reserved or leased for them.
    `granted`: what limits allowed of each Reserve that asked; after a flush that took place before, nothing: what it
    granted then is forfeited. `blocked`: for each Scrub of each granted Reserve, in order, the numbers that are on a
    list. `held`: in the same order, which messages are held, until when and why; nothing of a Reserve without guards.
    `barred`: the same where a Scrub has a Check, the reason by number.
    `runs`: the state of every run that a granted Reserve touched, by (bucket, run_id).
    """

    lost: set[int] = field(default_factory=set[int])
    blocked: dict[int, list[set[int]]] = field(default_factory=dict[int, list[set[int]]])  # by transport code id
    held: dict[int, list[dict[int, Held]]] = field(default_factory=dict[int, list[dict[int, Held]]])
    barred: dict[int, list[dict[int, str]]] = field(default_factory=dict[int, list[dict[int, str]]])  # the same
    runs: dict[tuple[int, int], RunWord] = field(default_factory=dict[tuple[int, int], RunWord])
    blocks: list[Block] = field(default_factory=list[Block])
    due: list[DueTaken] = field(default_factory=list[DueTaken])
    granted: dict[int, Grant] = field(default_factory=dict[int, Grant])  # by transport code id
    orphans: int = 0  # receipts kept because they match nothing yet
