"""Runs: how one starts, and what sending it needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.errors import NotFound
from todoke.model.run import RunState
from todoke.store.hot.base import Cursor, NewRun, OpenRun
from todoke.store.hot.runs import check_list, check_number, check_provider, read_run

LIST = """
    SELECT name, state, active, expires_at, bucket, contacts, fields, zone_sets
    FROM calling_list WHERE id = ? AND business_unit_id = ?
"""

PROVIDER = """
    SELECT p.name, p.bucket FROM transport_code c JOIN provider p ON p.id = c.provider_id WHERE c.id = ?
"""

# The next run id of the bucket.
NUMBER = """
    INSERT INTO run_counter (bucket, next_run) VALUES (?, 2)
    ON CONFLICT (bucket) DO UPDATE SET next_run = next_run + 1
    RETURNING next_run - 1
"""

INSERT = """
    INSERT INTO skill_run (bucket, id, business_unit_id, skill_id, list_id, transport_code_id, state, body,
                           template_version_id, fields, zone_sets, scrub_groups, contacts, force, started_at,
                           expires_at, stream, start_key)
    VALUES (?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
"""

STARTED = "SELECT id FROM skill_run WHERE bucket = ? AND start_key = ?"

# One cursor a zone range of the list.
CURSORS = """
    INSERT INTO run_cursor (bucket, run_id, number, zone_set, next_position, last_position)
    SELECT ?, ?, number, zone_set, first_position, last_position FROM list_range WHERE list_id = ?
"""

TRANSITION = "INSERT INTO run_transition (bucket, run_id, old, new, reason, at) VALUES (?, ?, ?, ?, ?, ?)"

# Zone sets are the list's of now: an update may have added some, and their numbers stay.
OPEN = """
    SELECT r.bucket, r.id, r.business_unit_id, r.list_id, r.transport_code_id, r.state, r.force, r.body, r.fields,
           l.zone_sets, r.scrub_groups, r.expires_at, s.window_start, s.window_end, s.in_doubt_policy, s.max_attempts,
           s.smart_encoding, s.weight, r.stream
    FROM skill_run r JOIN skill s ON s.id = r.skill_id JOIN calling_list l ON l.id = r.list_id
    WHERE r.state IN ('running', 'paused', 'stopping')
      AND r.transport_code_id IN (SELECT value FROM json_each(?))
    ORDER BY r.bucket, r.id
"""

OPEN_CURSORS = """
    SELECT number, zone_set, next_position, last_position FROM run_cursor
    WHERE bucket = ? AND run_id = ? ORDER BY number
"""


def start(db: Connection, run: NewRun) -> int:
    """Insert the run with its cursors, or find the one with its start key; its id. NotFound, Conflict."""
    if run.start_key is not None and (found := db.execute(STARTED, (run.bucket, run.start_key)).fetchone()):
        return found[0]
    source = db.execute(LIST, (run.list_id, run.business_unit_id)).fetchone()
    if source is None:
        raise NotFound(f"The business unit has no list {run.list_id}.")
    name, state, active, expires_at, bucket, contacts, fields, zone_sets = source
    check_list(name, state, bool(active), expires_at, bucket, run)
    provider = db.execute(PROVIDER, (run.transport_code_id,)).fetchone()
    if provider is None:
        raise NotFound(f"There is no transport code {run.transport_code_id}.")
    check_provider(provider[0], provider[1], run)
    run_id: int = db.execute(NUMBER, (run.bucket,)).fetchall()[0][0]
    check_number(run_id)
    ids = (run.bucket, run_id, run.business_unit_id, run.skill_id, run.list_id, run.transport_code_id)
    frozen = (run.body, run.template_version_id, fields, zone_sets, json.dumps(run.scrub_groups), contacts)
    db.execute(INSERT, (*ids, *frozen, run.started_at, run.expires_at, run.stream, run.start_key))
    db.execute(CURSORS, (run.bucket, run_id, run.list_id))
    db.execute(TRANSITION, (run.bucket, run_id, "", RunState.RUNNING, "started", run.started_at))
    return run_id


def open_runs(db: Connection, codes: Sequence[int]) -> list[OpenRun]:
    """Runs of these codes that have not ended, with their cursors."""
    rows = db.execute(OPEN, (json.dumps(list(codes)),)).fetchall()
    return [read_run(row, [Cursor(*cursor) for cursor in db.execute(OPEN_CURSORS, row[:2])]) for row in rows]
