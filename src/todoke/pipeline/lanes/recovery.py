"""After a crash: what a dead engine left open, told apart into not sent, sent, and in doubt.

    never reserved                        it was not sent: back to `due`
    reserved, not in the journal          it was not sent: back to `due`
    reserved, in the journal, no answer   nobody knows: in doubt
    answered                              it is an event already

Only who holds the dead engine's journal may do this, or, for an engine of another machine, whoever finds that its
lease has lapsed long ago. A journal of another boot of the machine, or none at all, says nothing: then all that was
reserved and not answered is in doubt.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from todoke.model.clock import SECOND, Clock, Micros
from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.pipeline.lanes import lengths
from todoke.pipeline.lanes.journal import DeadJournal, Record, seize
from todoke.store.hot.base import Doubt, DueRow, EngineRow, Hot, OpenBlock, OpenIntent

_log = logging.getLogger(__name__)


class Recovery:
    """Recovers dead engines: of this host at once, of another `host_lost_after` seconds after its lease lapsed."""

    def __init__(
        self, hot: Hot, clock: Clock, boot_id: str, incarnation: str, *, host_lost_after: float = 600.0
    ) -> None:
        self._hot = hot
        self._clock = clock
        self._boot_id = boot_id
        self._incarnation = incarnation
        self._host_lost_after = int(host_lost_after * SECOND)

    async def run(self, mine: int | None = None) -> int:
        """Recover every dead engine, those whose journal somebody holds left out; returns how many. Never `mine`."""
        host = socket.gethostname()
        recovered = 0
        for engine in [*await self._hot.engines("alive"), *await self._hot.engines("gone")]:
            if engine.id != mine and await (self._near(engine) if engine.host == host else self._far(engine)):
                recovered += 1
        return recovered

    async def _near(self, engine: EngineRow) -> bool:
        path = Path(engine.journal)
        if engine.state == "alive" and engine.lease_until > self._clock.now() and not path.exists():
            return False  # another machine of this name, or a folder that we do not see: no sign that it is dead
        journal = seize(path)
        if journal is None:
            return False
        try:
            return await self._recover(engine, journal)
        finally:
            journal.close()

    async def _far(self, engine: EngineRow) -> bool:
        if engine.lease_until + self._host_lost_after > self._clock.now():
            return False
        return await self._recover(engine, None)

    async def _recover(self, engine: EngineRow, journal: DeadJournal | None) -> bool:
        if engine.state == "alive" and not await self._hot.mark_engine(engine.id, "alive", "gone"):
            return False
        blocks = await self._hot.open_blocks(engine.id)
        intents = await self._hot.open_intents(engine.id)
        # In a thread: it may be large, and this engine's own lanes have their slots meanwhile.
        record = await asyncio.to_thread(journal.read, _open(blocks, intents)) if journal else Record("", "")
        if record.boot_id != self._boot_id or record.incarnation != self._incarnation:
            if blocks or intents:
                _log.warning(
                    "engine %d left no journal of this boot and this database: what it had reserved is in doubt",
                    engine.id,
                    extra={"action": "journal_void", "engine": engine.id},
                )
            record = None
        sizes = await lengths.segments(self._hot, blocks, intents) if record is None else {}
        await self._blocks(engine.id, blocks, record, sizes)
        await self._intents(engine.id, intents, record, sizes)
        if journal is not None:  # before nobody looks for it any more: we may be killed in between
            journal.remove()
        await self._hot.mark_engine(engine.id, "gone", "recovered")
        _log.info("engine %d is recovered", engine.id, extra={"action": "recovered", "engine": engine.id})
        return True

    async def _blocks(
        self, engine_id: int, blocks: Sequence[OpenBlock], record: Record | None, sizes: Mapping[int, int]
    ) -> None:
        for block in blocks:
            first, last = _ids(block)
            told: dict[int, list[Event]] = {}
            for event in await self._hot.events_between(first, last):
                told.setdefault(event.message_id, []).append(event)
            due, doubts = judge_block(block, told, record, self._clock.now(), sizes)
            await self._hot.recover_block(block.key, engine_id, due, doubts, _details(doubts, record, None))

    async def _intents(
        self, engine_id: int, intents: Sequence[OpenIntent], record: Record | None, sizes: Mapping[int, int]
    ) -> None:
        for intent in intents:
            message_id = intent.key.message_id
            told = await self._hot.events_between(message_id, message_id)
            due, doubts = judge_intent(intent, told, record, self._clock.now(), sizes)
            details = _details(doubts, record, intent.text_crc)
            await self._hot.recover_intent(intent.key, engine_id, due, doubts, details)


def _details(doubts: Iterable[Event], record: Record | None, text_crc: int | None) -> list[Doubt]:
    """From what text each doubt was cut, as far as the journal tells; the store knows to whom it went."""
    sent = record.sent if record is not None else {}
    return [
        Doubt(
            event.message_id,
            event.segment,
            event.attempt,
            None,
            entry.crc
            if (entry := sent.get((event.message_id, event.attempt), {}).get(event.segment)) is not None
            else text_crc,
            None,
        )
        for event in doubts
    ]


def _ids(block: OpenBlock) -> tuple[int, int]:
    """The ids of the block's first and last message."""
    start = base(block.key.bucket, block.key.run_id)
    return start + block.key.first_position, start + block.last_position


def _open(blocks: Iterable[OpenBlock], intents: Iterable[OpenIntent]) -> Callable[[int], bool]:
    """Whether a message id is of one of these."""
    ranges = sorted(_ids(block) for block in blocks)
    firsts = [first for first, _ in ranges]
    single = {intent.key.message_id for intent in intents}

    def wanted(message_id: int) -> bool:
        at = bisect_right(firsts, message_id) - 1
        return (at >= 0 and message_id <= ranges[at][1]) or message_id in single

    return wanted


def judge_block(
    block: OpenBlock,
    told: dict[int, list[Event]],
    record: Record | None,
    now: Micros,
    sizes: Mapping[int, int] = MappingProxyType({}),
) -> tuple[list[DueRow], list[Event]]:
    """What goes back to `due` and what is in doubt, of a block's positions. `told`: its events by message; `sizes`:
    the segments of messages that have several, which counts where neither journal nor events tell.
    """
    due: list[DueRow] = []
    doubts: list[Event] = []
    start = base(block.key.bucket, block.key.run_id)
    for position in range(block.key.first_position, block.last_position + 1):
        message_id = start + position
        back = DueRow(block.key.bucket, message_id, 0, block.key.run_id, block.transport_code_id, now)
        again = _judge(
            back,
            told.get(message_id, []),
            record,
            reserved=position <= block.reserved_to,
            size=sizes.get(message_id, 1),
            now=now,
            doubts=doubts,
        )
        if again is not None:
            due.append(again)
    return due, doubts


def judge_intent(
    intent: OpenIntent,
    told: list[Event],
    record: Record | None,
    now: Micros,
    sizes: Mapping[int, int] = MappingProxyType({}),
) -> tuple[DueRow | None, list[Event]]:
    """The same for a due row that was taken."""
    doubts: list[Event] = []
    key = intent.key
    back = DueRow(
        key.bucket,
        key.message_id,
        key.attempt,
        intent.run_id,
        intent.transport_code_id,
        now,
        intent.segments,
        intent.text_crc,
    )
    of_attempt = [event for event in told if event.attempt == key.attempt]
    size = sizes.get(key.message_id, 1)
    return _judge(back, of_attempt, record, reserved=intent.reserved, size=size, now=now, doubts=doubts), doubts


def _judge(
    back: DueRow,
    told: list[Event],
    record: Record | None,
    *,
    reserved: bool,
    size: int,
    now: Micros,
    doubts: list[Event],
) -> DueRow | None:
    """One message at one attempt: its due row if anything of it is to be sent (again); doubts are added to `doubts`."""
    whole = any(event.segment == 0 for event in told)
    answered: dict[int, Event] = {}
    for event in told:
        if event.attempt == back.attempt and event.segment:
            best = answered.get(event.segment)
            answered[event.segment] = event if best is None or event.kind > best.kind else best
    if record is None and reserved and not whole:
        # Without a journal nobody knows what of it left.
        total = max((event.segments for event in told), default=size)
        wanted = range(1, total + 1) if not back.segments else [int(n) for n in back.segments.split(",")]
        doubts.extend(_doubt(back, n, total, now, "journal_lost") for n in wanted if n not in answered)
        return None
    written = record.sent.get((back.message_id, back.attempt), {}) if record is not None else {}
    total = max((entry.segments for entry in written.values()), default=0)
    total = max(total, max((event.segments for event in told), default=0))
    for number, entry in written.items():
        if number not in answered:
            doubts.append(_doubt(back, number, entry.segments, now, "engine_crashed"))
    if whole:
        return None  # it was counted out, perhaps after a part of it had left
    if not written and not answered:
        return back  # as it was: the whole message, or the segments that were left of it
    deferred = [number for number, event in answered.items() if event.kind == Kind.DEFERRED]
    if deferred and len(deferred) == len(answered) and not written.keys() - answered.keys():
        return None  # its next attempt is in `due` already
    wanted = range(1, total + 1) if not back.segments else [int(n) for n in back.segments.split(",")]
    unsent = [number for number in wanted if number not in written and number not in answered]
    if not unsent or _failed(answered.values()):
        return None
    crc = next((entry.crc for entry in written.values()), back.text_crc)
    return back._replace(segments=",".join(map(str, unsent)), text_crc=crc)


def _failed(events: Iterable[Event]) -> bool:
    """A segment was refused for good: the rest need not go."""
    return any(event.kind in (Kind.REJECTED, Kind.UNDELIVERED) for event in events)


def _doubt(back: DueRow, number: int, segments: int, now: Micros, reason: str) -> Event:
    return Event(back.message_id, number, back.attempt, Kind.IN_DOUBT, now, segments, reason=reason)
