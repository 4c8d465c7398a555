"""Costs, measured: the hot operations on a server of their own, and one whole engine beside the simulator.

Processor time is counted, not the clock: what else runs on the machine changes little.
"""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.factories import NOW, seed, seed_engine, seed_run

from bench.model.costs import Costs
from bench.model.server import Server, private_server
from bench.model.whole import Whole, measure_whole
from bench.model.wire import receipt_octets, submit_octets
from bench.model.work import BLOCK, MESSAGES, Work, fill, spread
from todoke.store.address import parse_address
from todoke.store.hot.postgres import partitions
from todoke.store.postgres import Connection, connect
from todoke.store.store import migrate, open_store

PARTITIONS = 16
_TCP_INFO_OCTETS = struct.Struct("=120xQQ")  # linux/tcp.h: tcpi_bytes_acked, tcpi_bytes_received


@dataclass
class Spent:
    """By one kind of work: seconds of the server's processors, octets of its log and of our connections."""

    cpu: float
    wal: float
    net: float
    flushes: int = 0

    def less(self, each: Spent) -> Spent:
        """Without what its flushes cost by themselves; `each` has one."""
        n = self.flushes
        return Spent(max(0.0, self.cpu - n * each.cpu), max(0.0, self.wal - n * each.wal), self.net - n * each.net)

    def by(self, n: int) -> Spent:
        return Spent(self.cpu / n, self.wal / n, self.net / n)

    @property
    def us(self) -> float:
        return self.cpu * 1e6


def measure() -> Costs:
    """All of them; NoServer where there is no PostgreSQL to start."""
    with private_server() as server:
        hot = asyncio.run(_measure_hot(server))
        whole = measure_whole(server, MESSAGES)
    return _costs(hot, whole)


def _costs(hot: dict[str, Spent], whole: Whole) -> Costs:
    n = MESSAGES
    flush = hot["flush"].by(hot["flush"].flushes)
    units = {"lease": n // BLOCK, "close": n // BLOCK, "part": n // 4, "retry": n // 4}
    spent = {name: work.less(flush).by(units.get(name, n)) for name, work in hot.items()}
    frozen = hot["vacuum"].by(int(hot["rows"].wal))
    nets = ("contacts", "reserve", "result", "receipt")
    return Costs(
        engine_message_us=whole.message_us,
        engine_receipt_us=whole.receipt_us,
        engine_lane_second_us=whole.lane_second_us,
        engine_slow_message_us=whole.slow_message_us,
        db_flush_us=flush.us,
        db_lease_us=spent["lease"].us + spent["close"].us,
        db_contact_us=spent["contacts"].us,
        db_reserve_us=spent["reserve"].us,
        db_result_us=spent["result"].us,
        db_part_us=spent["part"].us,
        db_receipt_us=spent["receipt"].us,
        db_receipt_late_us=spent["late"].us,
        db_receipt_partition_us=max(0.0, spent["late_many"].us - spent["late"].us) / (PARTITIONS - 1),
        db_retry_us=spent["retry"].us,
        db_vacuum_us=frozen.us,
        db_whole_us=whole.db_us,
        wal_flush=flush.wal,
        wal_lease=spent["lease"].wal + spent["close"].wal,
        wal_reserve=spent["reserve"].wal,
        wal_result=spent["result"].wal,
        wal_part=spent["part"].wal,
        wal_receipt=spent["receipt"].wal,
        wal_retry=spent["retry"].wal,
        wal_vacuum=frozen.wal,
        event_result=hot["size_result"].wal,
        event_receipt=hot["size_receipt"].wal,
        contact=hot["size_contact"].wal,
        net_db_message=sum(spent[name].net for name in nets),
        net_carrier_message=submit_octets(),
        net_carrier_receipt=receipt_octets(),
        engine_connections=whole.connections,
        machine=f"{os.cpu_count()} CPUs, {platform.machine()}, CPython {platform.python_version()}, "
        f"PostgreSQL {whole.postgres}",
    )


# ------------------------------------------------------------------ the hot operations


async def _measure_hot(server: Server) -> dict[str, Spent]:
    await migrate(server.url)
    found: dict[str, Spent] = {}
    async with await open_store(server.url) as store:
        probe = await connect(parse_address(server.url))
        scene = await seed(store, n=1)
        await fill(store, scene)
        engine = await seed_engine(store)
        (lane,) = await store.hot.take_lanes(engine, NOW, 0)
        work = Work(store, scene, engine, lane)

        @asynccontextmanager
        async def spending(name: str) -> AsyncIterator[None]:
            before = (server.cpu(), await _wal(probe), _octets(server.port), work.flushes)
            yield
            after = (server.cpu(), await _wal(probe), _octets(server.port), work.flushes)
            found[name] = Spent(*(b - a for a, b in zip(before, after, strict=True)))  # type: ignore[arg-type]

        await probe.execute("CHECKPOINT")
        first = await seed_run(store, scene)
        await work.empty()  # plans are made, the catalogue is read
        async with spending("flush"):
            await work.empty()
        async with spending("lease"):
            await work.lease(first)
        async with spending("contacts"):
            await work.contacts()
        async with spending("reserve"):
            await work.reserve()
        size = await _size(probe)
        async with spending("result"):
            await work.results(first, "a")
        grown = await _size(probe)
        found["size_result"] = Spent(0, (grown - size) / MESSAGES, 0)
        async with spending("close"):
            await work.close()
        await seed_engine(store, host="another")  # from now on this one is not alone
        async with spending("receipt"):
            await work.receipts("a")
        found["size_receipt"] = Spent(0, (await _size(probe) - grown) / MESSAGES, 0)
        for name, stem, more in (("late", "b", 0), ("late_many", "c", PARTITIONS - 1)):
            run = await seed_run(store, scene)
            await work.results(run, stem)
            for number in range(1, more + 1):
                async with probe.transaction():
                    await partitions.ensure(probe, scene.bucket, number * partitions.RUNS)
            if more:
                await spread(probe, scene, more)
            async with await open_store(server.url) as forgetful:
                work.through(forgetful)
                await work.empty()  # connected, with its plans made
                async with spending(name):
                    await work.receipts(stem)
                work.through(store)
        run = await seed_run(store, scene)
        async with spending("part"):
            await work.parts(run)
        async with spending("retry"):
            await work.retries(run)
        found["rows"] = Spent(0, await probe.fetchval(f"SELECT count(*) FROM event_b{scene.bucket}_r0"), 0)
        async with spending("vacuum"):
            await probe.execute(f"VACUUM (FREEZE, ANALYZE) event_b{scene.bucket}_r0")
        contacts = int(await probe.fetchval("SELECT pg_total_relation_size('contact')"))
        found["size_contact"] = Spent(0, contacts / (MESSAGES + 1), 0)
        await probe.close()
    return found


async def _wal(probe: Connection) -> float:
    return float(await probe.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))


async def _size(probe: Connection) -> int:
    return int(
        await probe.fetchval(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'event'::regclass"
        )
    )


def _octets(port: int) -> float:
    """Of this process's connections to the server so far, both ways."""
    total = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if not entry.readlink().name.startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as copy:
                if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getpeername()[1] == port:
                    total += sum(_TCP_INFO_OCTETS.unpack(copy.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 136)))
        except OSError:
            continue
    return float(total)
