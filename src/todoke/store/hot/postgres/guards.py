"""Suppressions and frequency caps: what each run is guarded by, which messages are held, and which uses count."""

from __future__ import annotations

from collections.abc import Sequence

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
from todoke.store.hot.postgres import contacts, selected
from todoke.store.hot.postgres.dnc import MOMENT
from todoke.store.hot.questions import Made, Question, questions, remember, settle
from todoke.store.hot.runs import guarded_run
from todoke.store.postgres import Connection

# What is looked at before contacts of these runs are texted, as it is declared now.
GUARDS = f"""
    SELECT r.bucket, r.id, r.skill_id, b.cap, s.cap, l.cap, b.dnc_group_id, g.dnc_group_id,
           ARRAY (SELECT d.dnc_group_id FROM skill_dnc d WHERE d.skill_id = r.skill_id AND d.scrubs),
           EXISTS (SELECT FROM skill_dnc d WHERE d.skill_id = r.skill_id AND d.contributes),
           EXISTS (SELECT FROM suppression p
                   WHERE p.bucket = r.bucket AND p.business_unit_id = r.business_unit_id AND p.phone > 0
                     AND p.expires_at > {MOMENT} AND p.ended_at IS NULL),
           EXISTS (SELECT FROM suppression p
                   WHERE p.bucket = r.bucket AND p.business_unit_id = r.business_unit_id AND p.external_id > ''
                     AND p.expires_at > {MOMENT} AND p.ended_at IS NULL)
    FROM unnest($1::smallint[], $2::bigint[]) AS k (bucket, id)
    JOIN skill_run r ON r.bucket = k.bucket AND r.id = k.id
    JOIN skill s ON s.id = r.skill_id
    JOIN business_unit b ON b.id = r.business_unit_id
    JOIN calling_list l ON l.id = r.list_id
    LEFT JOIN sms_registration g ON g.transport_code_id = r.transport_code_id
"""


def _suppressed_by(column: str, kind: str) -> str:
    """Until when what the column holds is suppressed, by a number of the caller's."""
    return f"""
        SELECT k.id, max(p.expires_at)
        FROM unnest($1::bigint[], $2::{kind}[]) AS k (id, wanted)
        CROSS JOIN LATERAL (
            SELECT p.expires_at FROM suppression p
            WHERE p.bucket = $3 AND p.business_unit_id = $4 AND p.{column} = k.wanted AND p.expires_at > {MOMENT}
              AND p.ended_at IS NULL AND (p.skill_id IS NULL OR p.skill_id = $5) OFFSET 0) p
        GROUP BY k.id
    """


SUPPRESSED = _suppressed_by("phone", "bigint")
SUPPRESSED_BY_ID = _suppressed_by("external_id", "text")

# The same of messages, by the external ids of their contacts.
SUPPRESSED_EXTERNALLY = f"""
    SELECT k.id, max(p.expires_at)
    FROM unnest($1::bigint[], $6::bigint[]) AS k (id, position)
    CROSS JOIN LATERAL (
        SELECT c.external_id FROM contact c
        WHERE c.bucket = $2 AND c.list_id = $5 AND c.position = k.position OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT p.expires_at FROM suppression p
        WHERE p.bucket = $2 AND p.business_unit_id = $3 AND p.external_id = c.external_id AND p.expires_at > {MOMENT}
          AND p.ended_at IS NULL AND (p.skill_id IS NULL OR p.skill_id = $4) OFFSET 0) p
    GROUP BY k.id
"""

# Engines that send for one unit with caps count one after the other, until they have committed.
TURN = """
    SELECT pg_advisory_xact_lock(7430506, hashint8(unit)) FROM unnest($1::bigint[]) AS unit
"""

# What counts against caps of these numbers.
USES = """
    SELECT u.phone, u.message_id, u.at, u.skill_id, u.list_id
    FROM unnest($1::bigint[]) AS k (phone)
    CROSS JOIN LATERAL (
        SELECT * FROM cap_use u
        WHERE u.bucket = $2 AND u.business_unit_id = $3 AND u.phone = k.phone AND u.at > $4 OFFSET 0) u
"""

# Messages that go; of an earlier attempt there may be a use already.
USE = """
    INSERT INTO cap_use (bucket, business_unit_id, phone, message_id, at, skill_id, list_id, transport_code_id)
    SELECT $1::smallint, $2::bigint, k.phone, k.message_id, k.at, k.skill_id, k.list_id, $3::bigint
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
      AS k (phone, message_id, at, skill_id, list_id)
    ON CONFLICT (bucket, business_unit_id, phone, message_id) DO UPDATE SET at = excluded.at
"""

# A message that did not go, and never was on its way: no doubt, acceptance or receipt of it is stored.
TAKE_BACK = """
    DELETE FROM cap_use
    WHERE bucket = $1 AND business_unit_id = $2 AND phone = $3 AND message_id = $4
      AND NOT EXISTS (SELECT FROM event e
                      WHERE e.bucket = $1 AND e.message_id = $4 AND e.kind IN (20, 30, 40, 60) OFFSET 0)
"""

# A run, and whether anything of its unit counts against caps.
COUNTED = """
    SELECT r.business_unit_id, r.list_id, EXISTS (
        SELECT FROM cap_use u WHERE u.bucket = r.bucket AND u.business_unit_id = r.business_unit_id) AS counts
    FROM skill_run r WHERE r.bucket = $1 AND r.id = $2
"""


async def read(connection: Connection, runs: Sequence[OpenRun]) -> None:
    """Fill in the guards and the DNC groups of now."""
    if not runs:
        return
    rows = await connection.fetch(GUARDS, [run.bucket for run in runs], [run.id for run in runs])
    found = {(row[0], row[1]): tuple(row)[2:] for row in rows}
    for run in runs:
        if (run.bucket, run.id) in found:
            guarded_run(run, found[run.bucket, run.id])


async def ask(
    connection: Connection, guard: Guard, messages: Sequence[tuple[int, int]], now: Micros
) -> dict[int, Held]:
    """Which of the messages (id, number) are held; nothing is written."""
    uses = by_phone(await _uses(connection, guard, messages, oldest(guard, now))) if guard.caps else {}
    return decide(guard, messages, await _suppressed(connection, guard, messages), uses, now)[0]


async def foresee(
    connection: Connection, guard: Guard, phones: Sequence[int], external_ids: Sequence[str], now: Micros
) -> dict[int, Held]:
    """Which of these numbers would be held that have no message yet, by their place here. `external_ids`: of their
    contacts, place by place; none where the guard does not ask for them.
    """
    messages = [(NO_MESSAGE - place, phone) for place, phone in enumerate(phones)]
    ids = [message_id for message_id, _ in messages]
    unit = (guard.bucket, guard.business_unit_id, guard.skill_id)
    suppressed: dict[int, Micros] = {}
    if guard.phones:
        suppressed.update((row[0], row[1]) for row in await connection.fetch(SUPPRESSED, ids, list(phones), *unit))
    if guard.external_ids:
        for message_id, until in await connection.fetch(SUPPRESSED_BY_ID, ids, list(external_ids), *unit):
            suppressed[message_id] = max(until, suppressed.get(message_id, until))
    uses = by_phone(await _uses(connection, guard, messages, oldest(guard, now))) if guard.caps else {}
    held = decide(guard, messages, suppressed, uses, now)[0]
    return {NO_MESSAGE - message_id: found for message_id, found in held.items()}


async def hold(
    connection: Connection, reserves: Sequence[Reserve], flushed: Flushed, now: Micros, *, again: bool = False
) -> None:
    """Fill `flushed` with what is held of these reserves, and note the others. `again`: they were noted before."""
    asked = questions(reserves, flushed, now)
    if not asked:
        return
    if capped := sorted({question.guard.business_unit_id for question in asked if question.guard.caps}):
        await connection.execute(TURN, capped)
    made: Made = {}
    for question in asked:
        await _answer(connection, question, made, now, again=again)


async def _answer(connection: Connection, question: Question, made: Made, now: Micros, *, again: bool) -> None:
    guard, messages = question.guard, question.messages
    suppressed = await _suppressed(connection, guard, messages)
    if again:
        remember(question, suppressed, await _uses(connection, guard, messages, now), now)
        return
    uses = by_phone(await _uses(connection, guard, messages, oldest(guard, now))) if guard.caps else {}
    new = settle(question, suppressed, uses, made, now)
    if new:
        columns = map(list, zip(*new, strict=True))
        await connection.execute(USE, guard.bucket, guard.business_unit_id, guard.transport_code_id, *columns)


async def take_back(connection: Connection, unused: Sequence[Unused]) -> None:
    """Messages that did not go count no more, after what became of them is stored."""
    if unused:
        await connection.executemany(TAKE_BACK, unused)


async def never_sent(connection: Connection, bucket: int, run_id: int, message_ids: Sequence[int]) -> None:
    """What an engine that died had reserved of this run and certainly did not send counts no more."""
    run = await connection.fetchrow(COUNTED, bucket, run_id)
    if run is None or not run["counts"]:
        return
    places = await selected.of_messages(connection, message_ids)
    found = await contacts.at(connection, bucket, run["list_id"], list(places.values()), ())
    phones = {contact.destination for contact in found}
    rows = await connection.fetch(USES, list(phones), bucket, run["business_unit_id"], 0)
    theirs = [use for use in (Use(*row) for row in rows) if use.message_id in places]
    unit = (bucket, run["business_unit_id"])
    await take_back(connection, [Unused(*unit, use.phone, use.message_id) for use in theirs])


async def _suppressed(connection: Connection, guard: Guard, messages: Sequence[tuple[int, int]]) -> dict[int, Micros]:
    found: dict[int, Micros] = {}
    if not messages:
        return found
    ids, phones = map(list, zip(*messages, strict=True))
    unit = (guard.bucket, guard.business_unit_id, guard.skill_id)
    if guard.phones:
        found.update({row[0]: row[1] for row in await connection.fetch(SUPPRESSED, ids, phones, *unit)})
    if guard.external_ids:
        places = await selected.of_messages(connection, ids)
        wanted = (list(places), *unit, guard.list_id, list(places.values()))
        for message_id, until in await connection.fetch(SUPPRESSED_EXTERNALLY, *wanted):
            found[message_id] = max(until, found.get(message_id, until))
    return found


async def _uses(connection: Connection, guard: Guard, messages: Sequence[tuple[int, int]], after: Micros) -> list[Use]:
    phones = list({phone for _, phone in messages})
    rows = await connection.fetch(USES, phones, guard.bucket, guard.business_unit_id, after)
    return [Use(*row) for row in rows]
