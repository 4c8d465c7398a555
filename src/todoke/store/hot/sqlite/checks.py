"""Consent and erasure: looked up of numbers where a run has a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from sqlite3 import Connection

import msgspec

from todoke.model.clock import Micros
from todoke.store.hot.base import Check, Flushed, OptOut, Reserve, Scrub
from todoke.store.hot.checking import KeyMissing, lacking, recognised, unsure

# All that the ledger has of these numbers, in one step.
CONSENTS = """
    SELECT json_group_array(
        json_array(c.phone, c.act, c.at, c.kind, c.programme, c.purpose, c.channel, c.expires_at))
    FROM json_each(:phones) AS k
    CROSS JOIN consent c ON c.bucket = :bucket AND c.phone = k.value
    WHERE c.business_unit_id = :unit
"""

# What they said themselves, to codes of these groups.
REPLIES = """
    SELECT json_group_array(json_array(o.phone, o.kind, o.at, o.inbound_id IS NOT NULL))
    FROM json_each(:phones) AS k
    CROSS JOIN opt_out o ON o.bucket = :bucket AND o.phone = k.value
    WHERE o.dnc_group_id IN (SELECT value FROM json_each(:groups))
"""

# Whether they are numbers of people who were erased.
ERASED = """
    SELECT e.digest, e.until
    FROM json_each(:groups) AS g CROSS JOIN json_each(:digests) AS k
    CROSS JOIN erased_number e ON e.bucket = :bucket AND e.business_unit_id = :unit
      AND e.dnc_group_id = g.value AND e.digest = k.value
    WHERE e.until IS NULL OR e.until > :now
"""

ANY_ERASED = "SELECT 1 FROM erased_number WHERE bucket = ? AND business_unit_id = ? LIMIT 1"

# An opt-in lifts the do-not-call entry that an erasure kept.
LIFT = """
    DELETE FROM erased_number WHERE bucket = ? AND business_unit_id = ? AND dnc_group_id = ? AND digest = ?
"""


def barred(
    db: Connection,
    bucket: int,
    groups: Sequence[int],
    check: Check,
    phones: Sequence[int],
    now: Micros,
    hashed: Callable[[int], int],
) -> dict[int, str]:
    """The reason by number; nothing for those that may be texted."""
    found: dict[int, str] = {}
    if not phones:
        return found
    wanted = {
        "bucket": bucket,
        "unit": check.business_unit_id,
        "groups": json.dumps(groups),
    }
    aliases = {-hashed(phone): phone for phone in phones} if check.erased else {}
    if check.required is not None:
        wanted["phones"] = msgspec.json.encode([*phones, *aliases]).decode()
        consents = json.loads(db.execute(CONSENTS, wanted).fetchone()[0])
        replies = json.loads(db.execute(REPLIES, wanted).fetchone()[0])
        found = lacking(check.required, phones, consents, replies, now, aliases)
    if check.erased:
        digests = msgspec.json.encode([-alias for alias in aliases]).decode()
        rows = db.execute(ERASED, {**wanted, "digests": digests, "now": now}).fetchall()
        if rows:
            found |= recognised(phones, hashed, rows)
    return found


def look(
    db: Connection, reserves: Sequence[Reserve], flushed: Flushed, now: Micros, hashed: Callable[[int], int]
) -> None:
    """Fill `flushed` for what is reserved."""
    for reserve in reserves:
        if any(scrub.check is not None for scrub in reserve.scrubs):
            flushed.barred[reserve.transport_code_id] = [_barred(db, scrub, now, hashed) for scrub in reserve.scrubs]


def _barred(db: Connection, scrub: Scrub, now: Micros, hashed: Callable[[int], int]) -> dict[int, str]:
    if scrub.check is None:
        return {}
    try:
        return barred(db, scrub.bucket, scrub.groups, scrub.check, scrub.phones, now, hashed)
    except KeyMissing:
        return unsure(scrub.phones)


def lift(db: Connection, opt_outs: Sequence[OptOut], hashed: Callable[[int], int]) -> None:
    """Numbers of erased people that say START."""
    for o in opt_outs:
        if o.kind == "in" and db.execute(ANY_ERASED, (o.bucket, o.business_unit_id)).fetchone():
            db.execute(LIFT, (o.bucket, o.business_unit_id, o.dnc_group_id, hashed(o.phone)))
