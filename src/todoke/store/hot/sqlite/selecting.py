"""Making a run's selection, and beginning another one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.clock import Micros
from todoke.model.errors import Conflict
from todoke.model.ids import SELECTED, base
from todoke.model.run import RunEvent, RunState
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
from todoke.store.hot.sqlite import controlling, selected
from todoke.store.hot.sqlite.starting import SELECT_LATER
from todoke.store.selection.on_sqlite import SqliteCompiler

# Selections that nobody makes, of runs that may send.
MAKING = """
    SELECT s.bucket, s.run_id, s.number FROM run_selection s INDEXED BY ix_run_selection_making
    JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    WHERE s.state = 'making' AND s.made_until <= ? AND r.state IN ('running', 'paused')
    ORDER BY s.bucket, s.run_id, s.number
"""

CLAIM = """
    UPDATE run_selection SET maker = ?, made_until = ?
    WHERE bucket = ? AND run_id = ? AND number = ? AND state = 'making' AND made_until <= ?
"""

# Zone sets are the list's of now: contacts that an update changed have new ones.
CLAIMED = """
    SELECT s.bucket, s.run_id, s.number, s.filter, s.ordering, s.today, s.first_ordinal, s.next_ordinal, s.read_to,
           s.size, r.list_id, r.fields, l.zone_sets
    FROM run_selection s JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    JOIN calling_list l ON l.id = r.list_id
    WHERE s.bucket = ? AND s.run_id = ? AND s.number = ?
"""

RANGES = """
    SELECT number, zone_set, first_position, last_position FROM list_range WHERE list_id = ? ORDER BY first_position
"""

# Whoever makes it still does.
KEEP = """
    UPDATE run_selection SET made_until = ?
    WHERE bucket = ? AND run_id = ? AND number = ? AND state = 'making' AND maker = ?
"""

# Moves a selection that stands where its maker believes it.
MOVE = """
    UPDATE run_selection SET next_ordinal = :next, read_to = :read_to, state = :state, made_until = :until
    WHERE bucket = :bucket AND run_id = :run AND number = :number AND state = 'making' AND maker = :maker
      AND next_ordinal = :expected
      AND EXISTS (SELECT 1 FROM skill_run r
                  WHERE r.bucket = :bucket AND r.id = :run AND r.state IN ('running', 'paused'))
    RETURNING resumes
"""

# Whether its run goes on when it is made.
RESUMES = "SELECT resumes FROM run_selection WHERE bucket = ? AND run_id = ? AND number = ? AND state = 'making'"

ADD = "INSERT INTO selection (bucket, run_id, first_ordinal, last_ordinal, positions) VALUES (?, ?, ?, ?, ?)"

GROW_CURSOR = """
    INSERT INTO run_cursor (bucket, run_id, number, zone_set, next_position, last_position) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (bucket, run_id, number) DO UPDATE SET last_position = excluded.last_position
"""

COUNT = "UPDATE skill_run SET contacts = contacts + ? WHERE bucket = ? AND id = ?"

# Positions that were handed to engines: first and last ordinal of each block.
TAKEN = """
    SELECT first_position, last_position FROM block
    WHERE bucket = ? AND run_id = ? AND first_position > ? ORDER BY first_position LIMIT ?
"""

# The run's last selection.
LAST = """
    SELECT number, next_ordinal, resumes AND state = 'making' FROM run_selection WHERE bucket = ? AND run_id = ?
    ORDER BY number DESC LIMIT 1
"""

# The filter of the run's last selection.
FILTER = """
    SELECT s.filter, s.today, r.list_id, r.fields, l.zone_sets
    FROM run_selection s JOIN skill_run r ON r.bucket = s.bucket AND r.id = s.run_id
    JOIN calling_list l ON l.id = r.list_id
    WHERE s.bucket = ? AND s.run_id = ? ORDER BY s.number DESC LIMIT 1
"""

SIZE = """
    SELECT l.contacts FROM skill_run r JOIN calling_list l ON l.id = r.list_id WHERE r.bucket = ? AND r.id = ?
"""

# Nothing more is taken from what the run has now.
CLOSE_CURSORS = """
    UPDATE run_cursor SET last_position = next_position - 1
    WHERE bucket = ? AND run_id = ? AND next_position <= last_position
"""


def to_make(db: Connection, now: Micros) -> list[SelectionKey]:
    return [SelectionKey(*row) for row in db.execute(MAKING, (now,))]


def claim(db: Connection, key: SelectionKey, maker: str, now: Micros) -> OpenSelection | None:
    """It is this process's to make from now on; None where it is another's, or made."""
    if db.execute(CLAIM, (maker, now + CLAIM_FOR, *key, now)).rowcount != 1:
        return None
    row = db.execute(CLAIMED, key).fetchone()
    return opened(row, db.execute(RANGES, (row[10],)).fetchall(), maker)


def keep(db: Connection, selection: OpenSelection, now: Micros) -> bool:
    return db.execute(KEEP, (now + CLAIM_FOR, *selection.key, selection.maker)).rowcount == 1


def free(db: Connection, selection: OpenSelection) -> bool:
    """Free some due rows of a run that goes on when the selection is made; whether there may be more."""
    row = db.execute(RESUMES, selection.key).fetchone()
    return row is not None and bool(row[0]) and controlling.free(db, *selection.key[:2])


def add(db: Connection, selection: OpenSelection, added: Added, now: Micros) -> OpenSelection | None:
    """None where it is not this process's any more, or its run ends: nothing is added then."""
    bucket, run_id, number = selection.key
    rows = list(rows_of(selection, added))
    moved = after(selection, added)
    wanted = {
        "bucket": bucket,
        "run": run_id,
        "number": number,
        "maker": selection.maker,
        "expected": selection.next_ordinal,
        "next": moved.next_ordinal,
        "read_to": moved.read_to,
        "state": "made" if added.made else "making",
        "until": now + CLAIM_FOR,
    }
    row = db.execute(MOVE, wanted).fetchall()
    if not row:
        return None
    db.executemany(ADD, [(bucket, run_id, first, last, packed) for first, last, packed, _, _ in rows])
    db.executemany(GROW_CURSOR, [(bucket, run_id, cursor, zone, first, last) for first, last, _, cursor, zone in rows])
    db.execute(COUNT, (added.size, bucket, run_id))
    state = db.execute(controlling.READ, (bucket, run_id)).fetchone()[0]
    if added.made and row[0][0] and state == RunState.PAUSED:
        with contextlib.suppress(Conflict):  # its list is inactive by now: a person resumes it
            controlling.control(db, bucket, run_id, RunEvent.RESUME, "filter applied", now)
    return moved


def passing(db: Connection, bucket: int, run_id: int, ordinals: Sequence[int]) -> set[int]:
    """Those of them whose contacts pass the last filter."""
    row = db.execute(FILTER, (bucket, run_id)).fetchone()
    passes = Passes(*row) if row is not None else None
    query = passes.compile(SqliteCompiler) if passes is not None else None
    if passes is None or query is None:
        return set(ordinals)
    start = base(bucket, run_id)
    places = selected.of_messages(db, [start + ordinal for ordinal in ordinals])
    given = (bucket, passes.list_id, json.dumps(list(places.values())), None, *query.parameters)
    fitting = set(json.loads(db.execute(query.sql, given).fetchone()[0]))
    return {message_id - start for message_id, position in places.items() if position in fitting}


def taken(db: Connection, bucket: int, run_id: int, after_position: int, limit: int) -> list[tuple[int, int]]:
    return db.execute(TAKEN, (bucket, run_id, after_position, limit)).fetchall()


def anew(db: Connection, bucket: int, run_id: int, selecting: Selecting, apply: Apply, now: Micros) -> bool:
    """What the run has left is selected anew; False where it has ended or ends."""
    row = db.execute(controlling.READ, (bucket, run_id)).fetchone()
    if row is None or row[0] not in (RunState.RUNNING, RunState.PAUSED):
        return False
    number, first, resumes = db.execute(LAST, (bucket, run_id)).fetchone() or (0, SELECTED, 0)
    size: int = db.execute(SIZE, (bucket, run_id)).fetchone()[0]
    left: int = db.execute(controlling.REST, (bucket, run_id)).fetchone()[0]
    db.execute(controlling.CUT_SELECTION, (bucket, run_id))
    db.execute(CLOSE_CURSORS, (bucket, run_id))
    db.execute(COUNT, (-left, bucket, run_id))
    pauses = apply in (Apply.STOP, Apply.FLUSH) and row[0] == RunState.RUNNING
    if pauses:
        controlling.control(db, bucket, run_id, RunEvent.PAUSE, "filter changed", now)
    goes_on, recalls = pauses or bool(resumes), apply is Apply.FLUSH
    later = new_selection(bucket, run_id, number + 1, selecting, first, size, resumes=goes_on, recalls=recalls)
    db.execute(SELECT_LATER, later)
    return True
