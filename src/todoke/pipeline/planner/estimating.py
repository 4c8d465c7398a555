"""What a skill would take over a list that is there: nothing is written."""

from __future__ import annotations

from todoke.model.compiled_text import compiled
from todoke.model.estimate import Estimate, estimate, stride
from todoke.sms.measuring import Meter
from todoke.store.catalogue import lists, registrations, skills, templates, terms, units
from todoke.store.hot.base import SEPARATOR
from todoke.store.store import Store

_BATCH = 1000  # contacts


async def estimate_skill(
    store: Store, *, business_unit: str | None, skill: str, calling_list: str, text: str | None = None
) -> Estimate:
    """The segments, cost and time of the skill's template, or of `text` in its place, over the list.

    NotFound for a name that is not there, Invalid for a text that the list cannot fill, Conflict for a list that is
    not ready. Numbers on the do-not-call lists of the skill's code now count as skipped, as do contacts without a
    number to text; consents, suppressions and caps are looked at only when it is sent.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await skills.find(connection, unit, skill)
        chosen = await lists.find(connection, unit, calling_list)
        body = text if text is not None else (await templates.find(connection, unit, row.template)).body
        groups = await registrations.scrub_groups(connection, unit, row.transport_code_id)
        on_terms = await terms.of_code(connection, unit, row.transport_code_id, row.window, row.expiry_hours)
    _, renderer = compiled(body, chosen.fields, chosen.name)
    meter = Meter(renderer, smart=row.smart_encoding)
    positions = range(0, chosen.contacts, stride(chosen.contacts))
    for start in range(0, len(positions), _BATCH):
        batch = positions[start : start + _BATCH]
        for contact in await store.hot.read_contacts_at(unit.bucket, chosen.id, batch, groups):
            if contact.on_dnc:
                meter.skip("dnc")
            elif contact.destination <= 0:
                meter.skip("no_mobile")
            else:
                meter.add(contact.fields.split(SEPARATOR))
    return estimate(meter.measured, chosen.contacts, on_terms)
