"""The ledger as rows for a file: records as they were given, and the replies and do-not-call changes beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from todoke.model.clock import Micros, to_datetime
from todoke.model.consent import COLUMNS, KINDS, Act, hash_of
from todoke.store.catalogue.units import Unit
from todoke.store.consents import reading
from todoke.store.consents.reading import Entry, ReplyRow
from todoke.store.store import Store

# Beside the columns of an import.
OWN = ("disclosure_hash", "recorded_at", "intact", "id")
HEADER = (*COLUMNS, *OWN)


def shown_number(phone: int) -> str:
    """As people write it; of somebody who was erased, that."""
    return f"+{phone}" if phone > 0 else f"erased:{-phone:x}"


def of_entry(entry: Entry) -> dict[str, Any]:
    """A row of the ledger, by `HEADER`."""
    record = entry.record
    row = {name: getattr(record, name) for name in COLUMNS if name in record._fields}
    return {
        "number": shown_number(record.phone),
        **row,
        "act": record.act.value,
        "kind": "" if record.kind is None else record.kind.label,
        "at": _iso(record.at),
        "expires": _iso(record.expires_at),
        "disclosure_hash": entry.hash,
        "recorded_at": _iso(entry.recorded_at),
        "intact": entry.intact,
        "id": f"consent:{entry.id}",
    }


def of_reply(row: ReplyRow) -> dict[str, Any]:
    """An opt-out or opt-in, by `HEADER`. One by which a person took a number off a list is no consent: act "lifted"."""
    fact = row.fact
    given = fact is not None and fact.act is Act.GIVEN
    return {
        **dict.fromkeys(HEADER, ""),
        "number": shown_number(row.phone),
        "act": "lifted" if fact is None else fact.act.value,
        "kind": next((name for name, kind in KINDS.items() if given and fact and kind is fact.kind), ""),
        "at": _iso(row.at),
        "channel": "sms",
        "zone": "UTC",
        "source": row.source,
        "reference": "" if row.inbound_id is None else f"inbound:{row.inbound_id}",
        "method": "keyword" if row.inbound_id is not None else "",
        "words": row.evidence,
        "scope": row.group,
        "disclosure_hash": hash_of(""),
        "recorded_at": _iso(row.at),
        "intact": True,
        "id": f"opt_out:{row.id}",
    }


async def export(
    store: Store, unit: Unit, *, phone: int | None = None, since: Micros | None = None, before: Micros | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Rows by `HEADER`, one after the other: of a number, or of the unit. The range is of the moments of consent."""
    if phone is not None:
        async with store.reading() as connection:
            found = await reading.of_number(connection, unit, phone)
            replies = await reading.replies_of(connection, unit, phone)
        for entry in found:
            if _within(entry.record.at, since, before):
                yield of_entry(entry)
        for reply in replies:
            if _within(reply.at, since, before):
                yield of_reply(reply)
        return
    async for page in reading.entries(store, unit, since=since, before=before):
        for entry in page:
            yield of_entry(entry)
    async for replies in reading.replies(store, unit, since=since, before=before):
        for reply in replies:
            yield of_reply(reply)


def _within(at: Micros, since: Micros | None, before: Micros | None) -> bool:
    return (since is None or at >= since) and (before is None or at < before)


def _iso(at: Micros | None) -> str:
    return "" if at is None else to_datetime(at).isoformat(timespec="microseconds").replace("+00:00", "Z")
