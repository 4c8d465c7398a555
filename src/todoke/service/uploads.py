"""Uploads on this machine that nobody went on with: after some days they go, and their imports with them."""

from __future__ import annotations

import logging
from pathlib import Path

from todoke.model.clock import HOUR, SECOND, Clock, Micros
from todoke.model.errors import Conflict
from todoke.service.list_imports import ListImports
from todoke.service.spool import PART, remove_parts
from todoke.store.catalogue import units
from todoke.store.lists import imports
from todoke.store.store import Store

_log = logging.getLogger(__name__)

KEPT: Micros = 10 * 24 * HOUR
"""For so long after its last word an import can be resumed from its upload."""


async def remove_old(store: Store, folder: Path, rejects_dir: Path, clock: Clock) -> int:
    """Remove what lies in the folder and is of no use any more; how many files.

    An import that failed, or whose process was killed, is cancelled when it has said nothing for so many days. A file
    of no such import goes as many days after its last byte, a copy that was broken off after an hour. A folder or a
    file that is not this user's to remove stays, and is logged: an engine goes on.
    """
    try:
        return await _remove_old(store, folder, rejects_dir, clock)
    except OSError as error:
        _log.error("old uploads stay: %s", error, extra={"action": "upload_kept"})
        return 0


async def _remove_old(store: Store, folder: Path, rejects_dir: Path, clock: Clock) -> int:
    if not folder.is_dir():
        return 0
    now = clock.now()
    gone = remove_parts(folder, now / SECOND)
    files = {path.name: path for path in folder.iterdir() if path.suffix != PART}
    async with store.reading() as connection:
        every = await units.every(connection)
        waiting = {unit: await imports.with_upload(connection, unit) for unit in every} if files else {}
    for unit, rows in waiting.items():
        for row in rows:
            path = files.pop(Path(row.source).name, None)
            last = max(row.seen_at, row.ended_at or 0)
            if path is None or last > now - KEPT:
                continue
            try:
                await ListImports(store, unit, rejects_dir, clock).abandon(row.id)
            except Conflict:
                continue  # a process still works on it
            path.unlink(missing_ok=True)  # also where the folder has another name by now
            said = "nobody went on with import %d: it is cancelled, its upload removed"
            _log.info(said, row.id, extra={"action": "upload_removed", "import": row.id})
            gone += 1
    for path in files.values():
        if _written(path) < now - KEPT:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _written(path: Path) -> Micros:
    try:
        return int(path.stat().st_mtime * SECOND)
    except OSError:  # gone meanwhile
        return 0
