"""What replies mean takes effect, each in its turn, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from todoke.model.dnc import HELD
from todoke.model.errors import Conflict
from todoke.model.meaning import Meaning
from todoke.store.hot.checking import KeyMissing
from todoke.store.hot.postgres import checks, inbound, opt_outs, singles
from todoke.store.hot.postgres.dnc import MOMENT
from todoke.store.hot.replies import DAY, HELD_FOR, Done, Said, keyless, meaning_of, single
from todoke.store.postgres import Connection

# Where the number is listed: by a lasting entry, or held.
LISTED = f"""
    SELECT source FROM dnc_entry
    WHERE bucket = $1 AND dnc_group_id = $2 AND phone = $3 AND (expires_at IS NULL OR expires_at > {MOMENT})
"""

HOLD = f"""
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at)
    VALUES ($1, $2, $3, 'review', $4, $5)
    ON CONFLICT (bucket, dnc_group_id, phone) DO UPDATE
    SET source = excluded.source, created_at = excluded.created_at, expires_at = excluded.expires_at, upload_id = NULL
    WHERE dnc_entry.expires_at <= {MOMENT}
"""

RELEASE = """
    DELETE FROM dnc_entry WHERE bucket = $1 AND dnc_group_id = $2 AND phone = $3 AND source = 'review'
    RETURNING phone
"""

# Nothing where it is stored already.
ASK = """
    INSERT INTO review (bucket, business_unit_id, transport_code_id, phone, inbound_id, text, reason, holds,
                        state, note, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', '', $9)
    ON CONFLICT DO NOTHING RETURNING id
"""

DECIDE = """
    UPDATE review SET state = 'decided', meaning = $3, note = $4, decided_at = $5
    WHERE bucket = $1 AND id = $2 AND state = 'open'
    RETURNING holds
"""

# What the number says later for certain decides what it said before.
OVERTAKE = """
    UPDATE review SET state = 'decided', meaning = $4, note = 'the number said so later', decided_at = $5
    WHERE bucket = $1 AND phone = $2 AND state || '' = 'open' AND business_unit_id IS NOT DISTINCT FROM $3
    RETURNING holds
"""

# What keeps the number held. (`state || ''`: found by the number, whatever the statistics say.)
OPEN = "SELECT holds FROM review WHERE bucket = $1 AND phone = $2 AND state || '' = 'open'"

RECENT = """
    SELECT kind, at FROM answer WHERE bucket = $1 AND phone = $2 AND transport_code_id = $3 AND at > $4 ORDER BY id
"""

ANSWERED = """
    INSERT INTO answer (bucket, business_unit_id, transport_code_id, phone, kind, inbound_id, message_id, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def apply(connection: Connection, replies: Sequence[Said], hashed: Callable[[int], int]) -> list[Done]:
    """Each as if it were alone, in their order; Conflict, RunEnded."""
    await connection.execute(opt_outs.TURN, sorted({said.phone for said in replies if said.phone is not None}))
    done = [await _apply(connection, said, hashed) for said in replies]
    meanings = [(said.inbound_id, one.meaning.value) for said, one in zip(replies, done, strict=True)]
    await inbound.set_meanings(connection, meanings)
    return done


async def _apply(connection: Connection, said: Said, hashed: Callable[[int], int]) -> Done:
    numbers: list[tuple[int, int, str]] = []
    holds = await _decided(connection, said)
    sources = [
        await connection.fetchval(LISTED, target.bucket, target.dnc_group_id, said.phone) for target in said.targets
    ]
    opted_out = any(source not in (None, HELD) for source in sources)
    meaning = meaning_of(said, opted_out=opted_out)
    changed = False
    to_ask = said
    if said.phone is not None:
        if meaning in (Meaning.STOP, Meaning.START):
            kind = "out" if meaning is Meaning.STOP else "in"
            for target in said.targets:
                word = said.opt_out(target, kind)
                for one in await opt_outs.apply_one(connection, word, narrow=said.narrow):
                    changed = changed or (one.moved and one.last == kind)
                    numbers.append((one.said.dnc_group_id, said.phone, one.last))
                try:
                    await checks.lift(connection, [word], hashed)
                except KeyMissing:
                    to_ask = keyless(said)
            if said.targets:
                who = (said.bucket, said.phone, said.business_unit_id)
                rows = await connection.fetch(OVERTAKE, *who, meaning.value, said.now)
                holds += [hold for row in rows for hold in json.loads(row[0])]
        elif meaning is Meaning.REVIEW and await _asked(connection, said):
            for target in said.targets:
                until = said.now + HELD_FOR
                await connection.execute(HOLD, target.bucket, target.dnc_group_id, said.phone, said.now, until)
                numbers.append((target.dnc_group_id, said.phone, "out"))
        numbers += await _released(connection, said, holds)
    if to_ask.reason:
        await _asked(connection, to_ask)
    posted = await _answer(connection, said, meaning, changed=changed, listed=opted_out)
    return Done(meaning, tuple(numbers), posted)


async def _asked(connection: Connection, said: Said) -> bool:
    """A person has to read it; False where that is known, and perhaps decided already."""
    wanted = json.dumps([[target.bucket, target.dnc_group_id] for target in said.targets])
    who = (said.bucket, said.business_unit_id, said.transport_code_id, said.phone or 0)
    return await connection.fetchval(ASK, *who, said.inbound_id, said.text, said.reason, wanted, said.at) is not None


async def _decided(connection: Connection, said: Said) -> list[list[int]]:
    """What the review that this decides had held; Conflict where it was decided before."""
    if said.review_id is None:
        return []
    row = await connection.fetchrow(DECIDE, said.bucket, said.review_id, said.meaning.value, said.note, said.now)
    if row is None:
        raise Conflict(f"Review {said.review_id} was decided before.", fix="See the open ones with todoke review list.")
    return json.loads(row[0])


async def _released(connection: Connection, said: Said, holds: Iterable[Sequence[int]]) -> list[tuple[int, int, str]]:
    """What is held for this review, and for no other one, is free again."""
    assert said.phone is not None
    rows = await connection.fetch(OPEN, said.bucket, said.phone)
    others = [tuple(hold) for row in rows for hold in json.loads(row[0])]
    return [
        (group, said.phone, "in")
        for bucket, group in holds
        if (bucket, group) not in others and await connection.fetchval(RELEASE, bucket, group, said.phone) is not None
    ]


async def _answer(connection: Connection, said: Said, kind: Meaning, *, changed: bool, listed: bool) -> int | None:
    if said.answers is None or said.phone is None or said.answers.text(kind) is None:
        return None
    rows = await connection.fetch(RECENT, said.bucket, said.phone, said.transport_code_id, said.at - DAY)
    recent = [(row[0], row[1]) for row in rows]
    message = single(said, kind, recent, changed=changed, listed=listed)
    if message is None:
        return None
    message_id = (await singles.post(connection, [message]))[0]
    who = (said.bucket, said.business_unit_id, said.transport_code_id, said.phone)
    await connection.execute(ANSWERED, *who, kind.value, said.inbound_id, message_id, said.at)
    return message_id
