"""Costs, measured: the hot operations on a server of their own, and one whole engine beside the simulator.

Processor time is counted, not the clock: what else runs on the machine changes little.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, text, update
from tests.factories import NOW, Scene, phone_of, seed, seed_engine, seed_run

from bench.model.costs import Costs
from bench.model.server import Server, private_server
from bench.model.whole import Whole, measure_whole
from bench.model.wire import receipt_octets, submit_octets
from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.store import schema
from todoke.store.address import parse_address
from todoke.store.hot.base import (
    BlockKey,
    CursorAsk,
    DueRow,
    Flush,
    Flushed,
    Fresh,
    Lane,
    Lease,
    Receipt,
    Reserve,
    Scrub,
)
from todoke.store.hot.postgres import partitions
from todoke.store.postgres import Connection, connect
from todoke.store.store import Store, migrate, open_store

MESSAGES = int(os.environ.get("BENCH_SCALE_MESSAGES", "40000"))
BATCH = 1_000
BLOCK = 100  # positions
RANGES = 10
PARTS = 3
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
        await _fill(store, scene)
        engine = await seed_engine(store)
        (lane,) = await store.hot.take_lanes(engine, NOW, 0)
        work = _Work(store, scene, engine, lane)

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
                await _spread(probe, scene, more)
            work.forget()
            async with spending(name):
                await work.receipts(stem)
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


async def _fill(store: Store, scene: Scene) -> None:
    """The list gets its contacts, the DNC list numbers of others."""
    values = {"bucket": scene.bucket, "list": scene.list, "last": MESSAGES, "first": phone_of(0), "group": scene.group}
    async with store.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO contact (bucket, list_id, position, destination, zone_set, external_id, fields) "
                "SELECT :bucket, :list, i, CAST(:first AS bigint) + i, 0, 'E' || i, 'Name' || i "
                "FROM generate_series(1, :last) g (i)"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO dnc_entry (bucket, dnc_group_id, phone, source, created_at) "
                "SELECT :bucket, :group, CAST(:first AS bigint) - i, 'upload', 0 FROM generate_series(1, 20000) g (i)"
            ),
            values,
        )
        await connection.execute(update(schema.calling_list).values(contacts=MESSAGES + 1))
        await connection.execute(delete(schema.list_range))
        await connection.execute(
            text(
                "INSERT INTO list_range (list_id, number, zone_set, first_position, last_position) "
                "SELECT :list, i, 0, i * (:last / :ranges), (i + 1) * (:last / :ranges) - 1 "
                "FROM generate_series(0, :ranges - 1) g (i)"
            ),
            {"list": scene.list, "last": MESSAGES, "ranges": RANGES},
        )


async def _spread(probe: Connection, scene: Scene, more: int) -> None:
    """Each further partition has rows too, so that looking into it is a real look."""
    for number in range(1, more + 1):
        await probe.execute(
            "INSERT INTO event (bucket, message_id, segment, attempt, kind, at, segments, provider_id, "
            "provider_message_id, reason) SELECT $1::int, $2::bigint + i, 1, 0, 30, 0, 1, $3::bigint, "
            "'z' || $4::int || '/' || i, '' FROM generate_series(1, 5000) g (i)",
            scene.bucket,
            base(scene.bucket, number * partitions.RUNS),
            scene.provider,
            number,
        )


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


class _Work:
    """One engine that flushes a batch after the other."""

    def __init__(self, store: Store, scene: Scene, engine: int, lane: Lane) -> None:
        self._store = store
        self._scene = scene
        self._engine = engine
        self._lane = lane
        self.flushes = 0
        self._blocks: list[BlockKey] = []

    async def empty(self) -> None:
        for _ in range(MESSAGES // BATCH):
            await self._flush()

    async def lease(self, run: int) -> None:
        """As many blocks in a flush as so many lanes would take."""
        each = MESSAGES // RANGES
        for at in range(0, each, BLOCK):
            asks = [CursorAsk(run, number, number * each + at, BLOCK) for number in range(RANGES)]
            blocks = (await self._flush(leases=[self._lease(*asks)])).blocks
            assert len(blocks) == RANGES
            self._blocks += [block.key for block in blocks]

    async def contacts(self) -> None:
        s = self._scene
        for at in range(0, MESSAGES, BLOCK):
            await self._store.hot.read_contacts(s.bucket, s.list, at, at + BLOCK - 1, (s.group,))

    async def reserve(self) -> None:
        s, per = self._scene, BATCH // BLOCK
        for at in range(0, len(self._blocks), per):
            keys = self._blocks[at : at + per]
            phones = [phone_of(key.first_position + i) for key in keys for i in range(BLOCK)]
            await self._flush(
                reserves=[
                    Reserve(
                        s.bucket,
                        s.code,
                        self._lane.epoch,
                        NOW + at,
                        [(key, key.first_position + BLOCK - 1) for key in keys],
                        [],
                        [Scrub(s.bucket, (s.group,), phones)],
                    )
                ]
            )

    async def results(self, run: int, stem: str) -> None:
        s, names = self._scene, _names(stem)
        first = base(s.bucket, run)
        for at in range(0, MESSAGES, BATCH):
            messages = list(range(first + at, first + at + BATCH))
            await self._flush(fresh=[Fresh(s.bucket, run, s.provider, NOW, messages, names[at : at + BATCH])])

    async def close(self) -> None:
        per = BATCH // BLOCK
        for at in range(0, len(self._blocks), per):
            await self._flush(closed=self._blocks[at : at + per])

    async def receipts(self, stem: str) -> None:
        names = _names(stem)
        for at in range(0, MESSAGES, BATCH):
            await self._flush(
                receipts=[
                    Receipt(self._scene.provider, name, Kind.DELIVERED, NOW, "", "") for name in names[at : at + BATCH]
                ]
            )

    def forget(self) -> None:
        """As after the engine was started anew."""
        self._store.hot._correlation.clear()  # type: ignore[attr-defined]

    async def parts(self, run: int) -> None:
        """Results of messages of several segments, a quarter as many segments as messages elsewhere."""
        s, names = self._scene, _names("p")
        first = base(s.bucket, run) + (1 << 20)
        every = [(first + i // PARTS, i % PARTS + 1) for i in range(MESSAGES // 4)]
        for at in range(0, len(every), BATCH // 4):
            await self._flush(
                events=[
                    Event(message, part, 0, Kind.ACCEPTED, NOW, PARTS, s.provider, names[at + i], "")
                    for i, (message, part) in enumerate(every[at : at + BATCH // 4])
                ]
            )

    async def retries(self, run: int) -> None:
        """Into `due`, out of it, settled: a flush each."""
        s, size = self._scene, BATCH * 3 // 4
        first = base(s.bucket, run) + (1 << 22)
        done = 0
        while done < MESSAGES // 4:
            size = min(size, MESSAGES // 4 - done)
            await self._flush(due=[DueRow(s.bucket, first + done + i, 1, run, s.code, NOW) for i in range(size)])
            taken = (await self._flush(leases=[self._lease(due=size)])).due
            await self._flush(settled=[row.key for row in taken])
            done += len(taken)

    def _lease(self, *asks: CursorAsk, due: int = 0) -> Lease:
        return Lease(self._scene.bucket, self._scene.code, self._lane.epoch, list(asks), due)

    async def _flush(self, **content: object) -> Flushed:
        self.flushes += 1
        return await self._store.hot.flush(Flush(self._engine, self.flushes, NOW, **content))  # type: ignore[arg-type]


def _names(stem: str) -> list[str]:
    """Ids as carriers hand them out: in no order."""
    return [f"{stem}{name:010x}" for name in random.Random(stem).sample(range(1 << 40), MESSAGES)]
