"""The rows of what is in doubt: they follow the events, in the transaction that appends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.model.event import Event
from todoke.model.ids import BUCKET_SHIFT
from todoke.store.hot.base import Receipt
from todoke.store.hot.doubts import Change, Details, Pair, number_of, placed, receipt_events, row_of, strangers, unique
from todoke.store.hot.matching import Accepted
from todoke.store.hot.postgres import selected
from todoke.store.hot.postgres.receipts import Providers, take_orphans
from todoke.store.postgres import Connection

END = """
    DELETE FROM doubt d
    USING unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[])
            AS k (bucket, message_id, segment, attempt)
    WHERE d.bucket = k.bucket AND d.message_id = k.message_id AND d.segment = k.segment AND d.attempt = k.attempt
"""

# What was to be sent again of messages that have come to an end now.
DROP_DUE = """
    DELETE FROM due d USING unnest($1::smallint[], $2::bigint[]) AS k (bucket, message_id)
    WHERE d.bucket = k.bucket AND d.message_id = k.message_id
"""

# New doubts, columns of `doubts.row_of`, with what their run, its skill and its code say of them.
BEGIN = """
    INSERT INTO doubt (bucket, message_id, segment, attempt, run_id, transport_code_id, provider_id, code, destination,
                       reference, segments, text_crc, reason, at, earliest_at, retry_at)
    SELECT k.bucket, k.message_id, k.segment, k.attempt, r.id, c.id, coalesce(k.provider_id, c.provider_id),
           ltrim(c.code, '+'), coalesce(k.destination, t.destination), k.reference, k.segments, k.text_crc, k.reason,
           k.at, coalesce(k.earliest_at, greatest(r.started_at, k.at - 3600000000)),
           CASE WHEN s.in_doubt_policy = 'at_least_once' AND r.state = ANY ('{running,paused}')
                THEN k.at + s.in_doubt_minutes * 60000000::bigint END
    FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::integer[], $10::smallint[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[])
           AS k (bucket, message_id, segment, attempt, run_id, position, provider_id, destination, reference, segments,
                 text_crc, reason, at, earliest_at)
    JOIN skill_run r ON r.bucket = k.bucket AND r.id = k.run_id
    JOIN skill s ON s.id = r.skill_id
    JOIN transport_code c ON c.id = r.transport_code_id
    LEFT JOIN LATERAL (
        SELECT t.destination FROM contact t
        WHERE t.bucket = k.bucket AND t.list_id = r.list_id AND t.position = k.position OFFSET 0) t ON true
    ON CONFLICT DO NOTHING
    RETURNING bucket, provider_id, destination
"""

# Doubts and orphans of one provider and some numbers. (`+ 0` keeps the planner at the index that has the number.)
PAIRS = """
    SELECT d.message_id, d.segment, d.attempt, d.segments, d.reference, d.code, d.at, d.earliest_at,
           o.provider_message_id, o.reference, o.code, o.at
    FROM unnest($3::bigint[]) AS k (number)
    CROSS JOIN LATERAL (SELECT * FROM doubt d
                        WHERE d.bucket = $1 AND d.destination = k.number AND d.provider_id + 0 = $2 OFFSET 0) d
    CROSS JOIN LATERAL (SELECT * FROM orphan o WHERE o.provider_id = $2 AND o.number = k.number OFFSET 0) o
"""

# The same for all recent doubts of a provider; the number comes first.
RECENT = """
    SELECT d.destination, d.message_id, d.segment, d.attempt, d.segments, d.reference, d.code, d.at, d.earliest_at,
           o.provider_message_id, o.reference, o.code, o.at
    FROM doubt d
    CROSS JOIN LATERAL (SELECT * FROM orphan o
                        WHERE o.provider_id = d.provider_id AND o.number = d.destination OFFSET 0) o
    WHERE d.bucket = $1 AND d.provider_id = $2 AND d.at > $3
"""

# Whether any orphan of a provider says which number it is about.
NUMBERED = "SELECT EXISTS (SELECT FROM orphan WHERE provider_id = $1 AND number > 0)"

# The doubts that receipts may be about that echo a reference, by the place of the receipt.
ECHOED = """
    SELECT k.place, d.message_id, d.segment, d.attempt, d.segments
    FROM unnest($1::integer[], $2::smallint[], $3::bigint[], $4::bigint[], $5::integer[])
           AS k (place, bucket, provider_id, number, reference)
    CROSS JOIN LATERAL (
        SELECT * FROM doubt d
        WHERE d.bucket = k.bucket AND d.destination = k.number AND d.provider_id + 0 = k.provider_id
          AND d.reference = k.reference OFFSET 0) d
"""


async def follow(connection: Connection, change: Change, known: Details) -> list[Event]:
    """Let rows go and come; what orphans say of the new ones, as events to be appended. The runs are held."""
    if change.ended:
        keys = [(key[0] >> BUCKET_SHIFT, *key) for key in change.ended]
        await connection.execute(END, *map(list, zip(*keys, strict=True)))
    if change.over:
        await connection.execute(DROP_DUE, [message_id >> BUCKET_SHIFT for message_id in change.over], change.over)
    if not change.begun:
        return []
    rows = [row_of(event, known) for event in change.begun]
    rows = placed(rows, await selected.of_messages(connection, strangers(rows)))
    numbers: dict[tuple[int, int], set[int]] = {}
    for bucket, provider_id, number in await connection.fetch(BEGIN, *map(list, zip(*rows, strict=True))):
        if number is not None:
            numbers.setdefault((bucket, provider_id), set()).add(number)
    events: list[Event] = []
    for (bucket, provider_id), of_provider in sorted(numbers.items()):
        if await connection.fetchval(NUMBERED, provider_id):
            found = await pairs(connection, bucket, provider_id, of_provider)
            events.extend(await taken(connection, provider_id, unique(found, -1)))
    return events


async def pairs(connection: Connection, bucket: int, provider_id: int, numbers: Iterable[int]) -> list[Pair]:
    return [Pair(*row) for row in await connection.fetch(PAIRS, bucket, provider_id, sorted(numbers))]


async def recent(connection: Connection, bucket: int, provider_id: int, after: int) -> dict[int, list[Pair]]:
    """By number."""
    found: dict[int, list[Pair]] = {}
    for number, *pair in await connection.fetch(RECENT, bucket, provider_id, after):
        found.setdefault(number, []).append(Pair(*pair))
    return found


async def taken(connection: Connection, provider_id: int, matched: Sequence[Pair]) -> list[Event]:
    """Take the orphans of these pairs; what they say as events."""
    if not matched:
        return []
    of = {pair.provider_message_id: pair for pair in matched}
    receipts = await take_orphans(connection, [(provider_id, name) for name in of])
    return [
        event
        for receipt in receipts
        for event in receipt_events(
            receipt, of[receipt.provider_message_id].key, of[receipt.provider_message_id].segments
        )
    ]


async def echoed(
    connection: Connection, providers: Providers, receipts: Sequence[Receipt]
) -> list[tuple[Receipt, Accepted]]:
    """Those of these receipts that echo the reference of exactly one doubt about their number."""
    asked: list[tuple[int, int, int, int, int]] = []
    for place, receipt in enumerate(receipts):
        number = number_of(receipt.phone)
        if receipt.reference is not None and number is not None:
            bucket = await providers.bucket(connection, receipt.provider_id)
            if bucket is not None:
                asked.append((place, bucket, receipt.provider_id, number, receipt.reference))
    if not asked:
        return []
    found: dict[int, list[Accepted]] = {}
    for place, *doubt in await connection.fetch(ECHOED, *map(list, zip(*asked, strict=True))):
        found.setdefault(place, []).append(Accepted(*doubt))
    return [(receipts[place], rows[0]) for place, rows in found.items() if len(rows) == 1]
