"""CPU time and memory of processes, from /proc: what other work on the machine takes does not count."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text

from todoke.store.store import Store

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def seconds(pids: Iterable[int]) -> float:
    """CPU seconds that these processes took so far, all their threads; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])  # proc(5): utime, stime
    return total / _TICK


def resident(pid: int) -> int:
    """Octets in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


async def servers(store: Store) -> list[int]:
    """The processes of the database that work for everybody else than us: none for SQLite, which works in the engine's.

    Those are the back ends of this database and the two that write for all of them.
    """
    if store.dialect != "postgresql":
        return []
    async with store.reading() as connection:
        rows = await connection.execute(
            text(
                "select pid from pg_stat_activity where pid <> pg_backend_pid() and "
                "(datname = current_database() or backend_type in ('walwriter', 'background writer'))"
            )
        )
        return [row[0] for row in rows]


class Spent:
    """CPU of an engine and its database between two moments."""

    def __init__(self, engine: int, database: list[int]) -> None:
        self._engine = engine
        self._database = database
        self._begun = self._read()

    def _read(self) -> tuple[float, float]:
        return seconds([self._engine]), seconds(self._database)

    def so_far(self) -> tuple[float, float]:
        """CPU seconds of the engine, and of its database."""
        engine, database = self._read()
        return engine - self._begun[0], database - self._begun[1]
