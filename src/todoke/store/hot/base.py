"""The hot operations: what engines do to the store, the same contract on every database.

An engine commits for all its lanes together: everything it knows since the last time goes into one `Flush`, one
transaction. Results come first, so that a receipt in the same flush finds its submission; reserving and leasing
come last. `flush` may be called again with the very same `Flush` after an error whose outcome is unknown: the
engine's `flush_seq` tells whether it took place.

All moments are microseconds since 1970, UTC. All of these raise `StoreUnavailable` when the database does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from todoke.model.clock import Micros
from todoke.model.declared_hours import DeclaredHours
from todoke.model.errors import Conflict, Unavailable
from todoke.model.event import Event, Folded
from todoke.model.limit import Limit
from todoke.model.run import RunEvent, RunState
from todoke.model.stream import Stream
from todoke.store.hot.checking import Check
from todoke.store.hot.choice import Choice
from todoke.store.hot.flush import (
    Asked,
    Block,
    BlockKey,
    CursorAsk,
    Doubt,
    DueKey,
    DueRow,
    DueTaken,
    Flush,
    Flushed,
    Fresh,
    Lease,
    Receipt,
    Reserve,
    Returned,
    RunWord,
    Scrub,
)
from todoke.store.hot.forwarding import Forwarding
from todoke.store.hot.guarding import Guard, Held, Unused, Use
from todoke.store.hot.heard import InboundPart, OptOut, StoredInbound
from todoke.store.hot.looking import Looking
from todoke.store.hot.packing import SEPARATOR
from todoke.store.hot.replies import Done, Said
from todoke.store.hot.selecting import Selecting, Selections
from todoke.store.hot.singles import RunEnded, Single

__all__ = [
    "SEPARATOR",
    "Asked",
    "BindGroup",
    "Block",
    "BlockKey",
    "Check",
    "Choice",
    "Contact",
    "Cursor",
    "CursorAsk",
    "Done",
    "Doubt",
    "DueKey",
    "DueRow",
    "DueTaken",
    "EngineLost",
    "EngineRow",
    "Flush",
    "FlushOverlap",
    "Flushed",
    "Fresh",
    "Guard",
    "Held",
    "Hint",
    "Hot",
    "InboundPart",
    "Lane",
    "Lease",
    "NewRun",
    "OpenBlock",
    "OpenIntent",
    "OpenRun",
    "OptOut",
    "Receipt",
    "Reserve",
    "Returned",
    "Rewound",
    "RunEnded",
    "RunWord",
    "Said",
    "Scrub",
    "Selecting",
    "Sharing",
    "Single",
    "StoreUnavailable",
    "StoredInbound",
    "Unused",
    "Use",
]


class StoreUnavailable(Unavailable):
    """The database does not answer. Check that it runs and that its address is right."""


class Rewound(Conflict):
    """The database is older than what it had confirmed: a standby that lagged was promoted, or a copy restored."""


class FlushOverlap(Conflict):
    """Another process writes under this engine's id."""


class EngineLost(Conflict):
    """This engine's row is gone or was declared dead; it must stop."""


class Contact(NamedTuple):
    """What composing needs of a contact, and whether its number was on one of the DNC groups asked for. To a lane
    `position` is its ordinal in the run, see `pipeline.lanes.contacts`. `destination` 0: it has none that can be
    texted. `expires_at`: not texted from then on.
    """

    position: int
    destination: int
    zone_set: int
    fields: str
    on_dnc: bool
    expires_at: Micros | None = None


class Lane(NamedTuple):
    """A transport code that this engine now runs."""

    bucket: int
    transport_code_id: int
    provider_id: int
    code: str
    type: str
    rate: float
    epoch: int
    next_slot_at: Micros
    burst: int = 1
    limits: tuple[Limit, ...] = ()  # beside the rate


class BindGroup(NamedTuple):
    """All lanes of one provider account. `owner`: the living engine that has it. `rate`: of its codes together."""

    provider_id: int
    owner: int | None
    rate: float


class Sharing(NamedTuple):
    """The bind groups there are, and the ids of the engines that live and whose leases hold."""

    groups: list[BindGroup]
    engines: list[int]


class Hint(NamedTuple):
    """What another process changed. `work`: there may be something to send or to stop. `numbers`: (DNC group, phone,
    "out" or "in") of fresh opt-outs and opt-ins. `many`: more of them than are told.
    """

    work: bool = False
    numbers: tuple[tuple[int, int, str], ...] = ()
    many: bool = False


class Cursor(NamedTuple):
    number: int
    zone_set: int
    next_position: int
    last_position: int


@dataclass(slots=True)
class OpenRun:
    """A run that has not ended, with all that sending it needs. The skill's window, policy and attempts are live, and
    so are DNC groups (those it started with and those that are there now), caps and suppressions (`guard`).
    """

    bucket: int
    id: int
    business_unit_id: int
    list_id: int
    transport_code_id: int
    state: RunState
    force: bool
    body: str
    fields: list[str]
    zone_sets: list[list[str]]
    scrub_groups: tuple[int, ...]
    expires_at: Micros
    window: tuple[int, int]  # minutes after midnight in the contact's own time
    in_doubt_policy: str
    max_attempts: int
    smart_encoding: bool
    weight: int
    stream: Stream
    cursors: list[Cursor]
    hours: DeclaredHours  # of the unit and the skill: live
    recalls: int = 0  # the number of its last selection that took back what was not handed over
    guard: Guard | None = None
    check: Check | None = None  # beside the DNC groups; live
    standing: bool = False
    due_at: Micros | None = None  # of a standing run: when something of its stream is due next


class NewRun(NamedTuple):
    """What a run freezes when it starts."""

    bucket: int
    business_unit_id: int
    skill_id: int
    list_id: int
    transport_code_id: int
    body: str
    template_version_id: int | None
    scrub_groups: tuple[int, ...]
    started_at: Micros
    expires_at: Micros
    stream: Stream = Stream.BULK
    standing: bool = False  # a list of its own is made for it
    start_key: str | None = None  # a run that was started with it is not started again
    selecting: Selecting | None = None  # then its contacts come from a selection, which is made after the start


class EngineRow(NamedTuple):
    id: int
    host: str
    boot_id: str
    pid: int
    journal: str
    state: str
    lease_until: Micros
    flush_seq: int


class OpenBlock(NamedTuple):
    """A block that an engine left open."""

    key: BlockKey
    last_position: int
    reserved_to: int
    transport_code_id: int
    list_id: int


class OpenIntent(NamedTuple):
    key: DueKey
    run_id: int
    transport_code_id: int
    reserved: bool
    segments: str
    text_crc: int | None


class Hot(Selections, Forwarding, Looking, Protocol):
    """The contract. One instance a process; safe to call from one event loop."""

    # engines and lanes

    async def database_now(self) -> Micros:
        """The database's own clock (SQLite: this machine's)."""
        ...

    async def register_engine(
        self, host: str, boot_id: str, pid: int, journal: str, now: Micros, lease_until: Micros
    ) -> int:
        """A new engine row with flush_seq 0; returns its id."""
        ...

    async def renew_engine(self, engine_id: int, lease_until: Micros) -> bool:
        """Extend the lease; False when the row is not alive any more (the engine must stop)."""
        ...

    async def engines(self, state: str) -> list[EngineRow]:
        """All engines in that state (alive, gone)."""
        ...

    async def mark_engine(self, engine_id: int, old: str, new: str) -> bool:
        """Compare-and-set an engine's state: alive -> gone (its lanes become free), gone -> recovered."""
        ...

    async def sharing(self, now: Micros) -> Sharing:
        """Who has what. Makes missing lane rows for new transport codes first."""
        ...

    async def take_lanes(
        self, engine_id: int, now: Micros, margin: Micros, providers: Collection[int] | None = None
    ) -> list[Lane]:
        """Take the lanes of these provider accounts (of all: None) that are free, or whose engine is not alive or let
        its lease lapse; all lanes that are this engine's then.

        Makes missing lane rows for new transport codes. A taken lane's epoch goes up by one and its next slot becomes
        max(next slot, now), and `margin` later where the last owner only let its lease lapse: it may still write
        what it holds. Accounts already this engine's are returned too (unchanged), so that rate
        changes and new codes of them are seen; a new code of an account that is this engine's becomes this engine's.
        """
        ...

    async def release_lanes(self, engine_id: int, provider_id: int | None = None) -> None:
        """Give up the lanes of this account, or all (a clean stop)."""
        ...

    async def hints(self, heard: Callable[[Hint], None]) -> None:
        """Tell what other processes change, soon after they did, until cancelled. A hint may be lost or repeated, and
        may speak of our own changes: it saves waiting for the next look and replaces none.
        """
        ...

    # the flush

    async def flush(self, flush: Flush) -> Flushed:
        """Apply it, all or nothing. Rewound where flush_seq is less than seq - 1, FlushOverlap where it is more than
        seq; EngineLost where the engine is not alive.

        Where flush_seq already equals seq the flush took place before (its commit was not answered): what it
        brought is read again from its rows: the same blocks, due rows and reserves, not a second time.
        """
        ...

    # runs

    async def start_run(self, run: NewRun) -> int:
        """Insert the run, a cursor a range of the list, its first transition; makes the event partition if need be.
        Returns the run id. A standing run that its skill has with the same groups is returned as it is.

        Conflict where the list is not ready.
        """
        ...

    async def open_runs(self, transport_code_ids: Sequence[int]) -> list[OpenRun]:
        """Runs in running, paused or stopping of these codes."""
        ...

    async def control_run(self, bucket: int, run_id: int, event: RunEvent, reason: str, now: Micros) -> RunState:
        """Pause, resume, stop or force stop; returns the new state. Conflict where the state does not allow it,
        NotFound.

        Pause parks the run's due rows, resume frees them. Stop counts what no engine has taken as stopped: the rest
        of every cursor (in the tally) and every due row (as events).
        """
        ...

    async def expire_runs(self, now: Micros) -> int:
        """Count what is left of runs past their expiry as expired: cursor rests and due rows. Returns how many runs it
        touched.
        """
        ...

    async def settle_runs(self, now: Micros) -> list[tuple[int, int, RunState]]:
        """End every run whose cursors are at their ends and that has no open block, due row or intent: (bucket, id,
        new state) each. Idempotent.
        """
        ...

    # contacts

    async def read_contacts(
        self, bucket: int, list_id: int, first: int, last: int, groups: tuple[int, ...]
    ) -> list[Contact]:
        """Positions first..last in order."""
        ...

    async def read_contacts_at(
        self, bucket: int, list_id: int, positions: Sequence[int], groups: tuple[int, ...]
    ) -> list[Contact]:
        """Just these positions, in order of position."""
        ...

    async def held_back(self, guard: Guard, messages: Sequence[tuple[int, int]]) -> dict[int, Held]:
        """Which of the messages (id, number) may not go now, by suppressions and caps. Only asks: what counts is what
        the reserving flush says.
        """
        ...

    async def barred(
        self, bucket: int, groups: tuple[int, ...], check: Check, phones: Sequence[int], now: Micros
    ) -> dict[int, str]:
        """Those of the numbers that the check is against, with the reason: `no_consent`, or `dnc` or `erased` for
        people who were erased. Conflict where that takes a key that this machine has not.
        """
        ...

    def use_key(self, hashed: Callable[[int], int]) -> None:
        """How the number of an erased person is recognised: the installation's keyed hash."""
        ...

    # recovery

    async def open_blocks(self, engine_id: int) -> list[OpenBlock]: ...

    async def open_intents(self, engine_id: int) -> list[OpenIntent]: ...

    async def events_between(self, first_message_id: int, last_message_id: int) -> list[Event]:
        """All events of messages with ids in the inclusive range (one bucket)."""
        ...

    async def recover_block(
        self,
        key: BlockKey,
        dead_engine_id: int,
        due: Sequence[DueRow],
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        """Close a dead engine's open block; what was not sent goes to `due` (parked if its run is paused), doubts
        become events with their tallies.

        One transaction; False if the block was closed already. Due rows and events that exist are left alone. Of a
        run that is stopping or ended, due rows become STOPPED events.
        """
        ...

    async def recover_intent(
        self,
        key: DueKey,
        dead_engine_id: int,
        due: DueRow | None,
        events: Sequence[Event],
        doubts: Sequence[Doubt] = (),
    ) -> bool:
        """The same for an intent."""
        ...

    # doubts

    async def resend_doubts(self, now: Micros) -> int:
        """Of what its policy sends again and nothing has resolved by `now`: the next attempt goes to `due`. Returns how
        many messages.

        Any number of engines may do this at once. Out of attempts, or its run stopping, expired or ended: it stays in
        doubt. While anything of the message is under way it is looked at again later.
        """
        ...

    async def match_doubts(self, provider_id: int, now: Micros, before: Micros) -> int:
        """Orphans and doubts of this provider that can only belong together become receipts of those doubts: by the
        reference that the orphan echoes, or, of orphans without one that came until `before`, by code, number and
        time. Returns how many doubts it ended.
        """
        ...

    async def resolve_doubts(
        self, bucket: int, run_id: int, message_ids: Sequence[int], choice: Choice, reason: str, now: Micros
    ) -> int:
        """What a person decides about all doubts of these messages of the run; returns how many messages had any.

        All in one transaction. To send again opens a finished run; Conflict where it was stopped, is stopping or has
        expired.
        """
        ...

    # what phones say

    async def store_inbound(self, parts: Sequence[InboundPart]) -> list[StoredInbound]:
        """Store, then it may be acknowledged. A part equal in everything but `session` and time, that came on
        another session within the last 5 minutes, is a repeat.

        Parts of one text: same provider, source, destination, reference and total, received within the last hour.
        """
        ...

    async def apply_opt_outs(self, opt_outs: Sequence[OptOut], meanings: Sequence[tuple[int, str]]) -> list[OptOut]:
        """Opt-outs and opt-ins with their DNC entries and what changed; `meanings` sets inbound.meaning by id. One
        transaction; idempotent. Returns them all, and those for groups that skills contribute to.
        """
        ...

    async def apply_replies(self, replies: Sequence[Said]) -> list[Done]:
        """What replies mean takes effect: opt-outs, holds, and what is sent back. One transaction; idempotent. RunEnded
        where an answer's run is not open any more: nothing was done.
        """
        ...

    async def post(self, singles: Sequence[Single]) -> list[int]:
        """Append single messages to standing runs; their ids. RunEnded where a run is not open any more."""
        ...

    # readings

    async def message_states(
        self, bucket: int, run_id: int, first_ordinal: int, limit: int
    ) -> list[tuple[int, Folded]]:
        """Messages of the run that have events, from `first_ordinal` on in order: (message_id, state). For lists and
        for checking the tallies.
        """
        ...
