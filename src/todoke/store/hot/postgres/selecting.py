"""Making a run's selection, and beginning another one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from todoke.model.clock import Micros
from todoke.model.errors import Conflict
from todoke.model.ids import SELECTED, base
from todoke.model.run import RunEvent, RunState
from todoke.store.hot.postgres import controlling, selected
from todoke.store.hot.postgres.starting import SELECT_LATER
from todoke.store.hot.selecting import (
    CLAIM_FOR,
    Added,
    Apply,
    OpenSelection,
    Passes,
    Selecting,
    SelectionKey,
    after,
    new_selection,
    opened,
    rows_of,
)
from todoke.store.postgres import Connection
from todoke.store.selection.on_postgres import PostgresCompiler

# Selections that nobody makes, of runs that may send.
MAKING = """
    SELECT s.bucket, s.run_id, s.number FROM run_selection s
    JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    WHERE s.state = 'making' AND s.made_until <= $1 AND r.state = ANY ('{running,paused}')
    ORDER BY s.bucket, s.run_id, s.number
"""

CLAIM = """
    UPDATE run_selection SET maker = $4, made_until = $5
    WHERE bucket = $1 AND run_id = $2 AND number = $3 AND state = 'making' AND made_until <= $6
    RETURNING number
"""

# Zone sets are the list's of now: contacts that an update changed have new ones.
CLAIMED = """
    SELECT s.bucket, s.run_id, s.number, s.filter, s.ordering, s.today, s.first_ordinal, s.next_ordinal, s.read_to,
           s.size, r.list_id, r.fields, l.zone_sets
    FROM run_selection s JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    JOIN calling_list l ON l.id = r.list_id
    WHERE s.bucket = $1 AND s.run_id = $2 AND s.number = $3
"""

RANGES = """
    SELECT number, zone_set, first_position, last_position FROM list_range WHERE list_id = $1 ORDER BY first_position
"""

# Whoever makes it still does.
KEEP = """
    UPDATE run_selection SET made_until = $5
    WHERE bucket = $1 AND run_id = $2 AND number = $3 AND state = 'making' AND maker = $4
    RETURNING number
"""

# Moves a selection that stands where its maker believes it; its run is held.
MOVE = """
    UPDATE run_selection SET next_ordinal = $6, read_to = $7, state = $8, made_until = $9
    WHERE bucket = $1 AND run_id = $2 AND number = $3 AND state = 'making' AND maker = $4 AND next_ordinal = $5
    RETURNING resumes
"""

ADD = "INSERT INTO selection (bucket, run_id, first_ordinal, last_ordinal, positions) VALUES ($1, $2, $3, $4, $5)"

GROW_CURSOR = """
    INSERT INTO run_cursor (bucket, run_id, number, zone_set, next_position, last_position)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (bucket, run_id, number) DO UPDATE SET last_position = excluded.last_position
"""

COUNT = "UPDATE skill_run SET contacts = contacts + $3 WHERE bucket = $1 AND id = $2"

# Positions that were handed to engines: first and last ordinal of each block.
TAKEN = """
    SELECT first_position, last_position FROM block
    WHERE bucket = $1 AND run_id = $2 AND first_position > $3 ORDER BY first_position LIMIT $4
"""

# The run's last selection.
LAST = """
    SELECT number, next_ordinal, resumes AND state = 'making' FROM run_selection WHERE bucket = $1 AND run_id = $2
    ORDER BY number DESC LIMIT 1
"""

# The filter of the run's last selection.
FILTER = """
    SELECT s.filter, s.today, r.list_id, r.fields, l.zone_sets
    FROM run_selection s JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    JOIN calling_list l ON l.id = r.list_id
    WHERE s.bucket = $1 AND s.run_id = $2 ORDER BY s.number DESC LIMIT 1
"""

SIZE = """
    SELECT l.contacts FROM skill_run r JOIN calling_list l ON l.id = r.list_id WHERE r.bucket = $1 AND r.id = $2
"""

# Nothing more is taken from what the run has now.
CLOSE_CURSORS = """
    UPDATE run_cursor SET last_position = next_position - 1
    WHERE bucket = $1 AND run_id = $2 AND next_position <= last_position
"""


async def to_make(connection: Connection, now: Micros) -> list[SelectionKey]:
    return [SelectionKey(*row) for row in await connection.fetch(MAKING, now)]


async def claim(connection: Connection, key: SelectionKey, maker: str, now: Micros) -> OpenSelection | None:
    """It is this process's to make from now on; None where it is another's, or made."""
    if await connection.fetchval(CLAIM, *key, maker, now + CLAIM_FOR, now) is None:
        return None
    row = await connection.fetchrow(CLAIMED, *key)
    assert row is not None  # nothing removes it
    ranges = [(each[0], each[1], each[2], each[3]) for each in await connection.fetch(RANGES, row["list_id"])]
    return opened(tuple(row), ranges, maker)


async def keep(connection: Connection, selection: OpenSelection, now: Micros) -> bool:
    return await connection.fetchval(KEEP, *selection.key, selection.maker, now + CLAIM_FOR) is not None


async def add(connection: Connection, selection: OpenSelection, added: Added, now: Micros) -> OpenSelection | None:
    """None where it is not this process's any more, or its run ends: nothing is added then."""
    bucket, run_id, number = selection.key
    rows = list(rows_of(selection, added))
    moved = after(selection, added)
    run = await connection.fetchrow(controlling.HOLD, bucket, run_id)
    if run is None or run["state"] not in (RunState.RUNNING, RunState.PAUSED):
        return None
    resumes = await connection.fetchval(
        MOVE,
        bucket,
        run_id,
        number,
        selection.maker,
        selection.next_ordinal,
        moved.next_ordinal,
        moved.read_to,
        "made" if added.made else "making",
        now + CLAIM_FOR,
    )
    if resumes is None:
        return None
    for first, last, packed, cursor, zone_set in rows:
        await connection.execute(ADD, bucket, run_id, first, last, packed)
        await connection.execute(GROW_CURSOR, bucket, run_id, cursor, zone_set, first, last)
    await connection.execute(COUNT, bucket, run_id, added.size)
    if added.made and resumes and run["state"] == RunState.PAUSED:
        with contextlib.suppress(Conflict):  # its list is inactive by now: a person resumes it
            await controlling.control(connection, bucket, run_id, RunEvent.RESUME, "filter applied", now)
    return moved


async def passing(connection: Connection, bucket: int, run_id: int, ordinals: Sequence[int]) -> set[int]:
    """Those of them whose contacts pass the last filter."""
    row = await connection.fetchrow(FILTER, bucket, run_id)
    passes = Passes(*row) if row is not None else None
    query = passes.compile(PostgresCompiler) if passes is not None else None
    if passes is None or query is None:
        return set(ordinals)
    start = base(bucket, run_id)
    places = await selected.of_messages(connection, [start + ordinal for ordinal in ordinals])
    given = (bucket, passes.list_id, list(places.values()), None, *query.parameters)
    found: list[int] | None = await connection.fetchval(query.sql, *given)
    fitting = set(found or ())
    return {message_id - start for message_id, position in places.items() if position in fitting}


async def taken(
    connection: Connection, bucket: int, run_id: int, after_position: int, limit: int
) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in await connection.fetch(TAKEN, bucket, run_id, after_position, limit)]


async def anew(
    connection: Connection, bucket: int, run_id: int, selecting: Selecting, apply: Apply, now: Micros
) -> bool:
    """What the run has left is selected anew; False where it has ended or ends."""
    run = await connection.fetchrow(controlling.HOLD, bucket, run_id)
    if run is None or run["state"] not in (RunState.RUNNING, RunState.PAUSED):
        return False
    last = await connection.fetchrow(LAST, bucket, run_id)
    number, first, resumes = (0, SELECTED, False) if last is None else (last[0], last[1], last[2])
    size = await connection.fetchval(SIZE, bucket, run_id)
    left = sum(row[1] for row in await connection.fetch(controlling.REST, bucket, run_id))
    await connection.execute(controlling.CUT_SELECTION, bucket, run_id)
    await connection.execute(CLOSE_CURSORS, bucket, run_id)
    await connection.execute(COUNT, bucket, run_id, -left)
    pauses = apply in (Apply.STOP, Apply.FLUSH) and run["state"] == RunState.RUNNING
    if pauses:
        await controlling.control(connection, bucket, run_id, RunEvent.PAUSE, "filter changed", now)
    goes_on, recalls = pauses or bool(resumes), apply is Apply.FLUSH
    later = new_selection(bucket, run_id, number + 1, selecting, first, size, resumes=goes_on, recalls=recalls)
    await connection.execute(SELECT_LATER, *later)
    return True
