"""From the commit of an opt-out to the last segment to that number, at full speed.

A list names the same few hundred numbers over and over, so that each has hundreds of messages waiting, composed and
reserved when its STOP comes. The messages go through one account at full speed; the STOPs come in through another, from
a simulator with phones. When an opt-out is committed is seen by another connection to the database that looks every
millisecond: the moment before the last look that did not find it counts. When the last segment came is in the ledger.
Both err on the long side.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import asyncpg
from sqlalchemy import text

from bench.databases import databases
from bench.ground import FIRST_NUMBER, Code, account, counted, lay, ledger, reach, smsc
from todoke.config import Settings
from todoke.providers.simulator.ledger import read
from todoke.service.processes import engine
from todoke.store.store import Store, migrate, open_store

STOPS = int(os.environ.get("BENCH_STOPS", "300"))
NUMBERS = STOPS + 100
A_SECOND = 75
BAR = 50.0
_FULL_SPEED = 1_000_000.0
_EVERY = 0.001


class Measured(NamedTuple):
    """Milliseconds; and how many of the numbers got something after their opt-out."""

    middle: float
    p99: float
    longest: float
    stops: int
    after: int
    speed: float  # messages a second meanwhile


def cases() -> Iterator[dict[str, object]]:
    """On every store there is."""
    for name, url in databases():
        with url() as address, tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measure(address, Path(folder)))
        where = f"STOP to silence at {found.speed:,.0f} messages/s, {name}"
        for what, value in (("p50", found.middle), ("p99", found.p99), ("longest", found.longest)):
            yield {
                "name": f"{where}: {what} of {found.stops}",
                "value": round(value, 1),
                "unit": "ms",
                "reference": BAR,
                "ratio": round(value / BAR, 3),
            }


class Watch(threading.Thread):
    """Looks at the do-not-call list all the time. `seen`: by number, the moment before the last look without it."""

    def __init__(self, url: str, group: int) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._group = group
        self._stopped = threading.Event()
        self.seen: dict[int, int] = {}

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        if self._url.startswith("sqlite"):
            db = sqlite3.connect(urlsplit(self._url).path[1:], isolation_level=None)
            query = "select phone from dnc_entry where bucket = 0 and dnc_group_id = ? and phone between ? and ?"
            try:
                self._look(lambda: [row[0] for row in db.execute(query, self._wanted())])
            finally:
                db.close()
            return
        with asyncio.Runner() as runner:
            connection: asyncpg.Connection = runner.run(asyncpg.connect(self._url))
            query = "select phone from dnc_entry where bucket = 0 and dnc_group_id = $1 and phone between $2 and $3"
            self._look(lambda: [row[0] for row in runner.run(connection.fetch(query, *self._wanted()))])
            runner.run(connection.close())

    def _wanted(self) -> tuple[int, int, int]:
        return self._group, FIRST_NUMBER, FIRST_NUMBER + NUMBERS

    def _look(self, listed: Callable[[], list[int]]) -> None:
        before = time.monotonic_ns() // 1000
        while not self._stopped.is_set():
            now = time.monotonic_ns() // 1000
            for number in listed():
                self.seen.setdefault(number, before)
            before = now
            self._stopped.wait(_EVERY)


async def measure(url: str, folder: Path, stops: int = STOPS) -> Measured:
    await migrate(url)
    phones = folder / "phones"
    phones.mkdir()
    codes = [Code(_FULL_SPEED, 0), Code(5.0, 1)]
    count = int(stops / A_SECOND * 80_000) + 100_000
    with (
        smsc(folder, "--no-receipts") as fast,
        smsc(phones, "--code", f"72001:{account(1)}", accounts=2, fast=False) as slow,
    ):
        async with await open_store(url) as store:
            ground = await lay(store, fast["smpp_port"], codes, count)
            await _again_and_again(store, slow["smpp_port"])
            child = await engine(Settings(database=url, data_dir=folder))
            watch = Watch(url, ground.group)
            watch.start()
            try:
                await store.hot.start_run(ground.run())
                await reach(store, 1, "sent", 30)
                await asyncio.sleep(0.5)
                begun, first = time.monotonic(), await counted(store)
                await _stop(slow["control_port"], stops)
                speed = (await counted(store) - first) / (time.monotonic() - begun)
                await _committed(watch, stops)
                await asyncio.sleep(0.5)
            finally:
                await child.stop()
                watch.stop()
    last: dict[str, int] = {}
    for entry in read(ledger(folder)):
        last[entry.destination] = entry.monotonic
    silence = sorted(max(0.0, (last[str(number)] - at) / 1000) for number, at in watch.seen.items())
    after = sum(value > 0 for value in silence)
    return Measured(
        silence[len(silence) // 2], silence[len(silence) * 99 // 100], silence[-1], len(silence), after, speed
    )


async def _again_and_again(store: Store, port: int) -> None:
    """The list's numbers come round after NUMBERS contacts; the second account is at the simulator with phones."""
    async with store.writing() as connection:
        await connection.execute(
            text(f"update contact set destination = {FIRST_NUMBER} + position % {NUMBERS}"),
        )
        settings = await connection.scalar(text("select settings from provider where name = 'carrier0'"))
        port_of = "json_set(settings, '$.port', :port)"
        if store.dialect == "postgresql":
            port_of = "jsonb_set(settings::jsonb, '{port}', to_jsonb(cast(:port as integer)))::json"
        assert settings is not None
        await connection.execute(
            text(f"update provider set settings = {port_of} where name = 'carrier1'"), {"port": port}
        )


async def _stop(port: int, stops: int) -> None:
    """Phones say STOP, one after the other."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        begun = time.monotonic()
        for number in range(stops):
            path = f"/phones/{FIRST_NUMBER + number}/reply"
            async with session.post(path, json={"to": "72001", "text": "STOP"}) as response:
                response.raise_for_status()
            await asyncio.sleep(max(0.0, begun + (number + 1) / A_SECOND - time.monotonic()))


async def _committed(watch: Watch, stops: int) -> None:
    deadline = time.monotonic() + 20
    while len(watch.seen) < stops:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(watch.seen)} of {stops} opt-outs are stored")
        await asyncio.sleep(0.05)
