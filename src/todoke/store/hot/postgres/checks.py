"""Consent and erasure: looked up of numbers where a run has a check."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from todoke.model.clock import Micros
from todoke.store.hot.base import Check, Flushed, OptOut, Reserve, Scrub
from todoke.store.hot.checking import KeyMissing, lacking, recognised, unsure
from todoke.store.postgres import Connection

# All that the ledger has of these numbers: a probe of the key a number (OFFSET 0 keeps it so, see dnc.py).
CONSENTS = """
    SELECT c.phone, c.act, c.at, c.kind, c.programme, c.purpose, c.channel, c.expires_at
    FROM unnest($3::bigint[]) AS k (phone)
    CROSS JOIN LATERAL (
        SELECT * FROM consent c
        WHERE c.bucket = $1 AND c.phone = k.phone AND c.business_unit_id = $2 OFFSET 0) c
"""

# What they said themselves, to codes of these groups.
REPLIES = """
    SELECT o.phone, o.kind, o.at, o.inbound_id IS NOT NULL
    FROM unnest($3::bigint[]) AS k (phone)
    CROSS JOIN LATERAL (
        SELECT * FROM opt_out o
        WHERE o.bucket = $1 AND o.phone = k.phone AND o.dnc_group_id = ANY ($2::bigint[]) OFFSET 0) o
"""

# Whether they are numbers of people who were erased.
ERASED = """
    SELECT e.digest, e.until
    FROM unnest($4::bigint[]) AS k (digest), unnest($3::bigint[]) AS g (id)
    CROSS JOIN LATERAL (
        SELECT * FROM erased_number e
        WHERE e.bucket = $1 AND e.business_unit_id = $2 AND e.dnc_group_id = g.id AND e.digest = k.digest OFFSET 0) e
    WHERE e.until IS NULL OR e.until > $5
"""

ANY_ERASED = "SELECT EXISTS (SELECT FROM erased_number WHERE bucket = $1 AND business_unit_id = $2)"

# An opt-in lifts the do-not-call entry that an erasure kept.
LIFT = """
    DELETE FROM erased_number WHERE bucket = $1 AND business_unit_id = $2 AND dnc_group_id = $3 AND digest = $4
"""


async def barred(
    connection: Connection,
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
    unit, listed = check.business_unit_id, list(groups)
    aliases = {-hashed(phone): phone for phone in phones} if check.erased else {}
    numbers = [*phones, *aliases]
    if check.required is not None:
        consents = [tuple(row) for row in await connection.fetch(CONSENTS, bucket, unit, numbers)]
        replies = [tuple(row) for row in await connection.fetch(REPLIES, bucket, listed, numbers)]
        found = lacking(check.required, phones, consents, replies, now, aliases)
    if check.erased:
        digests = [-alias for alias in aliases]
        rows = await connection.fetch(ERASED, bucket, unit, listed, digests, now)
        if rows:
            found |= recognised(phones, hashed, [(row[0], row[1]) for row in rows])
    return found


async def look(
    connection: Connection, reserves: Sequence[Reserve], flushed: Flushed, now: Micros, hashed: Callable[[int], int]
) -> None:
    """Fill `flushed` for what is reserved."""
    for reserve in reserves:
        if any(scrub.check is not None for scrub in reserve.scrubs):
            flushed.barred[reserve.transport_code_id] = [
                await _barred(connection, scrub, now, hashed) for scrub in reserve.scrubs
            ]


async def _barred(connection: Connection, scrub: Scrub, now: Micros, hashed: Callable[[int], int]) -> dict[int, str]:
    if scrub.check is None:
        return {}
    try:
        return await barred(connection, scrub.bucket, scrub.groups, scrub.check, scrub.phones, now, hashed)
    except KeyMissing:
        return unsure(scrub.phones)


async def lift(connection: Connection, opt_outs: Sequence[OptOut], hashed: Callable[[int], int]) -> None:
    """Numbers of erased people that say START."""
    for o in opt_outs:
        if o.kind == "in" and await connection.fetchval(ANY_ERASED, o.bucket, o.business_unit_id):
            await connection.execute(LIFT, o.bucket, o.business_unit_id, o.dnc_group_id, hashed(o.phone))
