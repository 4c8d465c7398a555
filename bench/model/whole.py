"""What the whole engine costs: a process of its own between the simulator and the database, with everything on."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from tests.factories import seed_code, seed_skill

from bench.blaster import simulator
from bench.end_to_end import BODY, arguments, scene, until
from bench.model.server import Server, cpu_of
from todoke.config import Settings
from todoke.service.processes import engine
from todoke.store.hot.base import NewRun
from todoke.store.store import Store, migrate, open_store

SLOW = ((100, 1), (20, 25))  # so many lanes of so many messages a second each
SECONDS = 10.0


@dataclass(frozen=True)
class Whole:
    message_us: float  # of the engine, for a message without a receipt
    receipt_us: float  # beside it
    lane_second_us: float  # of a slow lane, beside its messages
    slow_message_us: float  # of a message of a slow lane, beside what one of a fast lane costs
    db_us: float  # of the database, for a message with its receipt, everything together
    connections: int
    postgres: str


def measure_whole(server: Server, messages: int) -> Whole:
    """Four engines after each other: without receipts, with them, with very slow lanes and with less slow ones."""
    without, _, _ = asyncio.run(_cpu_of_run(server, messages, receipts=False))
    with_them, database, connections = asyncio.run(_cpu_of_run(server, messages, receipts=True))
    message_us, both_us = without * 1e6 / messages, with_them * 1e6 / messages
    beside = [
        asyncio.run(_cpu_of_lanes(server, lanes, rate)) * 1e6 / (lanes * SECONDS) - rate * message_us
        for lanes, rate in SLOW
    ]
    slow_us = max(0.0, (beside[1] - beside[0]) / (SLOW[1][1] - SLOW[0][1]))
    lane_us = max(0.0, beside[0] - slow_us * SLOW[0][1])
    version = asyncio.run(_version(server))
    return Whole(
        message_us, max(0.0, both_us - message_us), lane_us, slow_us, database * 1e6 / messages, connections, version
    )


async def _cpu_of_run(server: Server, messages: int, *, receipts: bool) -> tuple[float, float, int]:
    """Seconds of processor time of the engine and of the database for one run, and the engine's connections."""
    async with _store(server) as store:
        with tempfile.TemporaryDirectory() as folder, simulator(*arguments(Path(folder), receipts)) as ports:
            run = await scene(store, ports["smpp_port"], messages, receipts)
            child = await engine(Settings(database=store.url, data_dir=Path(folder), log_level="error"))
            try:
                before, database, started = cpu_of(child.pid), server.cpu(), time.monotonic()
                await store.hot.start_run(run)
                await until(store, messages, "delivered" if receipts else "sent", started)
                return cpu_of(child.pid) - before, server.cpu() - database, await _connections(store) - _OURS
            finally:
                await child.stop()


async def _cpu_of_lanes(server: Server, lanes: int, rate: int) -> float:
    """Seconds of processor time that an engine with such lanes takes for SECONDS."""
    async with _store(server) as store:
        with tempfile.TemporaryDirectory() as folder, simulator(*arguments(Path(folder), False)) as ports:
            run = await scene(store, ports["smpp_port"], 100 * rate, False)
            runs = [await _slow_lane(store, run, number, rate) for number in range(lanes)]
            child = await engine(Settings(database=store.url, data_dir=Path(folder), log_level="error"))
            try:
                for each in runs:
                    await store.hot.start_run(each)
                await until(store, lanes * rate, "sent", time.monotonic())  # about the first of each
                before = cpu_of(child.pid)
                await asyncio.sleep(SECONDS)
                return cpu_of(child.pid) - before
            finally:
                await child.stop()


async def _slow_lane(store: Store, run: NewRun, number: int, rate: int) -> NewRun:
    async with store.reading() as connection:
        provider = (await connection.exec_driver_sql("SELECT id FROM provider")).scalar_one()
    code = await seed_code(
        store, run.business_unit_id, provider, code=f"1555{number:07}", type="long", rate=rate / 0.97
    )
    skill = await seed_skill(store, run.business_unit_id, code, name=f"slow {number}", body=BODY)
    return run._replace(skill_id=skill, transport_code_id=code)


_OURS = 2  # the store of the bench: one that reads the tally, one that asks how many there are


async def _connections(store: Store) -> int:
    async with store.pool.acquire() as connection:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend'"
        )


@asynccontextmanager
async def _store(server: Server) -> AsyncIterator[Store]:
    """A fresh database on the server."""
    name = f"whole_{time.monotonic_ns()}"
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        url = urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))
        await migrate(url)
        async with await open_store(url) as store:
            yield store
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _version(server: Server) -> str:
    connection = await asyncpg.connect(server.url)
    try:
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()
