"""Doubts on their way out: sent again by policy or by a person, judged by a person, matched to orphans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.model.clock import Micros
from todoke.model.errors import NotFound
from todoke.model.event import Event
from todoke.model.ids import address
from todoke.model.run import RunEvent, RunState
from todoke.store.hot.base import Choice
from todoke.store.hot.doubts import CHUNK, Decided, Standing, decide, judged, others_waiting, require_open, unique
from todoke.store.hot.due import place
from todoke.store.hot.postgres import controlling, doubts
from todoke.store.hot.postgres.blocks import insert_due
from todoke.store.hot.postgres.recovery import UNDER_WAY
from todoke.store.hot.postgres.results import append_exactly, count, events_of, lock_runs
from todoke.store.hot.tallies import Tallies
from todoke.store.postgres import Connection

# Runs with doubts whose policy decides now.
RIPE_RUNS = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state = ANY ('{running,paused}')
      AND EXISTS (SELECT FROM doubt d WHERE d.bucket = r.bucket AND d.run_id = r.id AND d.retry_at <= $1)
    ORDER BY r.bucket, r.id
"""

# The run is held first: whoever writes events or doubts of it waits.
RUN = """
    SELECT r.state, r.expires_at, r.transport_code_id, s.in_doubt_policy, s.max_attempts
    FROM skill_run r JOIN skill s ON s.id = r.skill_id WHERE r.bucket = $1 AND r.id = $2 FOR NO KEY UPDATE OF r
"""

RIPE = """
    SELECT message_id FROM doubt WHERE bucket = $1 AND run_id = $2 AND retry_at <= $3 ORDER BY retry_at LIMIT $4
"""

# All doubts of some messages.
STANDING = """
    SELECT d.message_id, d.segment, d.attempt, d.segments, d.text_crc, d.retry_at
    FROM unnest($2::bigint[]) AS k (id)
    CROSS JOIN LATERAL (SELECT * FROM doubt WHERE bucket = $1 AND message_id = k.id OFFSET 0) d
"""

# The moment at which messages' doubts are looked at again, of those that are to be.
POSTPONE = """
    UPDATE doubt d SET retry_at = k.moment
    FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS k (bucket, id, moment)
    WHERE d.bucket = k.bucket AND d.message_id = k.id AND d.retry_at IS NOT NULL
"""


async def ripe_runs(connection: Connection, now: Micros) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in await connection.fetch(RIPE_RUNS, now)]


async def resend(connection: Connection, bucket: int, run_id: int, now: Micros) -> tuple[int, bool]:
    """Let the policy decide on some doubts of the run: how many messages are sent again, whether there may be more."""
    state, expires_at, code, policy, most = await _run(connection, bucket, run_id)
    ids = {row[0] for row in await connection.fetch(RIPE, bucket, run_id, now, CHUNK)}
    if not ids:
        return 0, False
    live = policy == "at_least_once" and expires_at > now and state in (RunState.RUNNING, RunState.PAUSED)
    decided = decide(
        await _standing(connection, bucket, ids),
        await events_of(connection, ids),
        await _busy(connection, bucket, ids),
        code,
        now,
        live=live,
        max_attempts=most,
        reason="at_least_once",
    )
    await _write(connection, bucket, run_id, state, decided, now)
    return len(decided.due), True


async def resolve(
    connection: Connection,
    bucket: int,
    run_id: int,
    message_ids: Sequence[int],
    choice: Choice,
    reason: str,
    now: Micros,
) -> int:
    """What a person decides; how many messages it concerned."""
    state, expires_at, code, _, _ = await _run(connection, bucket, run_id)
    ids = {message_id for message_id in message_ids if address(message_id)[:2] == (bucket, run_id)}
    standing = await _standing(connection, bucket, ids)
    if choice is not Choice.RESEND:
        tallies = Tallies()
        await append_exactly(connection, judged(standing, choice, reason, now), tallies)
        await count(connection, tallies.rows())
        return len({doubt.message_id for doubt in standing})
    ended = require_open(run_id, state, expires_at, now)
    decided = decide(
        standing,
        await events_of(connection, ids),
        await _busy(connection, bucket, ids),
        code,
        now,
        live=True,
        max_attempts=None,
        reason=reason,
    )
    if decided.due and ended:
        state = await controlling.move(connection, bucket, run_id, state, RunEvent.REOPEN, reason, now)
    await _write(connection, bucket, run_id, state, decided, now)
    return len(decided.due)


async def match(
    connection: Connection, provider_id: int, bucket: int, candidates: Iterable[tuple[int, int]], before: Micros
) -> int:
    """Make receipts of the orphans that can be of one doubt only; how many doubts that ended.

    `candidates`: numbers, and messages that may be meant, as just read. Their runs are held before they are read again.
    """
    candidates = list(candidates)
    held = {address(message_id)[:2] for _, message_id in candidates}
    await lock_runs(connection, held)
    found = await doubts.pairs(connection, bucket, provider_id, {number for number, _ in candidates})
    matched = [pair for pair in unique(found, before) if address(pair.message_id)[:2] in held]
    told: dict[int, list[Event]] = {}
    for event in await events_of(connection, {pair.message_id for pair in matched if pair.by_number}):
        told.setdefault(event.message_id, []).append(event)
    sure = [p for p in matched if p.by_reference or not others_waiting(told[p.message_id], p.segment)]
    tallies = Tallies()
    await append_exactly(connection, await doubts.taken(connection, provider_id, sure), tallies)
    await count(connection, tallies.rows())
    return len(sure)


async def _run(connection: Connection, bucket: int, run_id: int) -> tuple[RunState, Micros, int, str, int]:
    row = await connection.fetchrow(RUN, bucket, run_id)
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    return RunState(row[0]), row[1], row[2], row[3], row[4]


async def _standing(connection: Connection, bucket: int, ids: Iterable[int]) -> list[Standing]:
    return [Standing(*row) for row in await connection.fetch(STANDING, bucket, sorted(ids))]


async def _busy(connection: Connection, bucket: int, ids: Iterable[int]) -> set[int]:
    wanted = sorted(ids)
    return {row[0] for row in await connection.fetch(UNDER_WAY, bucket, wanted, [-1] * len(wanted))}


async def _write(
    connection: Connection, bucket: int, run_id: int, state: RunState, decided: Decided, now: Micros
) -> None:
    if decided.moments:
        buckets = [bucket] * len(decided.moments)
        await connection.execute(POSTPONE, buckets, *map(list, zip(*decided.moments, strict=True)))
    placed, _ = place(decided.due, {(bucket, run_id): state}, now)
    tallies = Tallies()
    await append_exactly(connection, decided.events, tallies)
    await count(connection, tallies.rows())
    await insert_due(connection, placed)
