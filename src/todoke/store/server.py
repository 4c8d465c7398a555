"""What a PostgreSQL server says of itself: its version, how durable it is, who follows it, what time it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from todoke.model.clock import Clock, Micros
from todoke.store import postgres
from todoke.store.address import Address
from todoke.store.postgres import Connection

NAMES = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names", "server_version")

_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name = ANY($1)"

# Who follows the log as a standby does: no backup under way, no archiver, no logical subscription. A role that may
# not look sees that they are there, and nothing else.
_STANDBYS = """
    SELECT coalesce(r.application_name, ''), coalesce(r.sync_state, ''), coalesce(r.state, '')
    FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
    WHERE coalesce(r.state, '') <> 'backup' AND coalesce(r.application_name, '') <> 'pg_receivewal'
      AND coalesce(s.slot_type, 'physical') = 'physical'
    ORDER BY 1
"""


class Standby(NamedTuple):
    """`sync_state`: sync, quorum, potential or async; empty where our role may not see it."""

    name: str
    sync_state: str
    state: str = "streaming"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`version` as in 15_00_04 for 15.4; `ahead`: microseconds by which the server's clock is before this machine's."""

    version: int
    settings: Mapping[str, str]
    standbys: list[Standby] = field(default_factory=list[Standby])
    ahead: Micros = 0

    def setting(self, name: str) -> str:
        return self.settings.get(name, "")


async def look(address: Address, clock: Clock) -> ServerFacts:
    """Ask the server that takes the writes; StoreUnavailable."""
    connection = await postgres.connect(address)
    try:
        return await _ask(connection, clock)
    except Exception as error:
        sentence = postgres.unavailable(error, address)
        if sentence is None or sentence is error:
            raise
        raise sentence from error
    finally:
        connection.terminate()


async def _ask(connection: Connection, clock: Clock) -> ServerFacts:
    settings = {str(row[0]): str(row[1]) for row in await connection.fetch(_SETTINGS, list(NAMES))}
    standbys = [Standby(*row) for row in await connection.fetch(_STANDBYS)]
    version = int(await connection.fetchval("SELECT current_setting('server_version_num')"))
    asked = clock.now()
    told: Micros = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    return ServerFacts(version, settings, standbys, told - (asked + clock.now()) // 2)
