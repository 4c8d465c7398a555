"""Which contacts a filter would choose: checked against a list, tried on its first contacts, counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple

from todoke.model.clock import Micros, to_datetime
from todoke.model.filter import Expression, check_fields, check_order, read, read_order, resolved
from todoke.store.catalogue import lists, skills, units
from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import Selecting
from todoke.store.selection.scan import PAGE, Scan, Source
from todoke.store.store import Store

_PAGES_TRIED = 25  # pages of the list that are looked at for a sample


class Counted(NamedTuple):
    """Of `looked_at` of the list's `contacts`, so many are wanted."""

    wanted: int
    looked_at: int
    contacts: int

    @property
    def complete(self) -> bool:
        return self.looked_at == self.contacts

    @property
    def estimate(self) -> int:
        """How many of all, as far as is known."""
        return self.wanted if self.complete else round(self.wanted * self.contacts / max(1, self.looked_at))


def chosen(wanted: str | None, order: Sequence[str], fields: Sequence[str], now: Micros) -> Selecting | None:
    """What a run over a list with these fields freezes; None where it takes the list as it is. Invalid where a field is
    not there.
    """
    if wanted and wanted.strip():
        check_fields(read(wanted), fields)
    else:
        wanted = None
    check_order(read_order(order), fields)
    return Selecting(wanted, tuple(order), today(now).isoformat()) if wanted or order else None


def today(now: Micros) -> date:
    """The day that a filter calls today: by UTC, for all of its contacts."""
    return to_datetime(now).date()


class Wanted(NamedTuple):
    """Positions of a list that are wanted, in order: all of them where it is `complete`, else the first. `filtered`:
    there is a filter.
    """

    positions: Sequence[int]
    complete: bool
    filtered: bool


async def wanted_of(store: Store, unit: Unit, calling_list: ListRow, selecting: Selecting | None, count: int) -> Wanted:
    """Whom a run over the list would take. Of a long list only its beginning is looked at, for `count` of them."""
    if selecting is None or selecting.filter is None:
        return Wanted(range(calling_list.contacts), complete=True, filtered=False)
    expression = resolved(read(selecting.filter), date.fromisoformat(selecting.today))
    scan = Scan(store, await _source(store, unit, calling_list), expression)
    short = calling_list.contacts <= COUNTED_AT_ONCE
    found: list[int] = []
    async for _, positions in scan.pages(0, min(calling_list.contacts, _PAGES_TRIED * PAGE) - 1):
        found.extend(positions)
        if not short and len(found) >= count:
            break
    return Wanted(found, complete=short, filtered=True)


async def count_wanted(
    store: Store, *, business_unit: str | None, calling_list: str, wanted: str, now: Micros
) -> AsyncIterator[Counted]:
    """How many contacts of a list a filter wants. First an estimate, from pages all over the list; then it is counted,
    and the last one is exact. NotFound; Invalid where it names a field that the list does not have.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await lists.find(connection, unit, calling_list)
    expression = read(wanted)
    check_fields(expression, row.fields)
    async for counted in _count(store, unit, row, resolved(expression, today(now))):
        yield counted


async def count_of_skill(
    store: Store, *, business_unit: str | None, skill: str, calling_list: str, now: Micros
) -> AsyncIterator[Counted]:
    """The same for what a skill would text of a list."""
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        wanted = (await skills.find(connection, unit, skill)).filter
        row = await lists.find(connection, unit, calling_list)
    if wanted is None:
        yield Counted(row.contacts, row.contacts, row.contacts)
        return
    async for counted in count_wanted(
        store, business_unit=business_unit, calling_list=calling_list, wanted=wanted, now=now
    ):
        yield counted


SAMPLE_PAGES = 10
COUNTED_AT_ONCE = SAMPLE_PAGES * PAGE
"""So long a list is counted at once, some tenths of a second."""


async def _count(store: Store, unit: Unit, row: ListRow, expression: Expression) -> AsyncIterator[Counted]:
    scan, size = Scan(store, await _source(store, unit, row), expression), row.contacts
    if size > COUNTED_AT_ONCE:  # contacts of one zone stand together: the beginning alone would mislead
        step, wanted = size // SAMPLE_PAGES, 0
        for number in range(SAMPLE_PAGES):
            wanted += len(await scan.positions(number * step, number * step + PAGE - 1))
            yield Counted(wanted, (number + 1) * PAGE, size)
    wanted = 0
    async for end, positions in scan.pages(0, size - 1):
        wanted += len(positions)
        if end == size - 1:
            break
    yield Counted(wanted, size, size)


async def _source(store: Store, unit: Unit, row: ListRow) -> Source:
    async with store.reading() as connection:
        zone_sets = await lists.zone_sets(connection, unit, row.id)
    return Source(unit.bucket, row.id, row.fields, zone_sets, row.contacts)
