"""Runs: how one starts, and what sending it needs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from todoke.model.errors import NotFound
from todoke.model.ids import SELECTED
from todoke.model.run import RunState
from todoke.store.hot.base import Cursor, NewRun, OpenRun
from todoke.store.hot.postgres import guards, partitions
from todoke.store.hot.runs import check_list, check_number, check_provider, check_size, read_run
from todoke.store.hot.selecting import new_selection
from todoke.store.hot.singles import FIELDS, MOST, NO_ZONES
from todoke.store.postgres import Connection

# Held, so that the list is not deleted meanwhile.
LIST = """
    SELECT name, state, active, expires_at, contacts, fields, zone_sets, bucket FROM calling_list
    WHERE id = $1 AND business_unit_id = $2 FOR SHARE
"""

CODE = """
    SELECT c.code, p.name, p.bucket FROM transport_code c JOIN provider p ON p.id = c.provider_id WHERE c.id = $1
"""

# The next run id of the bucket.
NUMBER = """
    INSERT INTO run_counter (bucket, next_run) VALUES ($1, 2)
    ON CONFLICT (bucket) DO UPDATE SET next_run = run_counter.next_run + 1
    RETURNING next_run - 1
"""

INSERT = """
    INSERT INTO skill_run (bucket, id, business_unit_id, skill_id, list_id, transport_code_id, state, body,
                           template_version_id, fields, zone_sets, scrub_groups, contacts, force, started_at,
                           expires_at, stream, standing, start_key)
    VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, $10, $11, $12, false, $13, $14, $15, $16, $17)
"""

# Looked for with the counter held: whoever started it first has committed.
STARTED = "SELECT id FROM skill_run WHERE bucket = $1 AND start_key = $2"
# A selection that is to be made.
SELECT_LATER = """
    INSERT INTO run_selection (bucket, run_id, number, state, filter, ordering, today, first_ordinal, next_ordinal,
                               read_to, size, resumes, recalls, maker, made_until)
    VALUES ($1, $2, $3, 'making', $4, $5, $6, $7, $8, 0, $9, $10, $11, '', 0)
"""

# One cursor a zone range of the list.
CURSORS = """
    INSERT INTO run_cursor (bucket, run_id, number, zone_set, next_position, last_position)
    SELECT $1, $2, number, zone_set, first_position, last_position FROM list_range WHERE list_id = $3
"""

# One at a time for each skill that has standing runs.
SKILL = "SELECT 1 FROM skill WHERE id = $1 FOR NO KEY UPDATE"

# The standing run that the skill has, if it is scrubbed against the same groups and takes more messages.
STANDING = """
    SELECT id FROM skill_run
    WHERE bucket = $1 AND skill_id = $2 AND standing AND state = ANY ('{running,paused}')
      AND scrub_groups::text = $3 AND contacts <= $4
"""

# Any other one ends when nothing of it is open.
RETIRE = """
    UPDATE skill_run SET standing = false
    WHERE bucket = $1 AND skill_id = $2 AND standing AND state = ANY ('{running,paused}') AND id <> $3
"""

# The list that is a standing run's own; nobody else sees it.
OWN_LIST = """
    INSERT INTO calling_list (business_unit_id, name, state, bucket, fields, zone_sets, source, importer, contacts,
                              rejected, created_at)
    SELECT business_unit_id, name, 'standing', $1, $2, $3, '', '', 0, 0, $4 FROM skill WHERE id = $5
    RETURNING id
"""

TRANSITION = """
    INSERT INTO run_transition (bucket, run_id, old, new, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
"""

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
    WHERE r.state = ANY ('{running,paused,stopping}') AND r.transport_code_id = ANY ($1::bigint[])
    ORDER BY r.bucket, r.id
"""

OPEN_CURSORS = """
    SELECT c.bucket, c.run_id, c.number, c.zone_set, c.next_position, c.last_position
    FROM unnest($1::smallint[], $2::bigint[]) AS k (bucket, run_id)
    JOIN run_cursor c ON c.bucket = k.bucket AND c.run_id = k.run_id
    ORDER BY c.bucket, c.run_id, c.number
"""


async def start(connection: Connection, run: NewRun) -> int:
    """Insert the run with its cursors, or find the one with its start key; its id. NotFound, Conflict."""
    groups = json.dumps(run.scrub_groups)
    if run.standing:
        await connection.execute(SKILL, run.skill_id)
        found = await connection.fetchval(STANDING, run.bucket, run.skill_id, groups, MOST)
        if found is not None:
            return found
        own = (run.bucket, json.dumps(FIELDS), json.dumps(NO_ZONES), run.started_at, run.skill_id)
        run = run._replace(list_id=await connection.fetchval(OWN_LIST, *own))
    source = await connection.fetchrow(LIST, run.list_id, run.business_unit_id)
    if source is None:
        raise NotFound(f"The business unit has no list {run.list_id}.")
    check_list(source["name"], source["state"], source["active"], source["expires_at"], source["bucket"], run)
    check_size(source["name"], source["contacts"])
    code = await connection.fetchrow(CODE, run.transport_code_id)
    if code is None:
        raise NotFound(f"There is no transport code {run.transport_code_id}.")
    check_provider(code["name"], code["bucket"], run)
    run_id: int = await connection.fetchval(NUMBER, run.bucket)
    check_number(run_id)
    if run.start_key is not None:
        started = await connection.fetchval(STARTED, run.bucket, run.start_key)
        if started is not None:
            return started
    await partitions.ensure(connection, run.bucket, run_id)
    await connection.execute(
        INSERT,
        run.bucket,
        run_id,
        run.business_unit_id,
        run.skill_id,
        run.list_id,
        run.transport_code_id,
        run.body,
        run.template_version_id,
        source["fields"],
        source["zone_sets"],
        groups,
        source["contacts"] if run.selecting is None else 0,  # a selection counts what it finds
        run.started_at,
        run.expires_at,
        run.stream,
        run.standing,
        run.start_key,
    )
    if run.standing:
        await connection.execute(RETIRE, run.bucket, run.skill_id, run_id)
    if run.selecting is None:
        await connection.execute(CURSORS, run.bucket, run_id, run.list_id)
    else:
        size = source["contacts"]
        row = new_selection(run.bucket, run_id, 0, run.selecting, SELECTED, size)
        await connection.execute(SELECT_LATER, *row)
    await connection.execute(TRANSITION, run.bucket, run_id, "", RunState.RUNNING, "started", run.started_at)
    return run_id


async def open_runs(connection: Connection, codes: Sequence[int]) -> list[OpenRun]:
    """Runs of these codes that have not ended, with their cursors."""
    rows = await connection.fetch(OPEN, list(codes))
    cursors: dict[tuple[int, int], list[Cursor]] = {(row[0], row[1]): [] for row in rows}
    if cursors:
        for bucket, run_id, *cursor in await connection.fetch(OPEN_CURSORS, *map(list, zip(*cursors, strict=True))):
            cursors[(bucket, run_id)].append(Cursor(*cursor))
    runs = [read_run(tuple(row), cursors[(row[0], row[1])]) for row in rows]
    await guards.read(connection, runs)
    return runs
