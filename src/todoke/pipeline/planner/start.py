"""Start a skill over a calling list: everything that can be wrong is said before the first message, then a run is
inserted.

A run is a few rows, whatever the size of the list; lanes begin to take from it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from todoke.compliance.hours import Hours, hours_of
from todoke.compliance.rulebook import Rulebook, standard
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, Micros
from todoke.model.compiled_text import compiled
from todoke.model.errors import Conflict, Invalid
from todoke.model.stream import Stream
from todoke.pipeline.planner import outlook
from todoke.pipeline.planner.choosing import Wanted, chosen, wanted_of
from todoke.sms.rendering import MissingField, Renderer
from todoke.store.catalogue import adhoc, codes, list_places, lists, registrations, skills, templates, units
from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import SEPARATOR, NewRun, Selecting
from todoke.store.store import Store

_SAMPLE = 500  # contacts whose text is tried before the start


class StartedRun(NamedTuple):
    """`warnings` are sentences for whoever started it. `contacts` are those of the list; with `selecting` the run has
    those of them that its filter wants, which is found out while it sends.
    """

    bucket: int
    run_id: int
    contacts: int
    warnings: tuple[str, ...]
    selecting: bool = False


class _Choice(NamedTuple):
    unit: Unit
    calling_list: ListRow
    skill_id: int
    transport_code_id: int
    body: str
    template_version_id: int
    expiry_hours: int
    groups: tuple[int, ...]
    hours: Hours
    stream: Stream = Stream.BULK
    selecting: Selecting | None = None


async def start_skill(
    store: Store,
    *,
    business_unit: str | None,
    skill: str,
    calling_list: str,
    now: Micros,
    text: str | None = None,
    wanted: str | None = None,
    order: Sequence[str] | None = None,
    start_key: str | None = None,
    rulebook: Rulebook | None = None,
) -> StartedRun:
    """Start a skill with its template, or with `text` in its place; with its filter and order, or with `wanted` and
    `order` in theirs (empty ones: all contacts, in the order of the list). With a `start_key` it is started once: who
    asks again with the same one gets the same run.

    NotFound for a name that is not there, Invalid for a text that the list cannot fill or a filter that names a field
    that it does not have, Conflict for a list that is not ready, or where nobody could be texted before the run
    expires. `rulebook` None: the built-in rules of places.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await skills.find(connection, unit, skill)
        chosen_list = await lists.find(connection, unit, calling_list)
        stored = await templates.find(connection, unit, row.template)
        declared = unit.declared_hours(row.hours, row.rule_pack, row.phone_hours)
        choice = _Choice(
            unit,
            chosen_list,
            row.id,
            row.transport_code_id,
            stored.body if text is None else text,
            stored.version_id,
            row.expiry_hours,
            await registrations.scrub_groups(connection, unit, row.transport_code_id, row.id),
            hours_of(declared, row.window, rulebook or standard()),
            Stream(row.stream),
            chosen(
                row.filter if wanted is None else wanted,
                row.order if order is None else order,
                chosen_list.fields,
                now,
            ),
        )
    warnings, taken = await _checked(store, unit, chosen_list, choice.body, choice.selecting)
    expires_at = now + choice.expiry_hours * HOUR
    warnings += await _outlook(store, unit, chosen_list, taken, choice.hours, now, expires_at)
    return await _start(store, choice, warnings, now, start_key)


async def start_text(
    store: Store,
    *,
    business_unit: str | None,
    code: str | None,
    calling_list: str,
    text: str,
    window: Window,
    now: Micros,
    rule_pack: str | None = None,
    rulebook: Rulebook | None = None,
) -> StartedRun:
    """Text a list at once, without a stored template. The code may be left out where the business unit has only one.
    `rule_pack` as a skill has it.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        chosen_list = await lists.find(connection, unit, calling_list)
        chosen_code = await codes.only(connection, unit, code)
    hours = hours_of(unit.declared_hours(None, rule_pack), window, rulebook or standard())
    warnings, taken = await _checked(store, unit, chosen_list, text)  # before anything is written
    warnings += await _outlook(store, unit, chosen_list, taken, hours, now, now + adhoc.EXPIRY_HOURS * HOUR)
    async with store.writing() as connection:
        made = await adhoc.prepare(connection, unit, chosen_code, text, window, now, rule_pack)
        choice = _Choice(
            unit,
            chosen_list,
            made.skill_id,
            chosen_code.id,
            text,
            made.template_version_id,
            made.expiry_hours,
            await registrations.scrub_groups(connection, unit, chosen_code.id, made.skill_id),
            hours,
        )
    return await _start(store, choice, warnings, now)


async def _checked(
    store: Store, unit: Unit, calling_list: ListRow, body: str, selecting: Selecting | None = None
) -> tuple[list[str], Wanted]:
    """Warnings, and whom it takes; Conflict or Invalid where the list or the text is wrong."""
    if calling_list.state != "ready":
        raise Conflict(
            f"The list {calling_list.name!r} is {calling_list.state}.",
            fix="Import it again, or wait until it is ready.",
        )
    if not calling_list.active:
        raise Conflict(
            f"The list {calling_list.name!r} is inactive.",
            fix=f"Make it active with todoke list activate {calling_list.name!r}.",
        )
    if not calling_list.contacts:
        raise Conflict(f"The list {calling_list.name!r} has no contacts.", fix="Look at its rejected rows.")
    template, renderer = compiled(body, calling_list.fields, calling_list.name)
    warnings = [
        f"{suspect!r} in the text looks like a merge field but is sent as it stands."
        for suspect in template.suspects(calling_list.fields)
    ]
    taken = await wanted_of(store, unit, calling_list, selecting, _SAMPLE)
    if not taken.positions and taken.complete:
        warnings.append("No contact of the list passes the filter.")
    elif not taken.positions:
        warnings.append("None of the first contacts of the list passes the filter; see todoke list count.")
    return warnings + await _try(store, unit, calling_list, renderer, taken.positions[:_SAMPLE]), taken


async def _outlook(
    store: Store, unit: Unit, calling_list: ListRow, taken: Wanted, hours: Hours, now: Micros, expires_at: Micros
) -> list[str]:
    """Warnings of who cannot be texted now; Conflict where nobody ever could."""
    async with store.reading() as connection:
        if taken.filtered and taken.complete:
            spread = await list_places.spread_of(connection, unit, calling_list.id, taken.positions)
        else:
            spread = await list_places.spread(connection, unit, calling_list.id)
    found = outlook.look(spread.groups, spread.mixed, hours, now, expires_at)
    if taken.positions or not taken.complete:
        outlook.check(found, calling_list.name, filtered=taken.filtered)
    said = outlook.warnings(found) if taken.complete else outlook.uncounted(found)
    return [*said, *outlook.strangers(hours, calling_list.phone_names)]


async def _start(
    store: Store, choice: _Choice, warnings: list[str], now: Micros, start_key: str | None = None
) -> StartedRun:
    calling_list, unit = choice.calling_list, choice.unit
    run_id = await store.hot.start_run(
        NewRun(
            unit.bucket,
            unit.id,
            choice.skill_id,
            calling_list.id,
            choice.transport_code_id,
            choice.body,
            choice.template_version_id,
            choice.groups,
            now,
            now + choice.expiry_hours * HOUR,
            choice.stream,
            start_key=start_key,
            selecting=choice.selecting,
        )
    )
    selecting = choice.selecting is not None
    return StartedRun(unit.bucket, run_id, calling_list.contacts, tuple(warnings), selecting)


async def _try(store: Store, unit: Unit, calling_list: ListRow, renderer: Renderer, sample: Sequence[int]) -> list[str]:
    """Compose for the first contacts: a field that is empty in all of them is a mistake, in some of them a warning."""
    contacts = await store.hot.read_contacts_at(unit.bucket, calling_list.id, sample, ())
    missing: dict[str, int] = {}
    for contact in contacts:
        try:
            renderer.render(contact.fields.split(SEPARATOR))
        except MissingField as error:
            missing[error.field] = missing.get(error.field, 0) + 1
    if contacts and sum(missing.values()) == len(contacts):
        field = max(missing, key=missing.__getitem__)
        raise Invalid(
            f"{{{field}}} is empty for every one of the first {len(contacts)} contacts, so nobody would get a text.",
            fix=f"Give it a default, {{{field}|friend}}, or correct the list.",
        )
    return [
        f"{{{field}}} is empty for {count} of the first {len(contacts)} contacts; they are skipped. "
        f"A default, {{{field}|friend}}, would reach them."
        for field, count in sorted(missing.items())
    ]
