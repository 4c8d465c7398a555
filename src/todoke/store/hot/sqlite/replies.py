"""What replies mean takes effect, each in its turn, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from sqlite3 import Connection

from todoke.model.dnc import HELD
from todoke.model.errors import Conflict
from todoke.model.meaning import Meaning
from todoke.store.hot.checking import KeyMissing
from todoke.store.hot.replies import DAY, HELD_FOR, Done, Said, keyless, meaning_of, single
from todoke.store.hot.sqlite import checks, inbound, opt_outs, singles
from todoke.store.hot.sqlite.dnc import HOLDS

# Where the number is listed: by a lasting entry, or held.
LISTED = f"""
    SELECT d.source FROM dnc_entry d WHERE d.bucket = ? AND d.dnc_group_id = ? AND d.phone = ? AND {HOLDS}
"""

HOLD = """
    INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at, expires_at)
    VALUES (?1, ?2, ?3, 'review', ?4, ?5)
    ON CONFLICT (bucket, dnc_group_id, phone) DO UPDATE
    SET source = excluded.source, created_at = excluded.created_at, expires_at = excluded.expires_at, upload_id = NULL
    WHERE dnc_entry.expires_at <= ?4
"""

RELEASE = "DELETE FROM dnc_entry WHERE bucket = ? AND dnc_group_id = ? AND phone = ? AND source = 'review'"

# Nothing where it is stored already.
ASK = """
    INSERT INTO review (bucket, business_unit_id, transport_code_id, phone, inbound_id, text, reason, holds,
                        state, note, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', '', ?)
    ON CONFLICT DO NOTHING
"""

DECIDE = """
    UPDATE review SET state = 'decided', meaning = ?, note = ?, decided_at = ?
    WHERE bucket = ? AND id = ? AND state = 'open'
    RETURNING holds
"""

# What the number says later for certain decides what it said before.
OVERTAKE = """
    UPDATE review SET state = 'decided', meaning = ?, note = 'the number said so later', decided_at = ?
    WHERE bucket = ? AND phone = ? AND state = 'open' AND business_unit_id IS ?
    RETURNING holds
"""

# What keeps the number held.
OPEN = "SELECT holds FROM review WHERE bucket = ? AND phone = ? AND state = 'open'"

RECENT = """
    SELECT kind, at FROM answer WHERE bucket = ? AND phone = ? AND transport_code_id = ? AND at > ? ORDER BY id
"""

ANSWERED = """
    INSERT INTO answer (bucket, business_unit_id, transport_code_id, phone, kind, inbound_id, message_id, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


def apply(db: Connection, replies: Sequence[Said], hashed: Callable[[int], int]) -> list[Done]:
    """Each as if it were alone, in their order; Conflict, RunEnded."""
    done = [_apply(db, said, hashed) for said in replies]
    inbound.set_meanings(db, [(said.inbound_id, one.meaning) for said, one in zip(replies, done, strict=True)])
    return done


def _apply(db: Connection, said: Said, hashed: Callable[[int], int]) -> Done:
    numbers: list[tuple[int, int, str]] = []
    holds = _decided(db, said)
    sources = [_source(db, target.bucket, target.dnc_group_id, said.phone) for target in said.targets]
    opted_out = any(source not in (None, HELD) for source in sources)
    meaning = meaning_of(said, opted_out=opted_out)
    changed = False
    to_ask = said
    if said.phone is not None:
        if meaning in (Meaning.STOP, Meaning.START):
            kind = "out" if meaning is Meaning.STOP else "in"
            for target in said.targets:
                word = said.opt_out(target, kind)
                for one in opt_outs.apply_one(db, word, said.now, narrow=said.narrow):
                    changed = changed or (one.moved and one.last == kind)
                    numbers.append((one.said.dnc_group_id, said.phone, one.last))
                try:
                    checks.lift(db, [word], hashed)
                except KeyMissing:
                    to_ask = keyless(said)
            if said.targets:
                who = (meaning, said.now, said.bucket, said.phone, said.business_unit_id)
                holds += [hold for row in db.execute(OVERTAKE, who).fetchall() for hold in json.loads(row[0])]
        elif meaning is Meaning.REVIEW and _asked(db, said):
            for target in said.targets:
                until = said.now + HELD_FOR
                db.execute(HOLD, (target.bucket, target.dnc_group_id, said.phone, said.now, until))
                numbers.append((target.dnc_group_id, said.phone, "out"))
        numbers += _released(db, said, holds)
    if to_ask.reason:
        _asked(db, to_ask)
    return Done(meaning, tuple(numbers), _answer(db, said, meaning, changed=changed, listed=opted_out))


def _asked(db: Connection, said: Said) -> bool:
    """A person has to read it; False where that is known, and perhaps decided already."""
    wanted = json.dumps([[target.bucket, target.dnc_group_id] for target in said.targets])
    who = (said.bucket, said.business_unit_id, said.transport_code_id, said.phone or 0)
    return db.execute(ASK, (*who, said.inbound_id, said.text, said.reason, wanted, said.at)).rowcount == 1


def _decided(db: Connection, said: Said) -> list[list[int]]:
    """What the review that this decides had held; Conflict where it was decided before."""
    if said.review_id is None:
        return []
    rows = db.execute(DECIDE, (said.meaning, said.note, said.now, said.bucket, said.review_id)).fetchall()
    if not rows:
        raise Conflict(f"Review {said.review_id} was decided before.", fix="See the open ones with todoke review list.")
    return json.loads(rows[0][0])


def _released(db: Connection, said: Said, holds: Iterable[Sequence[int]]) -> list[tuple[int, int, str]]:
    """What is held for this review, and for no other one, is free again."""
    assert said.phone is not None
    others = [tuple(hold) for row in db.execute(OPEN, (said.bucket, said.phone)) for hold in json.loads(row[0])]
    return [
        (group, said.phone, "in")
        for bucket, group in holds
        if (bucket, group) not in others and db.execute(RELEASE, (bucket, group, said.phone)).rowcount
    ]


def _source(db: Connection, bucket: int, group: int, phone: int | None) -> str | None:
    row = db.execute(LISTED, (bucket, group, phone)).fetchone()
    return row[0] if row else None


def _answer(db: Connection, said: Said, kind: Meaning, *, changed: bool, listed: bool) -> int | None:
    if said.answers is None or said.phone is None or said.answers.text(kind) is None:
        return None
    recent = db.execute(RECENT, (said.bucket, said.phone, said.transport_code_id, said.at - DAY)).fetchall()
    message = single(said, kind, recent, changed=changed, listed=listed)
    if message is None:
        return None
    message_id = singles.post(db, [message])[0]
    who = (said.bucket, said.business_unit_id, said.transport_code_id, said.phone)
    db.execute(ANSWERED, (*who, kind, said.inbound_id, message_id, said.at))
    return message_id
