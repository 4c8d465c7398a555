"""Runs with a filter or an order: their selections are made here, piece by piece, while lanes send what is there.

Without an order the list is read from its beginning, and every page's wanted contacts can be sent at once. With one,
all of it must be read and sorted first. Any engine does this, one at a time a selection: it is claimed, and where its
maker says nothing for a while, another goes on where it stands.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

from todoke.model.clock import Clock
from todoke.model.errors import Conflict, Invalid
from todoke.model.filter import Order, read, read_order, resolved
from todoke.pipeline.planner.taken import Taken, taken_of
from todoke.store.hot.base import StoreUnavailable
from todoke.store.hot.positions import CHUNK
from todoke.store.hot.selecting import Added, OpenSelection, Piece, Range
from todoke.store.selection.scan import PAGE, Scan, Source
from todoke.store.selection.sorter import Sorter
from todoke.store.store import Store

_log = logging.getLogger(__name__)

AT_ONCE = 4  # selections that one engine makes side by side
_WAIT = 0.5  # seconds until what was found is handed out, however little it is
_SIGN = 3.0  # seconds after which the maker says that it is still there
_MIXED = -1


class Lost(Exception):
    """It is another's to make by now, or its run ends."""


class Selector:
    """`run` until cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._maker = uuid.uuid4().hex
        self._making: set[asyncio.Task[None]] = set()

    async def run(self, every: float = 0.5) -> None:
        try:
            while True:
                try:
                    await self.look()
                except StoreUnavailable as error:
                    _log.error("selections cannot be looked at: %s", error, extra={"action": "select"})
                await asyncio.sleep(every)
        finally:
            for task in self._making:
                task.cancel()

    async def look(self) -> int:
        """Begin with what is to be made, as far as there is room; how many that is."""
        self._broken()
        begun = 0
        for key in await self._store.hot.selections_to_make(self._clock.now()):
            if len(self._making) >= AT_ONCE:
                break
            selection = await self._store.hot.claim_selection(key, self._maker, self._clock.now())
            if selection is not None:
                self._making.add(asyncio.create_task(self._make(selection)))
                begun += 1
        return begun

    async def idle(self) -> None:
        """Wait until what was begun is done."""
        while self._making:
            await asyncio.wait(self._making)
            self._broken()

    def _broken(self) -> None:
        for task in [task for task in self._making if task.done()]:
            self._making.discard(task)
            task.result()  # a mistake of ours is not passed over

    async def _make(self, selection: OpenSelection) -> None:
        told = {"bucket": selection.key.bucket, "run": selection.key.run_id}
        try:
            count = await make(self._store, self._clock, selection)
            _log.info("run %d has its %d contacts", told["run"], count, extra={"action": "selected", **told})
        except Lost:
            _log.info("run %d is selected elsewhere, or ends", told["run"], extra={"action": "selection_lost", **told})
        except (StoreUnavailable, Conflict, Invalid) as error:  # it is claimed again when nothing was said for a while
            _log.error("run %d: %s", told["run"], error, extra={"action": "selection_failed", **told})


async def make(store: Store, clock: Clock, selection: OpenSelection) -> int:
    """Make the rest of it; how many contacts it has. Lost, StoreUnavailable; Invalid where the filter is none."""
    wanted = selection.selecting
    expression = resolved(read(wanted.filter), date.fromisoformat(wanted.today)) if wanted.filter else None
    order = read_order(wanted.ordering)
    source = Source(selection.key.bucket, selection.list_id, selection.fields, selection.zone_sets, selection.size)
    scan = Scan(store, source, expression, order)
    begun = selection.next_ordinal > selection.first_ordinal
    taken = await taken_of(store.hot, selection) if selection.key.number or (order and begun) else None
    making = _Making(store, clock, selection)
    await (_ordered(making, scan, taken, order) if order else _listed(making, scan, taken))
    return making.count


class _Making:
    """The selection, and how it grows."""

    def __init__(self, store: Store, clock: Clock, selection: OpenSelection) -> None:
        self._hot = store.hot
        self._clock = clock
        self.selection = selection
        self._said = clock.monotonic()

    @property
    def count(self) -> int:
        return self.selection.next_ordinal - self.selection.first_ordinal

    @property
    def quiet(self) -> float:
        """Seconds since anything was written."""
        return self._clock.monotonic() - self._said

    async def add(self, pieces: Sequence[Piece], read_to: int, *, made: bool = False) -> None:
        """Hand these out."""
        moved = await self._hot.add_to_selection(self.selection, Added(pieces, read_to, made), self._clock.now())
        if moved is None:
            raise Lost
        self.selection, self._said = moved, self._clock.monotonic()

    async def say(self) -> None:
        """It is still being made."""
        if self.quiet >= _SIGN:
            if not await self._hot.keep_selection(self.selection, self._clock.now()):
                raise Lost
            self._said = self._clock.monotonic()


async def _listed(making: _Making, scan: Scan, taken: Taken | None) -> None:
    """In the order of the list: a cursor a range, so that a closed time zone still costs nothing."""
    selection = making.selection
    ranges = selection.ranges
    waiting: list[Piece] = []
    count, read_to = 0, selection.read_to
    async for end, found in scan.pages(selection.read_to, selection.size - 1):
        positions = taken.free(found) if taken is not None else found
        if count + len(positions) > CHUNK:
            await making.add(waiting, read_to)
            waiting, count = [], 0
        waiting.extend(_by_range(positions, ranges))
        count, read_to = count + len(positions), end + 1
        if (count and making.quiet >= _WAIT) or making.quiet >= _SIGN:
            await making.add(waiting, read_to)
            waiting, count = [], 0
    await making.add(waiting, selection.size, made=True)


def _by_range(positions: Sequence[int], ranges: Sequence[Range]) -> list[Piece]:
    """Ascending positions, told apart by the range that they are of."""
    pieces: list[Piece] = []
    at = 0
    while at < len(positions):
        index = bisect_right(ranges, positions[at], key=lambda each: each.first) - 1
        of = ranges[index]
        end = bisect_left(positions, of.last + 1, at)
        pieces.append(Piece(of.number, of.zone_set, positions[at:end]))
        at = end
    return pieces


async def _ordered(making: _Making, scan: Scan, taken: Taken | None, order: Order) -> None:
    """Sorted: one cursor, whose contacts are looked at one by one."""
    size = making.selection.size
    with Sorter(order) as sorter:
        for first in range(0, size, PAGE):
            ranked = await scan.ranked(first, min(first + PAGE, size) - 1)
            await asyncio.to_thread(sorter.add, ranked)
            await making.say()
        sorting = asyncio.create_task(asyncio.to_thread(sorter.sort))
        while not (await asyncio.wait({sorting}, timeout=_SIGN / 2))[0]:
            await making.say()
        for first in range(0, sorting.result(), CHUNK):
            found = await asyncio.to_thread(sorter.read, first, CHUNK)
            positions = taken.free(found) if taken is not None else found
            await making.add([Piece(0, _MIXED, positions)], 0)
    await making.add([], size, made=True)
