"""What becomes of doubts that nothing has ended: another attempt, by policy or by a person, or a person's word.

Decisions only; the statements are in `sqlite/resolving.py` and `postgres/resolving.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from todoke.model.clock import SECOND, Micros
from todoke.model.errors import Conflict
from todoke.model.event import Event, Kind, State, fold
from todoke.model.ids import address
from todoke.model.run import RunState
from todoke.store.hot.choice import Choice
from todoke.store.hot.flush import DueRow

LOOK_AGAIN = 10 * SECOND
"""After that a doubt is looked at again whose message was under way when its time had come."""

CHUNK = 200  # messages whose policy decides in one transaction


class Standing(NamedTuple):
    """A doubt as its policy looks at it."""

    message_id: int
    segment: int
    attempt: int
    segments: int
    text_crc: int | None
    retry_at: Micros | None


class Verdict(NamedTuple):
    """What becomes of a message's doubts: `retry_at` is their new moment. With `due` it is sent again."""

    retry_at: Micros | None
    due: DueRow | None = None
    events: tuple[Event, ...] = ()


STAYS = Verdict(None)


def again(
    doubts: Sequence[Standing],
    events: Sequence[Event],
    transport_code_id: int,
    now: Micros,
    *,
    under_way: bool,
    max_attempts: int | None,
    reason: str,
) -> Verdict:
    """Whether a message is sent once more, and which segments: those whose last attempt is in doubt.

    `doubts` are all of its doubts, `events` all of its events. `max_attempts` None: a person decided.
    """
    if max_attempts is not None:
        latest = max((d.retry_at for d in doubts if d.retry_at is not None), default=None)
        if latest is None:
            return STAYS
        if latest > now:
            return Verdict(latest)  # its segments go together
    state = fold(events).state
    if under_way or state is State.WAITING:
        return Verdict(now + LOOK_AGAIN)
    attempt = 1 + max(event.attempt for event in events)
    if state is not State.IN_DOUBT or (max_attempts is not None and attempt >= max_attempts):
        return STAYS
    last: dict[int, Standing] = {}
    for doubt in sorted(doubts, key=lambda d: d.attempt):
        last[doubt.segment] = doubt
    for event in events:
        if event.segment in last and event.attempt > last[event.segment].attempt:
            del last[event.segment]
    if not last:
        return STAYS
    total = max(event.segments for event in events)
    crcs = {doubt.text_crc for doubt in last.values()}
    # Without the CRC of the text nothing holds a part of it to the parts that have left: then all of it goes.
    partly = len(last) < total and len(crcs) == 1 and None not in crcs
    message_id = doubts[0].message_id
    bucket, run_id, _ = address(message_id)
    due = DueRow(
        bucket,
        message_id,
        attempt,
        run_id,
        transport_code_id,
        now,
        ",".join(map(str, sorted(last))) if partly else "",
        crcs.pop() if partly else None,
    )
    notes = tuple(
        Event(message_id, d.segment, d.attempt, Kind.DEFERRED, now, total, reason=reason) for d in last.values()
    )
    return Verdict(None, due, notes)


class Decided(NamedTuple):
    """What becomes of the doubts of some messages."""

    due: list[DueRow]
    events: list[Event]
    moments: list[tuple[int, Micros | None]]  # by message: the new `retry_at` of those doubts that have one


def decide(
    doubts: Iterable[Standing],
    events: Iterable[Event],
    busy: Collection[int],
    transport_code_id: int,
    now: Micros,
    *,
    live: bool,
    max_attempts: int | None,
    reason: str,
) -> Decided:
    """`again` for each message; `busy` are those that have a due row or an intent. Where it is not `live` all stays."""
    told: dict[int, list[Event]] = {}
    for event in events:
        told.setdefault(event.message_id, []).append(event)
    grouped: dict[int, list[Standing]] = {}
    for doubt in doubts:
        grouped.setdefault(doubt.message_id, []).append(doubt)
    decided = Decided([], [], [])
    for message_id, of_message in sorted(grouped.items()):
        verdict = STAYS
        if live:
            verdict = again(
                of_message,
                told.get(message_id, []),
                transport_code_id,
                now,
                under_way=message_id in busy,
                max_attempts=max_attempts,
                reason=reason,
            )
        decided.moments.append((message_id, verdict.retry_at))
        decided.events.extend(verdict.events)
        if verdict.due is not None:
            decided.due.append(verdict.due)
    return decided


def judged(doubts: Iterable[Standing], choice: Choice, reason: str, now: Micros) -> list[Event]:
    """What a person says became of these doubts, as events."""
    kind = Kind.DELIVERED if choice is Choice.DELIVERED else Kind.UNDELIVERED
    return [Event(d.message_id, d.segment, d.attempt, kind, now, d.segments, reason=reason) for d in doubts]


def require_open(run_id: int, state: RunState, expires_at: Micros, now: Micros) -> bool:
    """Whether the run must be opened again before anything of it can be sent; Conflict where it cannot be."""
    if state in (RunState.STOPPING, RunState.STOPPED):
        raise Conflict(f"Run {run_id} was stopped.", fix="Start the skill over a list of these people.")
    if expires_at <= now:
        raise Conflict(f"Run {run_id} has expired.", fix="Start the skill over a list of these people.")
    return state is RunState.FINISHED
