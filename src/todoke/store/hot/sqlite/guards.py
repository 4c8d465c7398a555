"""Suppressions and frequency caps: what each run is guarded by, which messages are held, and which uses count."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

import msgspec

from todoke.model.clock import Micros
from todoke.store.hot.base import Flushed, OpenRun, Reserve
from todoke.store.hot.guarding import (
    NO_MESSAGE,
    Guard,
    Held,
    Unused,
    Use,
    by_phone,
    decide,
    oldest,
)
from todoke.store.hot.questions import Made, questions, remember, settle
from todoke.store.hot.runs import guarded_run
from todoke.store.hot.sqlite import contacts, selected
from todoke.store.hot.sqlite.dnc import MOMENT

# What is looked at before contacts of these runs are texted, as it is declared now.
GUARDS = f"""
    SELECT r.bucket, r.id, r.skill_id, b.cap, s.cap, l.cap, b.dnc_group_id, g.dnc_group_id,
           (SELECT group_concat(d.dnc_group_id) FROM skill_dnc d WHERE d.skill_id = r.skill_id AND d.scrubs),
           EXISTS (SELECT 1 FROM skill_dnc d WHERE d.skill_id = r.skill_id AND d.contributes),
           EXISTS (SELECT 1 FROM suppression p
                   WHERE p.bucket = r.bucket AND p.business_unit_id = r.business_unit_id AND p.phone > 0
                     AND p.expires_at > {MOMENT} AND p.ended_at IS NULL),
           EXISTS (SELECT 1 FROM suppression p
                   WHERE p.bucket = r.bucket AND p.business_unit_id = r.business_unit_id AND p.external_id > ''
                     AND p.expires_at > {MOMENT} AND p.ended_at IS NULL)
    FROM json_each(?1) AS k
    CROSS JOIN skill_run r ON r.bucket = json_extract(k.value, '$[0]') AND r.id = json_extract(k.value, '$[1]')
    JOIN skill s ON s.id = r.skill_id
    JOIN business_unit b ON b.id = r.business_unit_id
    JOIN calling_list l ON l.id = r.list_id
    LEFT JOIN sms_registration g ON g.transport_code_id = r.transport_code_id
"""


def _suppressed_by(column: str) -> str:
    """Until when what the column holds is suppressed, by a number of the caller's."""
    return f"""
        SELECT json_extract(k.value, '$[0]'), max(p.expires_at)
        FROM json_each(?1) AS k
        CROSS JOIN suppression p ON p.bucket = ?2 AND p.business_unit_id = ?3
                                AND p.{column} = json_extract(k.value, '$[1]') AND p.expires_at > {MOMENT}
        WHERE p.ended_at IS NULL AND (p.skill_id IS NULL OR p.skill_id = ?4)
        GROUP BY 1
    """


SUPPRESSED = _suppressed_by("phone")
SUPPRESSED_BY_ID = _suppressed_by("external_id")

# The same of messages, by the external ids of their contacts.
SUPPRESSED_EXTERNALLY = f"""
    SELECT json_extract(k.value, '$[0]'), max(p.expires_at)
    FROM json_each(?1) AS k
    CROSS JOIN contact c ON c.bucket = ?2 AND c.list_id = ?5 AND c.position = json_extract(k.value, '$[1]')
    CROSS JOIN suppression p ON p.bucket = ?2 AND p.business_unit_id = ?3
                            AND p.external_id = c.external_id AND p.expires_at > {MOMENT}
    WHERE p.ended_at IS NULL AND (p.skill_id IS NULL OR p.skill_id = ?4)
    GROUP BY 1
"""

# What counts against caps of these numbers.
USES = """
    SELECT u.phone, u.message_id, u.at, u.skill_id, u.list_id
    FROM json_each(?1) AS k
    CROSS JOIN cap_use u ON u.bucket = ?2 AND u.business_unit_id = ?3 AND u.phone = k.value
    WHERE u.at > ?4
"""

# A message that goes; of an earlier attempt there may be a use already.
USE = """
    INSERT INTO cap_use (bucket, business_unit_id, phone, message_id, at, skill_id, list_id, transport_code_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (bucket, business_unit_id, phone, message_id) DO UPDATE SET at = excluded.at
"""

# A message that did not go, and never was on its way: no doubt, acceptance or receipt of it is stored.
TAKE_BACK = """
    DELETE FROM cap_use
    WHERE bucket = ?1 AND business_unit_id = ?2 AND phone = ?3 AND message_id = ?4
      AND NOT EXISTS (SELECT 1 FROM event e
                      WHERE e.bucket = ?1 AND e.message_id = ?4 AND e.kind IN (20, 30, 40, 60))
"""

# A run, and whether anything of its unit counts against caps.
COUNTED = """
    SELECT r.business_unit_id, r.list_id, EXISTS (
        SELECT 1 FROM cap_use u WHERE u.bucket = r.bucket AND u.business_unit_id = r.business_unit_id)
    FROM skill_run r WHERE r.bucket = ? AND r.id = ?
"""


def read(db: Connection, runs: Sequence[OpenRun]) -> None:
    """Fill in the guards and the DNC groups of now."""
    if not runs:
        return
    found = {row[:2]: row for row in db.execute(GUARDS, (_json([(run.bucket, run.id) for run in runs]),))}
    for run in runs:
        row = found.get((run.bucket, run.id))
        if row is not None:
            scrubs = [int(group) for group in row[8].split(",")] if row[8] else []
            guarded_run(run, (*row[2:8], scrubs, *row[9:]))


def ask(db: Connection, guard: Guard, messages: Sequence[tuple[int, int]], now: Micros) -> dict[int, Held]:
    """Which of the messages (id, number) are held; nothing is written."""
    uses = by_phone(_uses(db, guard, messages, oldest(guard, now))) if guard.caps else {}
    return decide(guard, messages, _suppressed(db, guard, messages), uses, now)[0]


def foresee(
    db: Connection, guard: Guard, phones: Sequence[int], external_ids: Sequence[str], now: Micros
) -> dict[int, Held]:
    """Which of these numbers would be held that have no message yet, by their place here. `external_ids`: of their
    contacts, place by place; none where the guard does not ask for them.
    """
    messages = [(NO_MESSAGE - place, phone) for place, phone in enumerate(phones)]
    wanted = (guard.bucket, guard.business_unit_id, guard.skill_id)
    suppressed: dict[int, Micros] = {}
    if guard.phones:
        suppressed.update(db.execute(SUPPRESSED, (_json(messages), *wanted)).fetchall())
    if guard.external_ids:
        named = [(NO_MESSAGE - place, external_id) for place, external_id in enumerate(external_ids)]
        for message_id, until in db.execute(SUPPRESSED_BY_ID, (_json(named), *wanted)):
            suppressed[message_id] = max(until, suppressed.get(message_id, until))
    uses = by_phone(_uses(db, guard, messages, oldest(guard, now))) if guard.caps else {}
    held = decide(guard, messages, suppressed, uses, now)[0]
    return {NO_MESSAGE - message_id: found for message_id, found in held.items()}


def hold(db: Connection, reserves: Sequence[Reserve], flushed: Flushed, now: Micros, *, again: bool = False) -> None:
    """Fill `flushed` with what is held of these reserves, and note the others. `again`: they were noted before."""
    made: Made = {}
    for question in questions(reserves, flushed, now):
        guard, messages = question.guard, question.messages
        suppressed = _suppressed(db, guard, messages)
        if again:
            remember(question, suppressed, _uses(db, guard, messages, now), now)
            continue
        uses = by_phone(_uses(db, guard, messages, oldest(guard, now))) if guard.caps else {}
        new = settle(question, suppressed, uses, made, now)
        unit = (guard.bucket, guard.business_unit_id)
        db.executemany(USE, [(*unit, *use, guard.transport_code_id) for use in new])


def take_back(db: Connection, unused: Sequence[Unused]) -> None:
    """Messages that did not go count no more, after what became of them is stored."""
    db.executemany(TAKE_BACK, unused)


def never_sent(db: Connection, bucket: int, run_id: int, message_ids: Sequence[int]) -> None:
    """What an engine that died had reserved of this run and certainly did not send counts no more."""
    run = db.execute(COUNTED, (bucket, run_id)).fetchone()
    if run is None or not run[2]:
        return
    unit, list_id = run[:2]
    places = selected.of_messages(db, message_ids)
    found = contacts.at(db, bucket, list_id, list(places.values()), ())
    phones = _json(sorted({contact.destination for contact in found}))
    uses = [Use(*row) for row in db.execute(USES, (phones, bucket, unit, 0))]
    take_back(db, [Unused(bucket, unit, use.phone, use.message_id) for use in uses if use.message_id in places])


def _suppressed(db: Connection, guard: Guard, messages: Sequence[tuple[int, int]]) -> dict[int, Micros]:
    found: dict[int, Micros] = {}
    if not messages or not guard.suppresses:
        return found
    wanted = (_json(messages), guard.bucket, guard.business_unit_id, guard.skill_id)
    if guard.phones:
        found.update(db.execute(SUPPRESSED, wanted).fetchall())
    if guard.external_ids:
        positions = selected.of_messages(db, [message_id for message_id, _ in messages])
        wanted = (_json(list(positions.items())), *wanted[1:], guard.list_id)
        for message_id, until in db.execute(SUPPRESSED_EXTERNALLY, wanted):
            found[message_id] = max(until, found.get(message_id, until))
    return found


def _uses(db: Connection, guard: Guard, messages: Sequence[tuple[int, int]], after: Micros) -> list[Use]:
    phones = _json(sorted({phone for _, phone in messages}))
    rows = db.execute(USES, (phones, guard.bucket, guard.business_unit_id, after))
    return [Use(*row) for row in rows]


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()
