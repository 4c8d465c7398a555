"""Results into `event`, and the tallies with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, repeat
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from todoke.model.event import Event, Kind
from todoke.model.ids import BUCKET_SHIFT
from todoke.model.run import RunState
from todoke.store.hot.base import Fresh
from todoke.store.hot.doubts import NOTHING_KNOWN, Details, change
from todoke.store.hot.due import RunKey
from todoke.store.hot.matching import Quick, Surprise
from todoke.store.hot.postgres import doubts
from todoke.store.hot.tallies import Tallies, TallyRow, add_events
from todoke.store.postgres import Connection

COLUMNS = (
    "bucket", "message_id", "segment", "attempt", "kind", "at", "segments",
    "provider_id", "provider_message_id", "reason",
)  # fmt: skip

# Every writer of events and tallies holds the rows of the runs it writes for, taken in one order: what it reads
# of their events stays true until it commits.
LOCK_RUNS = """
    SELECT r.bucket, r.id, r.state
    FROM unnest($1::smallint[], $2::bigint[]) AS k (bucket, id)
    JOIN skill_run r ON r.bucket = k.bucket AND r.id = k.id
    ORDER BY r.bucket, r.id
    FOR NO KEY UPDATE OF r
"""

# All events of some messages: one probe of the key a message, in its partition.
EVENTS_OF = """
    SELECT e.message_id, e.segment, e.attempt, e.kind, e.at, e.segments, e.provider_id, e.provider_message_id, e.reason
    FROM unnest($2::bigint[]) AS k (message_id)
    CROSS JOIN LATERAL (SELECT * FROM event e WHERE e.bucket = $1 AND e.message_id = k.message_id OFFSET 0) e
"""

# Which of these messages have anything but the acceptance of their first attempt.
OTHERS = """
    SELECT k.message_id FROM unnest($2::bigint[]) AS k (message_id)
    WHERE EXISTS (SELECT FROM event e WHERE e.bucket = $1 AND e.message_id = k.message_id
                  AND (e.kind <> 30 OR e.segment <> 1 OR e.attempt <> 0) OFFSET 0)
"""

# Moves live counts; the rows come in the order of the key.
COUNT = """
    INSERT INTO tally (bucket, run_id, outcome, reason, hour, messages, segments)
    SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::bigint[],
                         $7::bigint[])
    ON CONFLICT (bucket, run_id, outcome, reason, hour) DO UPDATE
    SET messages = tally.messages + excluded.messages, segments = tally.segments + excluded.segments
"""


async def lock_runs(connection: Connection, runs: Iterable[RunKey]) -> dict[RunKey, RunState]:
    """Hold these runs until the end of the transaction; their states."""
    keys = list(runs)
    if not keys:
        return {}
    rows = await connection.fetch(LOCK_RUNS, [bucket for bucket, _ in keys], [run for _, run in keys])
    return {(bucket, run): RunState(state) for bucket, run, state in rows}


async def append_fresh(connection: Connection, group: Fresh) -> None:
    """New acceptances, as fast as the database takes them; Surprise where one is stored already."""
    n = len(group.message_ids)
    await _copy(
        connection,
        zip(
            repeat(group.bucket, n),
            group.message_ids,
            repeat(1),
            repeat(0),
            repeat(int(Kind.ACCEPTED)),
            repeat(group.at),
            repeat(1),
            repeat(group.provider_id),
            group.provider_message_ids,
            repeat(""),
            strict=False,
        ),
    )


async def append_quick(connection: Connection, quick: Sequence[Quick]) -> None:
    """Receipts of messages that have nothing but their acceptance; Surprise where that is not so."""
    await _copy(
        connection,
        [
            (message_id >> BUCKET_SHIFT, message_id, 1, 0, r.kind, r.at, 1, r.provider_id, None, r.reason)
            for message_id, _, r in quick
        ],
    )


async def with_others(connection: Connection, message_ids: Iterable[int]) -> set[int]:
    """Those of these messages that have more to them than one acceptance."""
    found: set[int] = set()
    for bucket, ids in _by_bucket(message_ids):
        found.update(row[0] for row in await connection.fetch(OTHERS, bucket, ids))
    return found


async def events_of(connection: Connection, message_ids: Iterable[int]) -> list[Event]:
    """Every event of these messages."""
    return [
        Event(*row) for bucket, ids in _by_bucket(message_ids) for row in await connection.fetch(EVENTS_OF, bucket, ids)
    ]


async def append_exactly(
    connection: Connection, offered: Sequence[Event], tallies: Tallies, known: Details = NOTHING_KNOWN
) -> list[Event]:
    """Write what is not stored yet and move `tallies` by the difference it makes; the rows of what is in doubt follow,
    with what is `known` of new doubts. The runs must be held.

    Returns every event, old and new, of the messages concerned.
    """
    if not offered:
        return []
    stored = await events_of(connection, {event.message_id for event in offered})
    new = add_events(stored, offered, tallies)
    if new:
        await _copy(connection, [(event.message_id >> BUCKET_SHIFT, *event) for event in new])
    touched = stored + new
    if any(moved := change(stored, new)) and (heard := await doubts.follow(connection, moved, known)):
        touched += await append_exactly(connection, heard, tallies)
    return touched


async def count(connection: Connection, rows: Sequence[TallyRow]) -> None:
    """Move the live counts."""
    if rows:
        await connection.execute(COUNT, *map(list, zip(*rows, strict=True)))


async def _copy(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    # COPY costs the server half of what INSERT ... ON CONFLICT does; a repeat fails it, which is rare.
    try:
        await connection.copy_records_to_table("event", columns=COLUMNS, records=rows)
    except asyncpg.UniqueViolationError as error:
        raise Surprise from error


def _by_bucket(message_ids: Iterable[int]) -> list[tuple[int, list[int]]]:
    ids = sorted(message_ids)
    if not ids or ids[0] >> BUCKET_SHIFT == ids[-1] >> BUCKET_SHIFT:  # nearly always
        return [(ids[0] >> BUCKET_SHIFT, ids)] if ids else []
    return [(bucket, list(group)) for bucket, group in groupby(ids, lambda m: m >> BUCKET_SHIFT)]
