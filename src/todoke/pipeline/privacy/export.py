"""All that is kept of one person, as one document that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todoke.model.clock import Micros, to_datetime
from todoke.model.consent import standing
from todoke.model.event import Event, Kind
from todoke.model.ids import message_id, public_id
from todoke.model.reason import sentence
from todoke.pipeline.privacy.consent_export import of_entry, of_reply
from todoke.store.catalogue.units import Unit
from todoke.store.consents import reading as ledger
from todoke.store.hot.base import SEPARATOR
from todoke.store.privacy import finding, personal, reading
from todoke.store.privacy.finding import Place
from todoke.store.privacy.key import Key
from todoke.store.selection.places import ordinals
from todoke.store.store import Store


async def export(
    store: Store, unit: Unit, phone: int, external_id: str | None, now: Micros, key: Key | None = None
) -> dict[str, Any]:
    """The document. `external_id` finds contacts with another number, too; `key` what an erasure left."""
    places = await finding.contacts(store, unit, phone, external_id)
    ids = {place.external_id for place in places if place.external_id}
    if external_id:
        ids.add(external_id)
    contacts = [await _contact(store, unit, place) for place in places]
    async with store.reading() as connection:
        consents = await ledger.of_number(connection, unit, phone)
        said = await ledger.replies_of(connection, unit, phone)
        others = {
            one.table.name: [_readable(row) for row in await personal.rows_of(connection, unit, one, phone, ids)]
            for one in personal.PERSONAL
            if one.table.name != "opt_out"  # told below, as a part of the ledger
        }
        replies = await reading.replies(connection, unit, phone)
        listed = await reading.listed(connection, unit, phone)
        erasures: list[reading.Erasure] = []
        if key is not None:
            digest = key.hashed(phone)
            listed += await reading.listed_erased(connection, unit, digest, now)
            erasures = await reading.erasures(connection, unit, digest)
    facts = [entry.fact for entry in consents] + [fact for row in said if (fact := row.fact) is not None]
    return {
        "number": f"+{phone}",
        "external_id": external_id,
        "business_unit": unit.name,
        "exported_at": _iso(now),
        "contacts": contacts,
        "replies": [
            {"at": _iso(row.received_at), "to": row.code, "text": row.text, "read_as": row.meaning} for row in replies
        ],
        "do_not_call": [{"group": row.group, "source": row.source, "since": _iso(row.created_at)} for row in listed],
        "opt_outs": [of_reply(row) for row in said],
        "consents": [of_entry(entry) for entry in consents],
        "consent_that_stands": [
            {
                "kind": fact.kind.label if fact.kind else "",
                "programme": fact.programme,
                "purpose": fact.purpose,
                "since": _iso(fact.at),
                "until": _iso(fact.expires_at),
            }
            for fact in standing(facts)
            if fact.expires_at is None or fact.expires_at > now
        ],
        **others,
        "erasures": [
            {"begun_at": _iso(row.begun_at), "finished_at": _iso(row.finished_at), "requested_by": row.requested_by}
            for row in erasures
        ],
    }


async def _contact(store: Store, unit: Unit, place: Place) -> dict[str, Any]:
    async with store.reading() as connection:
        runs = await reading.runs_of(connection, unit, place.list_id)
        ids = [
            (run, message_id(unit.bucket, run.id, ordinal))
            for run in runs
            for ordinal in await ordinals(connection, unit.bucket, run.id, place.position)
        ]
    messages: list[dict[str, Any]] = []
    for run, id in ids:
        events = await store.hot.events_between(id, id)
        if events:
            messages.append(
                {
                    "message": public_id(id),
                    "skill": run.skill,
                    "run": run.id,
                    "started_at": _iso(run.started_at),
                    "template": run.body,
                    "events": _events(events),
                }
            )
    values = place.fields.split(SEPARATOR)
    further = place.phones.split(SEPARATOR) if place.phones else []
    return {
        "list": place.list_name,
        "list_state": place.list_state,
        "position": place.position,
        "external_id": place.external_id,
        "number": f"+{place.destination}" if place.destination > 0 else None,
        "further_numbers": [f"+{number}" for number in further if number],
        "fields": dict(zip(place.names, values, strict=False)),
        "messages": messages,
    }


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """A row without our own ids, its moments written out."""
    return {
        name: _iso(value) if value is not None and (name == "at" or name.endswith(("_at", "_until"))) else value
        for name, value in row.items()
        if name not in ("id", "bucket") and not name.endswith("_id")
    }


def _events(events: Sequence[Event]) -> list[dict[str, Any]]:
    ordered = sorted(events, key=lambda event: (event.at, event.attempt, event.segment))
    return [
        {
            "at": _iso(event.at),
            "what": Kind(event.kind).name.lower(),
            "segment": event.segment,
            "attempt": event.attempt,
            "reason": sentence(event.reason),
        }
        for event in ordered
    ]


def _iso(at: Micros | None) -> str | None:
    return None if at is None else to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
