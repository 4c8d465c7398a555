"""Who of the rows of a file would be texted, before there is a list of it: as far as that is known of them already."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from todoke.compliance.foresight import Foresight
from todoke.compliance.hours import Hours, hours_of
from todoke.compliance.rulebook import Rulebook
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, Micros, to_datetime
from todoke.model.compiled_text import compiled
from todoke.model.estimate import Estimate, Foreseen, Terms, estimate
from todoke.model.filter import (
    Expression,
    Record,
    System,
    check_fields,
    check_order,
    conditions,
    matches,
    read,
    read_order,
    resolved,
)
from todoke.model.sample import Sample
from todoke.sms.measuring import Meter
from todoke.store.catalogue import adhoc, codes, skills, templates, terms, units
from todoke.store.hot.base import SEPARATOR
from todoke.store.keeping import rules
from todoke.store.keeping.keeper import NOBODY, Keeper, Kept
from todoke.store.keeping.rules import Rules
from todoke.store.store import Store

_AT_ONCE = 4_000  # rows that the database is asked about
_COLUMNS = ("destination", "zone_set", "external_id", "fields", "expires_at")


class Intended(NamedTuple):
    """What is to be sent: a text, on which terms, held against what. `filter` and `order`: of its skill."""

    body: str
    smart: bool
    terms: Terms | None
    rules: Rules
    hours: Hours
    expiry_hours: int
    filter: str | None = None
    order: tuple[str, ...] = ()


async def intended(
    store: Store, unit: units.Unit, skill: str | None, text: str | None, rulebook: Rulebook
) -> Intended | None:
    """None where neither a skill nor a text is named. A text by itself goes at any hour that the unit and the rules of
    places allow, from the only code, where there is only one. NotFound.
    """
    if skill is None and text is None:
        return None
    async with store.reading() as connection:
        if skill is None:
            own = await codes.every(connection, unit)
            whole = Window(0, WHOLE_DAY)
            code = own[0].id if len(own) == 1 else None
            return Intended(
                text or "",
                False,
                None if code is None else await terms.of_code(connection, unit, code, whole),
                await rules.of_code(connection, unit, code),
                hours_of(unit.declared_hours(), whole, rulebook),
                adhoc.EXPIRY_HOURS,
            )
        row = await skills.find(connection, unit, skill)
        return Intended(
            text if text is not None else (await templates.find(connection, unit, row.template)).body,
            row.smart_encoding,
            await terms.of_code(connection, unit, row.transport_code_id, row.window, row.expiry_hours),
            await rules.of_skill(connection, unit, row),
            hours_of(unit.declared_hours(row.hours, row.rule_pack, row.phone_hours), row.window, rulebook),
            row.expiry_hours,
            row.filter,
            row.order,
        )


class Foreseeing:
    """`begin`, then `count` contacts as they come, in a thread beside the event loop in which this was made: that asks
    the database. Invalid for a text or a filter that the fields cannot fill.
    """

    def __init__(self, store: Store, sent: Intended, fields: Sequence[str], name: str, now: Micros) -> None:
        _, renderer = compiled(sent.body, fields, name)
        check_order(read_order(sent.order), fields)
        self._sent = sent
        self._now = now
        self._keeper = Keeper(store, sent.rules)
        self._loop = asyncio.get_running_loop()
        self._sample = Sample(lambda: Meter(renderer, smart=sent.smart))
        self._filter = None if sent.filter is None else _Filter(sent.filter, fields, now)
        self._contacts = 0
        self._foresight: Foresight | None = None

    def begin(self, zone_sets: Sequence[Sequence[str]]) -> None:
        """With the places of all contacts, by zone set."""
        sent = self._sent
        places = [tuple(zones) for zones in zone_sets]
        ends = self._now + sent.expiry_hours * HOUR
        self._foresight = Foresight(sent.hours, places, self._now, ends, one_by_one=bool(sent.order))
        if self._filter is not None:
            self._filter.places = places

    def count(self, contacts: pl.DataFrame) -> None:
        """Contacts as `CONTACT_SCHEMA` has them."""
        for start in range(0, contacts.height, _AT_ONCE):
            self._count([_Row(*row) for row in contacts[list(_COLUMNS)].slice(start, _AT_ONCE).iter_rows()])

    def _count(self, rows: Sequence[_Row]) -> None:
        foresight, wanted = self._ready, self._filter
        self._contacts += len(rows)
        if wanted is not None:
            taken = [row for row in rows if wanted.takes(row)]
            foresight.skipped["filtered"] += len(rows) - len(taken)
            rows = taken
        numbered = [place for place, row in enumerate(rows) if foresight.asks_of(row.destination, row.zone_set)]
        kept = self._ask([rows[place] for place in numbered])
        others = {numbered[place]: found for place, found in kept.others.items()}
        texted: list[tuple[_Row, str]] = []
        for place, row in enumerate(rows):
            listed = row.destination in kept.listed
            of = others.get(place)
            waits = foresight.texts(row.destination, row.zone_set, row.expires_at, on_dnc=listed, kept=of)
            if waits is not None:
                texted.append((row, waits))
        for place, number in self._sample.take(len(texted)):
            row, waits = texted[place]
            self._sample.add(number, row.fields.split(SEPARATOR), waits)

    def _ask(self, rows: Sequence[_Row]) -> Kept:
        if not rows:
            return NOBODY
        phones, external_ids = [row.destination for row in rows], [row.external_id for row in rows]
        asking = self._keeper.ask(phones, external_ids, self._now)
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()

    def estimate(self) -> Estimate:
        """Of all that were counted."""
        foresight = self._ready
        foreseen = Foreseen(self._contacts, foresight.skipped, foresight.waiting)
        return estimate(foreseen, self._sample.measured, self._sent.terms)

    @property
    def _ready(self) -> Foresight:
        assert self._foresight is not None, "it has not begun"
        return self._foresight


class _Row(NamedTuple):
    destination: int
    zone_set: int
    external_id: str
    fields: str
    expires_at: Micros | None


class _Filter:
    """What the filter of a skill means for rows; only the values that it names are looked at."""

    def __init__(self, text: str, fields: Sequence[str], now: Micros) -> None:
        expression = read(text)
        check_fields(expression, fields)
        self._expression: Expression = resolved(expression, to_datetime(now).date())
        named = {test.name for test in conditions(expression)}
        places = {name: index for index, name in reversed(list(enumerate(fields)))}
        self._indexes = [(name, places[name]) for name in named if not isinstance(name, System) and name in places]
        self.places: Sequence[Sequence[str]] = ()

    def takes(self, row: _Row) -> bool:
        values = row.fields.split(SEPARATOR) if self._indexes else ()
        fields = {name: values[index] for name, index in self._indexes}
        number = str(row.destination) if row.destination else ""
        return matches(self._expression, Record(fields, number, row.external_id, self.places[row.zone_set]))
