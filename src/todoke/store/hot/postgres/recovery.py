"""What a dead engine left: found, and closed once."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.event import Event
from todoke.model.ids import BUCKET_SHIFT, address
from todoke.model.run import RunState
from todoke.store.hot.base import BlockKey, Doubt, DueKey, DueRow, OpenBlock, OpenIntent
from todoke.store.hot.doubts import details
from todoke.store.hot.due import JOURNAL_LOST, RunKey, left_over, place, without
from todoke.store.hot.postgres import engines, guards
from todoke.store.hot.postgres.blocks import insert_due
from todoke.store.hot.postgres.results import append_exactly, count, events_of, lock_runs
from todoke.store.hot.tallies import Tallies
from todoke.store.postgres import Connection

BLOCKS = """
    SELECT b.bucket, b.run_id, b.first_position, b.last_position, b.reserved_to, b.transport_code_id, r.list_id
    FROM block b JOIN skill_run r ON r.bucket = b.bucket AND r.id = b.run_id
    WHERE b.engine_id = $1 AND b.state <> 'closed'
    ORDER BY b.bucket, b.run_id, b.first_position
"""

INTENTS = """
    SELECT bucket, message_id, attempt, run_id, transport_code_id, reserved, segments, text_crc
    FROM intent WHERE engine_id = $1 ORDER BY bucket, message_id, attempt
"""

EVENTS = """
    SELECT message_id, segment, attempt, kind, at, segments, provider_id, provider_message_id, reason
    FROM event WHERE bucket = $1 AND message_id BETWEEN $2 AND $3
    ORDER BY message_id, segment, attempt, kind
"""

# Closes a dead engine's block, if nobody did before.
CLOSE = """
    UPDATE block SET state = 'closed'
    WHERE bucket = $1 AND run_id = $2 AND first_position = $3 AND engine_id = $4 AND state <> 'closed'
"""

# Takes a dead engine's intent away, if nobody did before.
TAKE_INTENT = """
    DELETE FROM intent WHERE bucket = $1 AND message_id = $2 AND attempt = $3 AND engine_id = $4
"""


# Which of these messages somebody has in hand, or will try once more.
UNDER_WAY = """
    SELECT i.message_id FROM unnest($2::bigint[]) AS k (id)
    CROSS JOIN LATERAL (SELECT message_id FROM intent WHERE bucket = $1 AND message_id = k.id OFFSET 0) i
    UNION ALL
    SELECT d.message_id FROM unnest($2::bigint[], $3::smallint[]) AS k (id, attempt)
    CROSS JOIN LATERAL (
        SELECT message_id FROM due WHERE bucket = $1 AND message_id = k.id AND attempt > k.attempt OFFSET 0) d
"""


async def open_blocks(connection: Connection, engine_id: int) -> list[OpenBlock]:
    return [OpenBlock(BlockKey(*row[:3]), *row[3:]) for row in map(tuple, await connection.fetch(BLOCKS, engine_id))]


async def open_intents(connection: Connection, engine_id: int) -> list[OpenIntent]:
    return [OpenIntent(DueKey(*row[:3]), *row[3:]) for row in map(tuple, await connection.fetch(INTENTS, engine_id))]


async def events_between(connection: Connection, first: int, last: int) -> list[Event]:
    return [Event(*row) for row in await connection.fetch(EVENTS, first >> BUCKET_SHIFT, first, last)]


async def recover_block(
    key: BlockKey,
    engine_id: int,
    due: Sequence[DueRow],
    events: Sequence[Event],
    doubts: Sequence[Doubt],
    connection: Connection,
) -> list[Event] | None:
    """The events of the messages concerned; None where the block was closed before."""
    states = await _hold(connection, (key.bucket, key.run_id), due, events)
    if await connection.execute(CLOSE, *key, engine_id) != "UPDATE 1":
        return None
    return await _write(connection, states, due, events, doubts)


async def recover_intent(
    key: DueKey,
    engine_id: int,
    due: Sequence[DueRow],
    events: Sequence[Event],
    doubts: Sequence[Doubt],
    connection: Connection,
) -> list[Event] | None:
    """The events of the messages concerned; None where the intent was settled before."""
    states = await _hold(connection, address(key.message_id)[:2], due, events)
    if await connection.execute(TAKE_INTENT, *key, engine_id) != "DELETE 1":
        return None
    return await _write(connection, states, due, events, doubts)


async def _hold(
    connection: Connection, own: RunKey, due: Sequence[DueRow], events: Sequence[Event]
) -> dict[RunKey, RunState]:
    runs = {own} | {(d.bucket, d.run_id) for d in due} | {address(e.message_id)[:2] for e in events}
    return await lock_runs(connection, runs)


async def _write(
    connection: Connection,
    states: dict[RunKey, RunState],
    due: Sequence[DueRow],
    events: Sequence[Event],
    doubts: Sequence[Doubt],
) -> list[Event]:
    if due:
        bucket, ids = due[0].bucket, [row.message_id for row in due]
        told = await events_of(connection, ids)
        rows = await connection.fetch(UNDER_WAY, bucket, ids, [row.attempt for row in due])
        due = left_over(due, told, {row[0] for row in rows})
    lost = [event for event in events if event.reason == JOURNAL_LOST]
    if lost:
        bucket, ids = lost[0].message_id >> BUCKET_SHIFT, [event.message_id for event in lost]
        rows = await connection.fetch(UNDER_WAY, bucket, ids, [event.attempt - 1 for event in lost])
        events = without(events, {row[0] for row in rows})
    placed, stopped = place(due, states, await engines.now(connection))
    tallies = Tallies()
    facts = [*events, *stopped]
    touched = await append_exactly(connection, facts, tallies, details(doubts)) if facts else []
    await count(connection, tallies.rows())
    await insert_due(connection, placed)
    if due:
        await guards.never_sent(connection, due[0].bucket, due[0].run_id, [row.message_id for row in due])
    return touched
