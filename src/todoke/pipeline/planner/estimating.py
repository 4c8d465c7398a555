"""What a skill would do with a list that is there: nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from todoke.compliance.foresight import Foresight
from todoke.compliance.hours import Hours, hours_of
from todoke.compliance.rulebook import Rulebook, standard
from todoke.model.clock import HOUR, Micros
from todoke.model.compiled_text import compiled
from todoke.model.estimate import Estimate, Foreseen, Terms, estimate
from todoke.model.filter import read, resolved
from todoke.model.sample import Sample
from todoke.pipeline.planner.choosing import chosen
from todoke.sms.measuring import Meter
from todoke.sms.rendering import Renderer
from todoke.store.catalogue import lists, skills, templates, terms, units
from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.skills import SkillRow
from todoke.store.catalogue.units import Unit
from todoke.store.hot.addressee import Addressee
from todoke.store.hot.base import SEPARATOR, Selecting
from todoke.store.keeping import rules
from todoke.store.keeping.keeper import Keeper, Kept
from todoke.store.keeping.rules import Rules
from todoke.store.lists import addressees
from todoke.store.selection.scan import PAGE, Scan, Source
from todoke.store.store import Store

Progress = Callable[[int, int], None]
"""Is told how many contacts were looked at, and how many there are."""


async def estimate_skill(
    store: Store,
    *,
    business_unit: str | None,
    skill: str,
    calling_list: str,
    now: Micros,
    text: str | None = None,
    wanted: str | None = None,
    rulebook: Rulebook | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Who of the list would get the skill's template, or `text` in its place, from a run that starts at `now`; and the
    segments, cost and time of that. `wanted`: a filter in place of the skill's; an empty one takes all contacts.

    Looked at is what an engine looks at: the filter, do-not-call groups, consent, suppressions, erased people, expiry,
    hours, frequency caps. Only what comes later is not: what is used of caps meanwhile, replies, other runs.

    NotFound for a name that is not there, Invalid for a text that the list cannot fill or a filter that names a field
    that it does not have, Conflict for a list that is not ready, or where people were erased and this process has no
    key to recognise their numbers by.
    """
    asked = await _read(store, business_unit, skill, calling_list, wanted, text, now, rulebook or standard())
    counting = _Counting(store, asked, now)
    size = asked.calling_list.contacts
    for first in range(0, size, PAGE):
        await counting.page(first, min(first + PAGE, size) - 1)
        if progress is not None:
            progress(min(first + PAGE, size), size)
    foreseen = Foreseen(size, counting.foresight.skipped, counting.foresight.waiting)
    found = estimate(foreseen, counting.sample.measured, asked.terms)
    return found._replace(assumptions=(*_hindrances(asked.calling_list, now), *found.assumptions))


class _Asked(NamedTuple):
    unit: Unit
    skill: SkillRow
    calling_list: ListRow
    zone_sets: list[list[str]]
    renderer: Renderer
    rules: Rules
    terms: Terms
    hours: Hours
    selecting: Selecting | None


async def _read(
    store: Store,
    business_unit: str | None,
    skill: str,
    calling_list: str,
    wanted: str | None,
    text: str | None,
    now: Micros,
    rulebook: Rulebook,
) -> _Asked:
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await skills.find(connection, unit, skill)
        of = await lists.find(connection, unit, calling_list)
        body = text if text is not None else (await templates.find(connection, unit, row.template)).body
        _, renderer = compiled(body, of.fields, of.name)
        return _Asked(
            unit,
            row,
            of,
            await lists.zone_sets(connection, unit, of.id),
            renderer,
            await rules.of_skill(connection, unit, row, of.id),
            await terms.of_code(connection, unit, row.transport_code_id, row.window, row.expiry_hours),
            hours_of(unit.declared_hours(row.hours, row.rule_pack, row.phone_hours), row.window, rulebook),
            chosen(row.filter if wanted is None else wanted, row.order, of.fields, now),
        )


class _Counting:
    """Goes through the list a page at a time; what is kept does not grow with it."""

    def __init__(self, store: Store, asked: _Asked, now: Micros) -> None:
        unit, row = asked.unit, asked.skill
        places = [tuple(zones) for zones in asked.zone_sets]
        selecting = asked.selecting
        ordered = selecting is not None and bool(selecting.ordering)
        self._store = store
        self._asked = asked
        self._now = now
        self._keeper = Keeper(store, asked.rules)
        self.foresight = Foresight(asked.hours, places, now, now + row.expiry_hours * HOUR, one_by_one=ordered)
        self.sample = Sample(lambda: Meter(asked.renderer, smart=row.smart_encoding))
        self._scan: Scan | None = None
        if selecting is not None and selecting.filter is not None:
            expression = resolved(read(selecting.filter), date.fromisoformat(selecting.today))
            of = asked.calling_list
            self._scan = Scan(store, Source(unit.bucket, of.id, of.fields, asked.zone_sets, of.contacts), expression)

    async def page(self, first: int, last: int) -> None:
        """Count the contacts of these positions, and measure some of those that are texted."""
        asked, keeper = self._asked, self._keeper
        bucket, list_id = asked.unit.bucket, asked.calling_list.id
        wanted = None if self._scan is None else set(await self._scan.positions(first, last))
        page: Sequence[Addressee] = ()
        if wanted is None or wanted:
            page = await addressees.between(self._store, bucket, list_id, first, last, external_ids=keeper.external_ids)
        if wanted is not None:
            page = [one for one in page if one.position in wanted]
            self.foresight.skipped["filtered"] += last - first + 1 - len(page)
        numbered = [one for one in page if self.foresight.asks_of(one.destination, one.zone_set)]
        kept = await keeper.ask([one.destination for one in numbered], [one.external_id for one in numbered], self._now)
        texted = await asyncio.to_thread(self._judged, page, numbered, kept)
        measured = {texted[place][0]: (number, texted[place][1]) for place, number in self.sample.take(len(texted))}
        if measured:
            contacts = await self._store.hot.read_contacts_at(bucket, list_id, list(measured), ())
            await asyncio.to_thread(self._measure, [(one.fields, *measured[one.position]) for one in contacts])

    def _judged(self, page: Sequence[Addressee], numbered: Sequence[Addressee], kept: Kept) -> list[tuple[int, str]]:
        """The positions that are texted, and what each waits for."""
        others = {numbered[place].position: found for place, found in kept.others.items()}
        texts, listed = self.foresight.texts, kept.listed
        texted: list[tuple[int, str]] = []
        for position, destination, zone_set, expires_at, _ in page:
            of = others.get(position)
            waits = texts(destination, zone_set, expires_at, on_dnc=destination in listed, kept=of)
            if waits is not None:
                texted.append((position, waits))
        return texted

    def _measure(self, rows: Sequence[tuple[str, int, str]]) -> None:
        for fields, number, waits in rows:
            self.sample.add(number, fields.split(SEPARATOR), waits)


def _hindrances(of: ListRow, now: Micros) -> list[str]:
    """Why a run could not be started over the list as it is."""
    said: list[str] = []
    if not of.active:
        said.append(f"The list is inactive: make it active with todoke list activate {of.name!r} before the start.")
    if of.expires_at is not None and of.expires_at <= now:
        said.append("The list has expired: give it another end with todoke list expire before the start.")
    return said
