"""After a crash: what a dead engine left open, told apart into not sent, sent, and in doubt.

    never reserved                        it was not sent: back to `due`
    reserved, not in the journal          it was not sent: back to `due`
    reserved, in the journal, no answer   nobody knows: in doubt
    answered                              it is an event already

Only who holds the dead engine's journal may do this. A journal of another boot of the machine, or none at all, says
nothing: then all that was reserved and not answered is in doubt.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from pathlib import Path

from todoke.model.clock import Clock, Micros
from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.pipeline.lanes.journal import Record, seize
from todoke.store.hot.base import DueRow, EngineRow, Hot, OpenBlock, OpenIntent

_log = logging.getLogger(__name__)


class Recovery:
    """Recovers dead engines of this host."""

    def __init__(self, hot: Hot, clock: Clock, boot_id: str, incarnation: str) -> None:
        self._hot = hot
        self._clock = clock
        self._boot_id = boot_id
        self._incarnation = incarnation

    async def run(self, mine: int | None = None) -> int:
        """Recover every engine of this host whose journal is not held by anyone; returns how many. `mine` is left out."""
        host = socket.gethostname()
        recovered = 0
        for engine in [*await self._hot.engines("alive"), *await self._hot.engines("gone")]:
            if engine.host == host and engine.id != mine and await self._one(engine):
                recovered += 1
        return recovered

    async def _one(self, engine: EngineRow) -> bool:
        journal = seize(Path(engine.journal))
        if journal is None:
            return False
        done = False
        try:
            if engine.state == "alive" and not await self._hot.mark_engine(engine.id, "alive", "gone"):
                return False
            record = journal.read()
            known = record.boot_id == self._boot_id and record.incarnation == self._incarnation
            if not known:
                _log.warning(
                    "the journal of engine %d is not of this boot or this database: what it had reserved is in doubt",
                    engine.id,
                    extra={"action": "journal_void", "engine": engine.id},
                )
            await self._blocks(engine.id, record if known else None)
            await self._intents(engine.id, record if known else None)
            await self._hot.mark_engine(engine.id, "gone", "recovered")
            done = True
            _log.info("engine %d is recovered", engine.id, extra={"action": "recovered", "engine": engine.id})
        finally:
            journal.close(remove=done)
        return done

    async def _blocks(self, engine_id: int, record: Record | None) -> None:
        for block in await self._hot.open_blocks(engine_id):
            first = base(block.key.bucket, block.key.run_id) + block.key.first_position
            last = first + block.last_position - block.key.first_position
            told: dict[int, list[Event]] = {}
            for event in await self._hot.events_between(first, last):
                told.setdefault(event.message_id, []).append(event)
            due, doubts = judge_block(block, told, record, self._clock.now())
            await self._hot.recover_block(block.key, engine_id, due, doubts)

    async def _intents(self, engine_id: int, record: Record | None) -> None:
        for intent in await self._hot.open_intents(engine_id):
            message_id = intent.key.message_id
            told = await self._hot.events_between(message_id, message_id)
            due, doubts = judge_intent(intent, told, record, self._clock.now())
            await self._hot.recover_intent(intent.key, engine_id, due, doubts)


def judge_block(
    block: OpenBlock, told: dict[int, list[Event]], record: Record | None, now: Micros
) -> tuple[list[DueRow], list[Event]]:
    """What goes back to `due` and what is in doubt, of a block's positions. `told`: its events by message."""
    due: list[DueRow] = []
    doubts: list[Event] = []
    start = base(block.key.bucket, block.key.run_id)
    for position in range(block.key.first_position, block.last_position + 1):
        message_id = start + position
        back = DueRow(block.key.bucket, message_id, 0, block.key.run_id, block.transport_code_id, now)
        again = _judge(
            back, told.get(message_id, []), record, reserved=position <= block.reserved_to, now=now, doubts=doubts
        )
        if again is not None:
            due.append(again)
    return due, doubts


def judge_intent(
    intent: OpenIntent, told: list[Event], record: Record | None, now: Micros
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
    return _judge(back, of_attempt, record, reserved=intent.reserved, now=now, doubts=doubts), doubts


def _judge(
    back: DueRow, told: list[Event], record: Record | None, *, reserved: bool, now: Micros, doubts: list[Event]
) -> DueRow | None:
    """One message at one attempt: its due row if anything of it is to be sent (again); doubts are added to `doubts`."""
    if any(event.segment == 0 for event in told):
        return None  # it was counted out
    answered = {event.segment: event for event in told if event.attempt == back.attempt}
    if record is None and reserved:
        # Without a journal nobody knows what of it left.
        total = max((event.segments for event in told), default=1)
        wanted = range(1, total + 1) if not back.segments else [int(n) for n in back.segments.split(",")]
        doubts.extend(_doubt(back, n, total, now, "journal_lost") for n in wanted if n not in answered)
        return None
    written = record.sent.get((back.message_id, back.attempt), {}) if record is not None else {}
    total = max((entry.segments for entry in written.values()), default=0)
    total = max(total, max((event.segments for event in told), default=0))
    for number, entry in written.items():
        if number not in answered:
            doubts.append(_doubt(back, number, entry.segments, now, "engine_crashed"))
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
