"""Everything one machine needs, as one command: the database brought up to date, a simulator where one is declared, an
engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from todoke.config import Settings
from todoke.model.provider_kind import resolve
from todoke.providers.kinds import KINDS
from todoke.service.processes import Child, NotReady, engine, simulator
from todoke.store.catalogue import providers
from todoke.store.store import migrate, open_store

_log = logging.getLogger(__name__)

_LOCAL = ("127.0.0.1", "localhost", "::1")
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_CALM = 60.0  # an engine that ran so long starts again at once


async def run_up(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. An engine that dies is started again."""
    await migrate(settings.database)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    children: list[Child] = []
    try:
        children += await _simulators(settings)
        await _keep_engine(settings, stopping)
    finally:
        for child in reversed(children):
            await child.stop()


async def _simulators(settings: Settings) -> list[Child]:
    """One for each provider of kind simulator on this machine whose port nobody listens on."""
    async with await open_store(settings.database) as store, store.reading() as connection:
        rows = [row for row in await providers.every(connection) if row.kind == "simulator"]
    started: list[Child] = []
    for row in rows:
        declared = resolve(row.name, row.settings, KINDS[row.kind], {})
        if declared.host not in _LOCAL or await _listens(declared.host, declared.port):
            continue
        account = f"{declared.system_id}:{declared.password}"
        ledger = settings.data_dir.absolute() / f"simulator-{row.name}.ledger"
        ledger.parent.mkdir(parents=True, exist_ok=True)
        child = await simulator("--account", account, "--ledger", str(ledger), port=declared.port)
        _log.info(
            "simulator %s on port %d, control on http://127.0.0.1:%d",
            row.name,
            child.told["smpp_port"],
            child.told["control_port"],
            extra={"action": "simulator_up"},
        )
        started.append(child)
    return started


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _keep_engine(settings: Settings, stopping: asyncio.Event) -> None:
    """Run an engine, and another one whenever it ends. One that says at the very first start why it cannot is
    believed.
    """
    wait, ran = _FIRST_WAIT, False
    stop = asyncio.ensure_future(stopping.wait())
    loop = asyncio.get_running_loop()
    while not stopping.is_set():
        started = loop.time()
        try:
            child = await engine(settings)
        except NotReady as error:
            if not ran and error.status >= 0:
                raise
            status = error.status
        else:
            ran = True
            ended = asyncio.ensure_future(child.process.wait())
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                await child.stop()
                return
            status = ended.result()
        wait = _FIRST_WAIT if loop.time() - started > _CALM else min(wait * 2, _LONGEST_WAIT)
        _log.error(
            "the engine ended with status %d; it starts again in %.1f s",
            status,
            wait,
            extra={"action": "engine_died"},
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(stop), wait)
