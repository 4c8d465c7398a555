"""Pausing, resuming, stopping runs; what is left of them when they stop, expire or end."""

from __future__ import annotations

from todoke.model.clock import Micros, hour_of
from todoke.model.errors import NotFound
from todoke.model.event import State
from todoke.model.run import OPEN as OPEN_STATES
from todoke.model.run import RunEvent, RunState, step
from todoke.store.hot.due import cut_short
from todoke.store.hot.postgres.results import append_exactly, count
from todoke.store.hot.postgres.starting import TRANSITION
from todoke.store.hot.runs import check_active
from todoke.store.hot.tallies import Tallies
from todoke.store.postgres import Connection

CHUNK = 5000  # due rows in one transaction

# Holds a run.
HOLD = "SELECT state, expires_at FROM skill_run WHERE bucket = $1 AND id = $2 FOR NO KEY UPDATE"

# The list is held, so that it is not deleted meanwhile.
LIST = """
    SELECT l.name, l.state, l.active FROM skill_run r JOIN calling_list l ON l.id = r.list_id
    WHERE r.bucket = $1 AND r.id = $2 FOR SHARE OF l
"""

MOVE = """
    UPDATE skill_run SET state = $3, force = force OR $4, ended_at = $5 WHERE bucket = $1 AND id = $2
"""

# What was paused until a filter is applied does not go on by itself any more.
STAY = "UPDATE run_selection SET resumes = false WHERE bucket = $1 AND run_id = $2 AND state = 'making'"

PARK = "UPDATE due SET state = $4 WHERE bucket = $1 AND run_id = $2 AND state = $3"

# Holds the cursors that are not at their ends.
REST = """
    SELECT number, last_position - next_position + 1 FROM run_cursor
    WHERE bucket = $1 AND run_id = $2 AND next_position <= last_position ORDER BY number FOR UPDATE
"""

END_CURSORS = """
    UPDATE run_cursor SET next_position = last_position + 1
    WHERE bucket = $1 AND run_id = $2 AND next_position <= last_position
"""

# What is in doubt stays so: the run sends nothing again.
LEAVE_DOUBTS = "UPDATE doubt SET retry_at = NULL WHERE bucket = $1 AND run_id = $2 AND retry_at > 0"

# What was not selected yet is not selected any more.
CUT_SELECTION = "UPDATE run_selection SET state = 'cut' WHERE bucket = $1 AND run_id = $2 AND state = 'making'"

# Takes due rows of a run away, whatever their time.
TAKE_DUE = """
    DELETE FROM due d USING (
        SELECT bucket, message_id, attempt FROM due WHERE bucket = $1 AND run_id = $2 LIMIT $3 FOR UPDATE
    ) k
    WHERE d.bucket = k.bucket AND d.message_id = k.message_id AND d.attempt = k.attempt
    RETURNING d.message_id, d.attempt
"""

# Runs past their expiry that have something left. (OFFSET 0 keeps the planner from reading all selections.)
EXPIRED = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state = ANY ('{running,paused}') AND r.expires_at <= $1
      AND (EXISTS (SELECT FROM run_cursor c
                   WHERE c.bucket = r.bucket AND c.run_id = r.id AND c.next_position <= c.last_position)
           OR EXISTS (SELECT FROM due d WHERE d.bucket = r.bucket AND d.run_id = r.id)
           OR EXISTS (SELECT FROM run_selection s
                      WHERE s.bucket = r.bucket AND s.run_id = r.id AND s.state = 'making' OFFSET 0)
           OR EXISTS (SELECT FROM doubt d WHERE d.bucket = r.bucket AND d.run_id = r.id AND d.retry_at > 0))
    ORDER BY r.bucket, r.id
"""

# Stopping runs whose due rows were not counted yet: whoever stopped them was cut short.
LEFT = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state = 'stopping' AND EXISTS (SELECT FROM due d WHERE d.bucket = r.bucket AND d.run_id = r.id)
    ORDER BY r.bucket, r.id
"""

# Runs that may be at their end; a standing one only when it is stopped.
AT_END = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state = ANY ('{running,paused,stopping}') AND (NOT r.standing OR r.state = 'stopping')
      AND NOT EXISTS (SELECT FROM run_cursor c
                      WHERE c.bucket = r.bucket AND c.run_id = r.id AND c.next_position <= c.last_position)
      AND NOT EXISTS (SELECT FROM run_selection s
                      WHERE s.bucket = r.bucket AND s.run_id = r.id AND s.state = 'making' OFFSET 0)
    ORDER BY r.bucket, r.id
"""

# Whether anything of the run is open; looked at with the run held.
OPEN = """
    SELECT EXISTS (SELECT FROM run_cursor WHERE bucket = $1 AND run_id = $2 AND next_position <= last_position)
        OR EXISTS (SELECT FROM run_selection WHERE bucket = $1 AND run_id = $2 AND state = 'making')
        OR EXISTS (SELECT FROM block WHERE bucket = $1 AND run_id = $2 AND state <> 'closed')
        OR EXISTS (SELECT FROM due WHERE bucket = $1 AND run_id = $2)
        OR EXISTS (SELECT FROM intent WHERE bucket = $1 AND run_id = $2)
        OR EXISTS (SELECT FROM doubt WHERE bucket = $1 AND run_id = $2 AND retry_at > 0)
"""


async def control(
    connection: Connection, bucket: int, run_id: int, event: RunEvent, reason: str, now: Micros
) -> RunState:
    """Move the run; park, free or count what it has. Due rows of a stopped run are left for `cut_due`."""
    row = await connection.fetchrow(HOLD, bucket, run_id)
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    new = await move(connection, bucket, run_id, RunState(row["state"]), event, reason, now)
    match event:
        case RunEvent.PAUSE:
            await connection.execute(STAY, bucket, run_id)
            await connection.execute(PARK, bucket, run_id, "ready", "parked")
        case RunEvent.RESUME:
            await connection.execute(PARK, bucket, run_id, "parked", "ready")
        case RunEvent.STOP | RunEvent.FORCE_STOP:
            await _cut_cursors(connection, bucket, run_id, "stopped", now)
            await connection.execute(LEAVE_DOUBTS, bucket, run_id)
        case RunEvent.SETTLE | RunEvent.REOPEN:
            pass
    return new


async def cut_due(connection: Connection, bucket: int, run_id: int, reason: str, now: Micros) -> int:
    """Count up to CHUNK due rows of the run as stopped or expired; how many there were."""
    await connection.fetchrow(HOLD, bucket, run_id)
    rows = await connection.fetch(TAKE_DUE, bucket, run_id, CHUNK)
    tallies = Tallies()
    await append_exactly(connection, [cut_short(row[0], row[1], reason, now) for row in rows], tallies)
    await count(connection, tallies.rows())
    return len(rows)


async def expire(connection: Connection, bucket: int, run_id: int, now: Micros) -> bool:
    """Count what the cursors of an expired run have left; False where it is not one."""
    row = await connection.fetchrow(HOLD, bucket, run_id)
    if row is None or row["state"] not in (RunState.RUNNING, RunState.PAUSED) or row["expires_at"] > now:
        return False
    await _cut_cursors(connection, bucket, run_id, "expired", now)
    await connection.execute(LEAVE_DOUBTS, bucket, run_id)
    return True


async def settle(connection: Connection, bucket: int, run_id: int, now: Micros) -> RunState | None:
    """End the run if nothing of it is open; its new state, or None."""
    row = await connection.fetchrow(HOLD, bucket, run_id)
    if row is None or row["state"] not in OPEN_STATES:
        return None
    if await connection.fetchval(OPEN, bucket, run_id):
        return None
    return await move(connection, bucket, run_id, RunState(row["state"]), RunEvent.SETTLE, "settled", now)


async def find(connection: Connection, statement: str, *args: Micros) -> list[tuple[int, int]]:
    """The runs that EXPIRED, LEFT or AT_END finds."""
    return [(bucket, run_id) for bucket, run_id in await connection.fetch(statement, *args)]


async def move(
    connection: Connection, bucket: int, run_id: int, old: RunState, event: RunEvent, reason: str, now: Micros
) -> RunState:
    """Change the run's state by its table, with the row that says so; the run is held. Conflict where it cannot go on
    for its list.
    """
    new = step(old, event)
    if event in (RunEvent.RESUME, RunEvent.REOPEN):
        row = await connection.fetchrow(LIST, bucket, run_id)
        assert row is not None
        check_active(row["name"], row["state"], active=row["active"])
    ended = now if new in (RunState.STOPPED, RunState.FINISHED) else None
    await connection.execute(MOVE, bucket, run_id, new, event is RunEvent.FORCE_STOP, ended)
    await connection.execute(TRANSITION, bucket, run_id, old, new, reason, now)
    return new


async def _cut_cursors(connection: Connection, bucket: int, run_id: int, reason: str, now: Micros) -> None:
    await connection.execute(CUT_SELECTION, bucket, run_id)
    left = sum(row[1] for row in await connection.fetch(REST, bucket, run_id))
    if left:
        tallies = Tallies()
        tallies.add(bucket, run_id, State(reason), reason, hour_of(now), left, 0)
        await connection.execute(END_CURSORS, bucket, run_id)
        await count(connection, tallies.rows())
