"""Runs: how one starts, and what sending it needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.errors import NotFound
from todoke.model.ids import SELECTED
from todoke.model.run import RunState
from todoke.store.hot.base import Cursor, NewRun, OpenRun
from todoke.store.hot.runs import check_list, check_number, check_provider, check_size, read_run
from todoke.store.hot.selecting import new_selection
from todoke.store.hot.singles import FIELDS, MOST, NO_ZONES
from todoke.store.hot.sqlite import guards

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
                           expires_at, stream, standing, start_key)
    VALUES (?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)
"""

STARTED = "SELECT id FROM skill_run WHERE bucket = ? AND start_key = ?"
# A selection that is to be made.
SELECT_LATER = """
    INSERT INTO run_selection (bucket, run_id, number, state, filter, ordering, today, first_ordinal, next_ordinal,
                               read_to, size, resumes, recalls, maker, made_until)
    VALUES (?, ?, ?, 'making', ?, ?, ?, ?, ?, 0, ?, ?, ?, '', 0)
"""

# One cursor a zone range of the list.
CURSORS = """
    INSERT INTO run_cursor (bucket, run_id, number, zone_set, next_position, last_position)
    SELECT ?, ?, number, zone_set, first_position, last_position FROM list_range WHERE list_id = ?
"""

# The standing run that the skill has, if it is scrubbed against the same groups and takes more messages.
STANDING = """
    SELECT id FROM skill_run
    WHERE bucket = ? AND skill_id = ? AND standing AND state IN ('running', 'paused') AND scrub_groups = ?
      AND contacts <= ?
"""

# Any other one ends when nothing of it is open.
RETIRE = """
    UPDATE skill_run SET standing = 0
    WHERE bucket = ? AND skill_id = ? AND standing AND state IN ('running', 'paused') AND id <> ?
"""

# The list that is a standing run's own; nobody else sees it.
OWN_LIST = """
    INSERT INTO calling_list (business_unit_id, name, state, bucket, fields, zone_sets, source, importer, contacts,
                              rejected, created_at)
    SELECT business_unit_id, name, 'standing', ?, ?, ?, '', '', 0, 0, ? FROM skill WHERE id = ?
    RETURNING id
"""

TRANSITION = "INSERT INTO run_transition (bucket, run_id, old, new, reason, at) VALUES (?, ?, ?, ?, ?, ?)"

# Zone sets are the list's of now: an update may have added some, and their numbers stay. A standing run has its own,
# and is known by its list: once retired it takes no more messages, but those that it has are what they were.
OPEN = """
    SELECT r.bucket, r.id, r.business_unit_id, r.list_id, r.transport_code_id, r.state, r.force, r.body, r.fields,
           CASE WHEN l.state = 'standing' THEN r.zone_sets ELSE l.zone_sets END,
           r.scrub_groups, r.expires_at, s.window_start, s.window_end, s.in_doubt_policy, s.max_attempts,
           s.smart_encoding, s.weight, r.stream, s.consent, s.consent_purpose, s.consent_programme,
           EXISTS (SELECT 1 FROM erased_number e
                   WHERE e.bucket = r.bucket AND e.business_unit_id = r.business_unit_id),
           l.state = 'standing',
           CASE WHEN l.state = 'standing' THEN (
               SELECT d.not_before FROM due d
               WHERE d.bucket = r.bucket AND d.transport_code_id = r.transport_code_id AND d.state = 'ready'
                 AND d.stream = r.stream AND d.not_before <= 9223372036854775807
               ORDER BY d.not_before LIMIT 1) END,
           coalesce((SELECT max(n.number) FROM run_selection n
                     WHERE n.bucket = r.bucket AND n.run_id = r.id AND n.recalls), 0),
           b.hours, b.holidays, b.rule_pack, s.hours, s.rule_pack, b.phone_hours, s.phone_hours
    FROM skill_run r JOIN skill s ON s.id = r.skill_id JOIN business_unit b ON b.id = r.business_unit_id
    JOIN calling_list l ON l.id = r.list_id
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
    groups = json.dumps(run.scrub_groups)
    if run.standing:
        found = db.execute(STANDING, (run.bucket, run.skill_id, groups, MOST)).fetchone()
        if found is not None:
            return found[0]
        own = (run.bucket, json.dumps(FIELDS), json.dumps(NO_ZONES), run.started_at, run.skill_id)
        run = run._replace(list_id=db.execute(OWN_LIST, own).fetchall()[0][0])
    source = db.execute(LIST, (run.list_id, run.business_unit_id)).fetchone()
    if source is None:
        raise NotFound(f"The business unit has no list {run.list_id}.")
    name, state, active, expires_at, bucket, contacts, fields, zone_sets = source
    check_list(name, state, bool(active), expires_at, bucket, run)
    check_size(name, contacts)
    provider = db.execute(PROVIDER, (run.transport_code_id,)).fetchone()
    if provider is None:
        raise NotFound(f"There is no transport code {run.transport_code_id}.")
    check_provider(provider[0], provider[1], run)
    run_id: int = db.execute(NUMBER, (run.bucket,)).fetchall()[0][0]
    check_number(run_id)
    ids = (run.bucket, run_id, run.business_unit_id, run.skill_id, run.list_id, run.transport_code_id)
    picked = contacts if run.selecting is None else 0  # a selection counts what it finds
    frozen = (run.body, run.template_version_id, fields, zone_sets, groups, picked)
    db.execute(INSERT, (*ids, *frozen, run.started_at, run.expires_at, run.stream, run.standing, run.start_key))
    if run.standing:
        db.execute(RETIRE, (run.bucket, run.skill_id, run_id))
    if run.selecting is None:
        db.execute(CURSORS, (run.bucket, run_id, run.list_id))
    else:
        db.execute(SELECT_LATER, new_selection(run.bucket, run_id, 0, run.selecting, SELECTED, contacts))
    db.execute(TRANSITION, (run.bucket, run_id, "", RunState.RUNNING, "started", run.started_at))
    return run_id


def open_runs(db: Connection, codes: Sequence[int]) -> list[OpenRun]:
    """Runs of these codes that have not ended, with their cursors."""
    rows = db.execute(OPEN, (json.dumps(list(codes)),)).fetchall()
    runs = [read_run(row, [Cursor(*cursor) for cursor in db.execute(OPEN_CURSORS, row[:2])]) for row in rows]
    guards.read(db, runs)
    return runs
