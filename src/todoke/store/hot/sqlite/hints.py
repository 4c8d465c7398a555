"""Hints from the file itself: SQLite counts what other connections commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from sqlite3 import Connection

from todoke.model.dnc import DncChange
from todoke.store.hot.base import Hint, StoreUnavailable
from todoke.store.hot.hints import MOST_NUMBERS
from todoke.store.writer import Writer

VERSION = "PRAGMA data_version"

LAST = "SELECT coalesce(max(id), 0) FROM dnc_change"

# What changed on DNC groups since the last look; an upload has no phone.
SINCE = f"SELECT dnc_group_id, phone, change, id FROM dnc_change WHERE id > ? ORDER BY id LIMIT {MOST_NUMBERS + 1}"

EVERY = 0.1  # seconds between looks: a look that finds nothing costs some microseconds


class Foreign:
    """What was committed since the last look; the first one only learns where things stand."""

    def __init__(self) -> None:
        self._version = -1
        self._last = -1

    def look(self, db: Connection) -> Hint | None:
        """The hint, None where nothing was committed."""
        version = db.execute(VERSION).fetchone()[0]
        if version == self._version:
            return None
        self._version = version
        if self._last < 0:
            self._last = db.execute(LAST).fetchone()[0]
            return Hint(work=True, many=True)
        rows = db.execute(SINCE, (self._last,)).fetchall()
        told = [(group, phone, _KINDS.get(change, "out")) for group, phone, change, _ in rows]
        if len(rows) > MOST_NUMBERS or any(phone is None for _, phone, _ in told):
            self._last = db.execute(LAST).fetchone()[0]
            return Hint(work=True, many=any(kind == "out" for _, _, kind in told))
        if rows:
            self._last = rows[-1][3]
        return Hint(work=True, numbers=tuple(told))


_KINDS = {DncChange.REMOVED.value: "in", DncChange.EXPIRED.value: "in"}


async def watch(writer: Writer, heard: Callable[[Hint], None]) -> None:
    """Until cancelled. Looks on the connection that writes: what it commits itself does not count as another's."""
    foreign = Foreign()
    while True:
        with contextlib.suppress(StoreUnavailable):
            hint = await writer.look(foreign.look)
            if hint is not None:
                heard(hint)
        await asyncio.sleep(EVERY)
