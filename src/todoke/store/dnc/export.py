"""The numbers of a DNC group, all of them, a page at a time: no snapshot is held, whatever the size of the group."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.dnc.base import EntryOut
from todoke.store.dnc.uploads import dnc_store
from todoke.store.store import Store

PAGE = 20_000


async def export(store: Store, unit: Unit, group: Group, page: int = PAGE) -> AsyncGenerator[Sequence[EntryOut]]:
    """Pages of (number, source, since, expiry), in order of the number; what has expired is left out. `group` must be
    the unit's.
    """
    dnc = dnc_store(store)
    after = 0
    while rows := await dnc.page(unit.bucket, group.id, after, page):
        yield rows
        after = rows[-1][0]
