"""The whole of `todoke doctor`: the facts gathered, each check asked. It changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from todoke.config import Settings
from todoke.model.clock import Clock
from todoke.model.errors import TodokeError
from todoke.service.doctor import books, disk, engines, erasure, journals, packs, providers, replication
from todoke.service.doctor import server as servers
from todoke.service.doctor.finding import Finding, Level, error, ok
from todoke.store import migrations, server
from todoke.store.address import Address, parse_address
from todoke.store.catalogue import health
from todoke.store.catalogue import providers as catalogue
from todoke.store.privacy.key import KeyFile
from todoke.store.store import Store, open_store


async def examine(settings: Settings, clock: Clock, environ: Mapping[str, str]) -> list[Finding]:
    """What every check found, in the order in which a person would look. Where one fails, those that rest on it are
    left out.
    """
    try:
        address = parse_address(settings.database)
    except TodokeError as wrong:
        return [_failed("database", wrong)]
    found = [*_disks(settings, address), packs.look(settings.rules_dir)]
    if address.path is None:
        try:
            facts = await server.look(address, clock)
        except TodokeError as wrong:
            return [*found, _failed("database", wrong)]
        durable = servers.durability(facts)
        accepted = settings.accept_async_replication
        found += [servers.version(facts), durable, replication.judge(facts, len(address.hosts), accepted=accepted)]
        found.append(servers.clock(facts))
        if durable.level is Level.ERROR:
            return found  # nothing else opens it
    elif not address.path.exists():
        return [*found, error("database", f"There is no file {address.path}.", "Make it with todoke migrate.")]
    try:
        async with await open_store(settings.database) as store:
            if address.path is not None:
                found.append(ok("durability", "A write-ahead log, and every commit on the disk before it counts."))
            found.append(ok("schema", f"{migrations.HEAD}, as this version needs it."))
            return [*found, *await _in_store(store, settings, environ)]
    except TodokeError as wrong:
        return [*found, _failed("database", wrong)]


def _disks(settings: Settings, address: Address) -> list[Finding]:
    folder = settings.data_dir.absolute()
    found = disk.judge("journals", disk.look(folder), forgets=False)
    if address.path is not None:
        found += disk.judge("database", disk.look(address.path.absolute().parent), forgets=True)
    return found


async def _in_store(store: Store, settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    now = await store.hot.database_now()
    rows = [*await store.hot.engines("alive"), *await store.hot.engines("gone")]
    async with store.reading() as connection:
        counted = await health.books(connection)
        idle = await health.idle_codes(connection, now)
        declared = await catalogue.every(connection)
    here: Path = settings.journals
    return [
        await erasure.look(store, KeyFile(settings.data_dir)),
        *providers.judge(declared, environ),
        engines.living(rows, counted.open_runs, now),
        *engines.dead(rows, now, socket.gethostname()),
        *engines.lanes(idle, rows, now),
        *journals.judge(here, *journals.look(here), rows),
        *books.judge(counted),
    ]


def _failed(check: str, wrong: TodokeError) -> Finding:
    where = f"{wrong.where}: " if wrong.where else ""
    return error(check, where + wrong.sentence, wrong.fix or "")
