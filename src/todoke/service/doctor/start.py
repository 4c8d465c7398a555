"""What an engine looks at before it starts: would a fail-over of its database send again what was sent?"""

from __future__ import annotations

import logging

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.errors import Conflict
from todoke.service.doctor import replication
from todoke.service.doctor.finding import Level
from todoke.store import server
from todoke.store.store import Store

_log = logging.getLogger(__name__)


class FailOverForgets(Conflict):
    """A fail-over of this database forgets what was sent."""


async def look_at_replication(store: Store, settings: Settings) -> None:
    """Say loudly what is wrong with the replication; FailOverForgets where engines would follow a fail-over to a
    standby that lags, and nobody has accepted that.
    """
    if store.dialect != "postgresql":
        return
    facts = await server.look(store.address, SystemClock())
    found = replication.judge(facts, len(store.address.hosts), accepted=settings.accept_async_replication)
    if found.level is Level.ERROR and not replication.waits(facts):
        raise FailOverForgets(found.sentence, where=store.address.shown, fix=found.fix)
    if found.level is not Level.OK:
        _log.warning("%s %s", found.sentence, found.fix, extra={"action": "replication"})
