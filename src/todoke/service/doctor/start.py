"""What an engine looks at before it starts, and now and then: would a fail-over send again what was sent?"""

from __future__ import annotations

import logging

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.errors import Conflict
from todoke.service.doctor import replication
from todoke.service.doctor.finding import Finding, Level
from todoke.store import server
from todoke.store.server import ServerFacts
from todoke.store.store import Store

_log = logging.getLogger(__name__)


class FailOverForgets(Conflict):
    """A fail-over of this database forgets what was sent."""


class Replication:
    """Says loudly what is wrong with it, once; on SQLite nothing can be."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._accepted = settings.accept_async_replication
        self._said = ""

    async def at_start(self) -> None:
        """As `look`; FailOverForgets where engines would follow a fail-over to a standby that lags, and nobody has
        accepted that.
        """
        facts = await self._ask()
        if facts is None:
            return
        found = self._judge(facts)
        if found.level is Level.ERROR and not replication.waits(facts):
            raise FailOverForgets(found.sentence, where=self._store.address.shown, fix=found.fix)
        self._say(found)

    async def look(self) -> None:
        """After a fail-over the new primary may have no synchronous standby. An engine that runs goes on."""
        facts = await self._ask()
        if facts is not None:
            self._say(self._judge(facts))

    async def _ask(self) -> ServerFacts | None:
        return None if self._store.address.path else await server.look(self._store.address, SystemClock())

    def _judge(self, facts: ServerFacts) -> Finding:
        return replication.judge(facts, len(self._store.address.hosts), accepted=self._accepted)

    def _say(self, found: Finding) -> None:
        if found.sentence == self._said:
            return
        if found.level is not Level.OK:
            _log.warning("%s %s", found.sentence, found.fix, extra={"action": "replication"})
        elif self._said:
            _log.info("%s", found.sentence, extra={"action": "replication"})
        self._said = found.sentence
