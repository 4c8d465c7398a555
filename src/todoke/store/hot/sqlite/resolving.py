"""Doubts on their way out: sent again by policy or by a person, judged by a person, matched to orphans."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from todoke.model.clock import Micros
from todoke.model.errors import NotFound
from todoke.model.event import Event
from todoke.model.ids import BUCKET_SHIFT, address
from todoke.model.run import RunEvent, RunState
from todoke.store.hot.base import Choice
from todoke.store.hot.doubts import CHUNK, Decided, Standing, decide, judged, others_waiting, require_open, unique
from todoke.store.hot.due import place
from todoke.store.hot.sqlite import controlling, doubts
from todoke.store.hot.sqlite.blocks import insert_due
from todoke.store.hot.sqlite.recovery import UNDER_WAY
from todoke.store.hot.sqlite.results import append_exactly, count, events_of
from todoke.store.hot.tallies import Tallies

# Runs with doubts whose policy decides now.
RIPE_RUNS = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state IN ('running', 'paused')
      AND EXISTS (SELECT 1 FROM doubt d WHERE d.bucket = r.bucket AND d.run_id = r.id AND d.retry_at <= ?)
    ORDER BY r.bucket, r.id
"""

RUN = """
    SELECT r.state, r.expires_at, r.transport_code_id, s.in_doubt_policy, s.max_attempts
    FROM skill_run r JOIN skill s ON s.id = r.skill_id WHERE r.bucket = ? AND r.id = ?
"""

RIPE = """
    SELECT message_id FROM doubt WHERE bucket = ? AND run_id = ? AND retry_at <= ? ORDER BY retry_at LIMIT ?
"""

# All doubts of some messages.
STANDING = f"""
    SELECT d.message_id, d.segment, d.attempt, d.segments, d.text_crc, d.retry_at
    FROM json_each(?) AS k CROSS JOIN doubt d ON d.bucket = k.value >> {BUCKET_SHIFT} AND d.message_id = k.value
"""

# The moment at which a message's doubts are looked at again, of those that are to be.
POSTPONE = "UPDATE doubt SET retry_at = ? WHERE bucket = ? AND message_id = ? AND retry_at IS NOT NULL"


def ripe_runs(db: Connection, now: Micros) -> list[tuple[int, int]]:
    return db.execute(RIPE_RUNS, (now,)).fetchall()


def resend(db: Connection, bucket: int, run_id: int, now: Micros) -> tuple[int, bool]:
    """Let the policy decide on some doubts of the run: how many messages are sent again, whether there may be more."""
    ids = {found[0] for found in db.execute(RIPE, (bucket, run_id, now, CHUNK))}
    if not ids:
        return 0, False
    state, expires_at, code, policy, most = _run(db, bucket, run_id)
    live = policy == "at_least_once" and expires_at > now and state in (RunState.RUNNING, RunState.PAUSED)
    decided = decide(
        _standing(db, ids),
        events_of(db, ids),
        _busy(db, bucket, ids),
        code,
        now,
        live=live,
        max_attempts=most,
        reason="at_least_once",
    )
    _write(db, bucket, run_id, state, decided, now)
    return len(decided.due), True


def resolve(
    db: Connection, bucket: int, run_id: int, message_ids: Sequence[int], choice: Choice, reason: str, now: Micros
) -> int:
    """What a person decides; how many messages it concerned."""
    state, expires_at, code, _, _ = _run(db, bucket, run_id)
    ids = {message_id for message_id in message_ids if address(message_id)[:2] == (bucket, run_id)}
    standing = _standing(db, ids)
    if choice is not Choice.RESEND:
        tallies = Tallies()
        append_exactly(db, judged(standing, choice, reason, now), tallies)
        count(db, tallies.rows())
        return len({doubt.message_id for doubt in standing})
    ended = require_open(run_id, state, expires_at, now)
    decided = decide(
        standing,
        events_of(db, ids),
        _busy(db, bucket, ids),
        code,
        now,
        live=True,
        max_attempts=None,
        reason=reason,
    )
    if decided.due and ended:
        state = controlling.move(db, bucket, run_id, state, RunEvent.REOPEN, reason, now)
    _write(db, bucket, run_id, state, decided, now)
    return len(decided.due)


def match(db: Connection, provider_id: int, numbers: Iterable[int], before: Micros) -> int:
    """Make receipts of the orphans about these numbers that can be of one doubt only; how many doubts that ended."""
    matched = [pair for number in numbers for pair in unique(doubts.pairs(db, provider_id, number), before)]
    told: dict[int, list[Event]] = {}
    for event in events_of(db, {pair.message_id for pair in matched if pair.by_number}):
        told.setdefault(event.message_id, []).append(event)
    sure = [p for p in matched if p.by_reference or not others_waiting(told[p.message_id], p.segment)]
    tallies = Tallies()
    append_exactly(db, doubts.taken(db, provider_id, sure), tallies)
    count(db, tallies.rows())
    return len(sure)


def _run(db: Connection, bucket: int, run_id: int) -> tuple[RunState, Micros, int, str, int]:
    row = db.execute(RUN, (bucket, run_id)).fetchone()
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    return RunState(row[0]), *row[1:]


def _standing(db: Connection, ids: Iterable[int]) -> list[Standing]:
    return [Standing(*row) for row in db.execute(STANDING, (json.dumps(sorted(ids)),))]


def _busy(db: Connection, bucket: int, ids: Iterable[int]) -> set[int]:
    return {row[0] for row in db.execute(UNDER_WAY, (bucket, json.dumps([[id, -1] for id in ids])))}


def _write(db: Connection, bucket: int, run_id: int, state: RunState, decided: Decided, now: Micros) -> None:
    db.executemany(POSTPONE, [(moment, bucket, message_id) for message_id, moment in decided.moments])
    placed, _ = place(decided.due, {(bucket, run_id): state}, now)
    tallies = Tallies()
    append_exactly(db, decided.events, tallies)
    count(db, tallies.rows())
    insert_due(db, placed)
