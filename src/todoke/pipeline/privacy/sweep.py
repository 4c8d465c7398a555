"""What is past its days goes, a little at a time, while the engine sends: off where nothing is declared."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from todoke.model.clock import SECOND, Clock, Micros
from todoke.model.retention import Data, cutoff
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import StoreUnavailable
from todoke.store.privacy import retention
from todoke.store.privacy.retention import Numbered, Step
from todoke.store.store import Store

_log = logging.getLogger(__name__)

EVERY = 600.0  # seconds between sweeps
FIRST = 30.0  # after the start
REST = 0.05  # seconds between two pieces: they take some milliseconds of the one writer
MOST = 20_000  # pieces in a sweep; the next one goes on

Pieces = Callable[[Store, Unit, Micros, int], Awaitable[Step]]
PIECES: dict[Data, Pieces] = {
    Data.REPLIES: retention.replies,
    Data.OPT_OUTS: retention.opt_outs,
    Data.CONSENTS: retention.consents,
    Data.DOUBTS: retention.doubts,
    Data.EVENTS: retention.events,
    Data.CONTACTS: retention.contacts,
}
# Whose a file of rejected rows is, by its name: of consents, of numbers for a DNC group, of what an update did not
# merge, of a list.
_OF_CONSENTS = re.compile(r"consents-(\d+)-\d{8}T\d+Z-rejected\b")
_OF_UPLOAD = re.compile(r"dnc-(\d+)-numbers-rejected\b")
_OF_IMPORT = re.compile(r"import-(\d+)-not-(?:read|merged)-rejected\b")
_OF_LIST = re.compile(r"-(\d+)-rejected\b")


class Row(NamedTuple):
    """One kind of data of a business unit: its days (None: kept), and how much is past them."""

    data: Data
    days: int | None
    past: int


class Sweep:
    """`run` until cancelled; `once` for a test. `rejected`: the folder of the files of rejected rows."""

    def __init__(self, store: Store, clock: Clock, rejected: Path, *, rest: float = REST) -> None:
        self._store = store
        self._clock = clock
        self._rejected = rejected
        self._rest = rest
        self._marks: dict[tuple[int, Data], int] = {}  # what is before was looked at by this process

    async def run(self) -> None:
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.once()
            except StoreUnavailable as error:
                _log.error("what is past its days stays for now: %s", error, extra={"action": "retention"})
            await asyncio.sleep(EVERY)

    async def once(self) -> dict[Data, int]:
        """One sweep over all business units; how much went."""
        gone: dict[Data, int] = {}
        async with self._store.reading() as connection:
            every = await units.every(connection)
            days = {unit.id: await retention.days(connection, unit) for unit in every}
        now = self._clock.now()
        if not any(days.values()):
            return gone
        cuts = [(unit, cutoff(days[unit.id], Data.EVENTS, now)) for unit in every]
        if any(before is not None for _, before in cuts):
            for name in await retention.drop_partitions(self._store, cuts):
                _log.info("the partition %s is past its days: dropped", name, extra={"action": "retention"})
        for unit in every:
            for data, pieces in PIECES.items():
                before = cutoff(days[unit.id], data, now)
                if before is not None:
                    gone[data] = gone.get(data, 0) + await self._walk(unit, data, pieces, before)
            before = cutoff(days[unit.id], Data.REJECTED_FILES, now)
            if before is not None:
                removed = remove_files(await past_files(self._store, unit, self._rejected, before))
                gone[Data.REJECTED_FILES] = gone.get(Data.REJECTED_FILES, 0) + removed
        for data, count in gone.items():
            if count:
                _log.info("%d of %s were past their days", count, data, extra={"action": "retention"})
        return gone

    async def _walk(self, unit: Unit, data: Data, pieces: Pieces, before: Micros) -> int:
        done = 0
        key = (unit.id, data)
        for _ in range(MOST):
            step = await pieces(self._store, unit, before, self._marks.get(key, 0))
            done += step.done
            if step.mark is None:
                # Lists, doubts and consents that were young may be old at the next sweep: from the beginning then.
                if data not in (Data.REPLIES, Data.OPT_OUTS):
                    self._marks.pop(key, None)
                break
            self._marks[key] = step.mark
            await asyncio.sleep(self._rest)
        return done


async def overview(store: Store, unit: Unit, rejected: Path, now: Micros) -> list[Row]:
    """What is declared of each kind of data, and what the next sweep would take."""
    async with store.reading() as connection:
        days = await retention.days(connection, unit)
    rows: list[Row] = []
    for data in Data:
        before = cutoff(days, data, now)
        past = 0 if before is None else await _past(store, unit, data, rejected, before)
        rows.append(Row(data, days.get(data.value), past))
    return rows


async def _past(store: Store, unit: Unit, data: Data, rejected: Path, before: Micros) -> int:
    if data is Data.CONSENTS:
        return await retention.past_consents(store, unit, before)
    if data is Data.REJECTED_FILES:
        return len(await past_files(store, unit, rejected, before))
    async with store.reading() as connection:
        match data:
            case Data.REPLIES:
                return await retention.past_replies(connection, unit, before)
            case Data.OPT_OUTS:
                return await retention.past_opt_outs(connection, unit, before)
            case Data.DOUBTS:
                return await retention.past_doubts(connection, unit, before)
            case Data.EVENTS:
                return await retention.past_events(connection, unit, before)
            case Data.CONTACTS:
                return len(await retention.past_lists(connection, unit, before))


async def past_files(store: Store, unit: Unit, folder: Path, before: Micros) -> list[Path]:
    """This machine's files of the unit's rejected rows that are so old. What no business unit can be told to own (of a
    dry run, of a list that is gone) is the unit's that keeps such files longest, if every unit lets them go.
    """
    async with store.reading() as connection:
        every = await units.every(connection)
        owned = {one.id: await retention.numbered(connection, one) for one in every}
        days = [(await retention.days(connection, one)).get(Data.REJECTED_FILES) for one in every]
        mine = (await retention.days(connection, unit)).get(Data.REJECTED_FILES)
    keeps_longest = None not in days and mine == max((count for count in days if count is not None), default=None)
    found: list[Path] = []
    for path in sorted(folder.glob("*-rejected*")):
        owner = next((id for id, numbers in owned.items() if _is_of(path.name, numbers)), None)
        if (owner == unit.id or (owner is None and keeps_longest)) and _written(path) < before:
            found.append(path)
    return found


def _is_of(name: str, numbers: Numbered) -> bool:
    for pattern, of in ((_OF_CONSENTS, {numbers.unit}), (_OF_UPLOAD, numbers.uploads), (_OF_IMPORT, numbers.imports)):
        named = pattern.match(name)
        if named is not None:
            return int(named[1]) in of
    named = _OF_LIST.search(name)
    return named is not None and int(named[1]) in numbers.lists


def remove_files(paths: Sequence[Path]) -> int:
    """Remove them; how many went. One that is gone already does not matter; one of another user stays and is logged."""
    gone = 0
    for path in paths:
        try:
            path.unlink(missing_ok=True)
            gone += 1
        except OSError as error:
            _log.error("%s is past its days and stays: %s", path, error.strerror, extra={"action": "retention"})
    return gone


def _written(path: Path) -> Micros:
    try:
        return int(path.stat().st_mtime * SECOND)
    except OSError:
        return int(time.time() * SECOND)
