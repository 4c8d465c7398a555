"""Pausing, resuming, stopping runs; what is left of them when they stop, expire or end.

What may be long goes in pieces, so that no transaction holds the writer for long.
"""

from __future__ import annotations

from sqlite3 import Connection

from todoke.model.clock import Micros, hour_of
from todoke.model.errors import NotFound
from todoke.model.event import State
from todoke.model.run import RunEvent, RunState, step
from todoke.store.hot.due import cut_short
from todoke.store.hot.runs import check_active
from todoke.store.hot.sqlite.results import append_exactly, count
from todoke.store.hot.sqlite.starting import TRANSITION
from todoke.store.hot.tallies import Tallies

PARKED_AT_ONCE = 2000
CUT_AT_ONCE = 500

READ = "SELECT state, expires_at FROM skill_run WHERE bucket = ? AND id = ?"

LIST = """
    SELECT l.name, l.state, l.active FROM skill_run r JOIN calling_list l ON l.id = r.list_id
    WHERE r.bucket = ? AND r.id = ?
"""

MOVE = """
    UPDATE skill_run SET state = :new, force = force OR :force, ended_at = :ended WHERE bucket = :bucket AND id = :id
"""

# What was paused until a filter is applied does not go on by itself any more.
STAY = "UPDATE run_selection SET resumes = false WHERE bucket = ? AND run_id = ? AND state = 'making'"

# Parks or frees some of a run's due rows.
PARK = """
    UPDATE due SET state = :new WHERE rowid IN (
        SELECT rowid FROM due INDEXED BY ix_due_run
        WHERE bucket = :bucket AND run_id = :id AND state = :old LIMIT :size)
"""

REST = """
    SELECT coalesce(sum(last_position - next_position + 1), 0) FROM run_cursor
    WHERE bucket = ? AND run_id = ? AND next_position <= last_position
"""

END_CURSORS = """
    UPDATE run_cursor SET next_position = last_position + 1
    WHERE bucket = ? AND run_id = ? AND next_position <= last_position
"""

# What is in doubt stays so: the run sends nothing again.
LEAVE_DOUBTS = "UPDATE doubt SET retry_at = NULL WHERE bucket = ? AND run_id = ? AND retry_at > 0"

# What was not selected yet is not selected any more.
CUT_SELECTION = "UPDATE run_selection SET state = 'cut' WHERE bucket = ? AND run_id = ? AND state = 'making'"

# Takes some of a run's due rows away, whatever their time.
TAKE_DUE = """
    DELETE FROM due WHERE rowid IN (
        SELECT rowid FROM due INDEXED BY ix_due_run WHERE bucket = ? AND run_id = ? LIMIT ?)
    RETURNING message_id, attempt
"""

# Runs past their expiry that have something left.
EXPIRED = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state IN ('running', 'paused') AND r.expires_at <= ?
      AND (EXISTS (SELECT 1 FROM run_cursor c
                   WHERE c.bucket = r.bucket AND c.run_id = r.id AND c.next_position <= c.last_position)
           OR EXISTS (SELECT 1 FROM due d WHERE d.bucket = r.bucket AND d.run_id = r.id)
           OR EXISTS (SELECT 1 FROM run_selection s
                      WHERE s.bucket = r.bucket AND s.run_id = r.id AND s.state = 'making')
           OR EXISTS (SELECT 1 FROM doubt d WHERE d.bucket = r.bucket AND d.run_id = r.id AND d.retry_at > 0))
    ORDER BY r.bucket, r.id
"""

# Stopping runs whose due rows were not counted yet: whoever stopped them was cut short.
LEFT = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state = 'stopping' AND EXISTS (SELECT 1 FROM due d WHERE d.bucket = r.bucket AND d.run_id = r.id)
    ORDER BY r.bucket, r.id
"""

# Runs of which nothing is open; a standing one only ends when it is stopped.
AT_END = """
    SELECT r.bucket, r.id FROM skill_run r
    WHERE r.state IN ('running', 'paused', 'stopping') AND (NOT r.standing OR r.state = 'stopping')
      AND NOT EXISTS (SELECT 1 FROM run_cursor c
                      WHERE c.bucket = r.bucket AND c.run_id = r.id AND c.next_position <= c.last_position)
      AND NOT EXISTS (SELECT 1 FROM run_selection s
                      WHERE s.bucket = r.bucket AND s.run_id = r.id AND s.state = 'making')
      AND NOT EXISTS (SELECT 1 FROM due d WHERE d.bucket = r.bucket AND d.run_id = r.id)
      AND NOT EXISTS (SELECT 1 FROM doubt d WHERE d.bucket = r.bucket AND d.run_id = r.id AND d.retry_at > 0)
      AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.bucket = r.bucket AND i.run_id = r.id)
      AND NOT EXISTS (SELECT 1 FROM block b WHERE b.bucket = r.bucket AND b.run_id = r.id AND b.state <> 'closed')
    ORDER BY r.bucket, r.id
"""

# The same, for one run.
CLOSED = AT_END.replace("WHERE r.state", "WHERE r.bucket = ? AND r.id = ? AND r.state", 1)


def control(db: Connection, bucket: int, run_id: int, event: RunEvent, reason: str, now: Micros) -> RunState:
    """Move the run; count the rest of its cursors where it stops, free its last due rows where it goes on."""
    new = move(db, bucket, run_id, _state(db, bucket, run_id), event, reason, now)
    if event in (RunEvent.STOP, RunEvent.FORCE_STOP):
        _cut_cursors(db, bucket, run_id, "stopped", now)
        db.execute(LEAVE_DOUBTS, (bucket, run_id))
    elif event is RunEvent.PAUSE:
        db.execute(STAY, (bucket, run_id))
    elif event is RunEvent.RESUME:
        _park(db, bucket, run_id, "parked", "ready", -1)
    return new


def park(db: Connection, bucket: int, run_id: int) -> bool:
    """Park some due rows of a paused run; whether there may be more."""
    paused = _state(db, bucket, run_id) is RunState.PAUSED
    return paused and _park(db, bucket, run_id, "ready", "parked", PARKED_AT_ONCE) == PARKED_AT_ONCE


def free(db: Connection, bucket: int, run_id: int) -> bool:
    """Free some due rows of a run that is paused and about to go on; whether there may be more."""
    paused = _state(db, bucket, run_id) is RunState.PAUSED
    return paused and _park(db, bucket, run_id, "parked", "ready", PARKED_AT_ONCE) == PARKED_AT_ONCE


def cut_due(db: Connection, bucket: int, run_id: int, reason: str, now: Micros) -> bool:
    """Count some due rows of the run as stopped or expired; whether there were any."""
    rows = db.execute(TAKE_DUE, (bucket, run_id, CUT_AT_ONCE)).fetchall()
    tallies = Tallies()
    append_exactly(db, [cut_short(row[0], row[1], reason, now) for row in rows], tallies)
    count(db, tallies.rows())
    return bool(rows)


def expire(db: Connection, bucket: int, run_id: int, now: Micros) -> bool:
    """Count what the cursors of an expired run have left; False where it is not one."""
    row = db.execute(READ, (bucket, run_id)).fetchone()
    if row is None or row[0] not in (RunState.RUNNING, RunState.PAUSED) or row[1] > now:
        return False
    _cut_cursors(db, bucket, run_id, "expired", now)
    db.execute(LEAVE_DOUBTS, (bucket, run_id))
    return True


def settle(db: Connection, bucket: int, run_id: int, now: Micros) -> RunState | None:
    """End the run if nothing of it is open; its new state, or None."""
    if db.execute(CLOSED, (bucket, run_id)).fetchone() is None:
        return None
    return move(db, bucket, run_id, _state(db, bucket, run_id), RunEvent.SETTLE, "settled", now)


def find(db: Connection, statement: str, *args: Micros) -> list[tuple[int, int]]:
    """The runs that EXPIRED, LEFT or AT_END finds."""
    return db.execute(statement, args).fetchall()


def _state(db: Connection, bucket: int, run_id: int) -> RunState:
    row = db.execute(READ, (bucket, run_id)).fetchone()
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    return RunState(row[0])


def move(
    db: Connection, bucket: int, run_id: int, old: RunState, event: RunEvent, reason: str, now: Micros
) -> RunState:
    """Change the run's state by its table, with the row that says so. Conflict where it cannot go on for its list."""
    new = step(old, event)
    if event in (RunEvent.RESUME, RunEvent.REOPEN):
        name, state, active = db.execute(LIST, (bucket, run_id)).fetchone()
        check_active(name, state, active=bool(active))
    ended = now if new in (RunState.STOPPED, RunState.FINISHED) else None
    force = event is RunEvent.FORCE_STOP
    db.execute(MOVE, {"new": new, "force": force, "ended": ended, "bucket": bucket, "id": run_id})
    db.execute(TRANSITION, (bucket, run_id, old, new, reason, now))
    return new


def _park(db: Connection, bucket: int, run_id: int, old: str, new: str, size: int) -> int:
    return db.execute(PARK, {"bucket": bucket, "id": run_id, "old": old, "new": new, "size": size}).rowcount


def _cut_cursors(db: Connection, bucket: int, run_id: int, reason: str, now: Micros) -> None:
    db.execute(CUT_SELECTION, (bucket, run_id))
    left: int = db.execute(REST, (bucket, run_id)).fetchone()[0]
    if left:
        tallies = Tallies()
        tallies.add(bucket, run_id, State(reason), reason, hour_of(now), left, 0)
        db.execute(END_CURSORS, (bucket, run_id))
        count(db, tallies.rows())
