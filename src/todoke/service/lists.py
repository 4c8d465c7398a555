"""What an engine does for lists beside sending: what a command left half done, and what was deleted long ago."""

from __future__ import annotations

import logging

from todoke.model.clock import Clock
from todoke.store.lists import life, removal
from todoke.store.store import Store

_log = logging.getLogger(__name__)


async def pause_inactive(store: Store, clock: Clock) -> None:
    """Pause what still runs over inactive lists: whoever deactivated them was cut short."""
    for bucket, list_id in await life.left_running(store):
        for run in await life.pause_runs(store, bucket, list_id, clock.now()):
            _log.info(
                "run %d is paused: its list is inactive",
                run,
                extra={"action": "list_inactive", "bucket": bucket, "run": run, "list_id": list_id},
            )


async def remove_deleted(store: Store, clock: Clock) -> None:
    """Remove what is left of lists that cannot be restored any more."""
    for list_id in await removal.remove_deleted(store, clock.now()):
        _log.info("list %d is removed", list_id, extra={"action": "list_removed", "list_id": list_id})
