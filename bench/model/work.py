"""The hot operations in the sizes of a busy engine: what is measured, one kind of work after the other."""

from __future__ import annotations

import os
import random

from sqlalchemy import delete, text, update
from tests.factories import NOW, Scene, phone_of

from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.store import schema
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
from todoke.store.postgres import Connection
from todoke.store.store import Store

MESSAGES = int(os.environ.get("BENCH_SCALE_MESSAGES", "40000"))
BATCH = 1_000
BLOCK = 100  # positions
RANGES = 10
PARTS = 3


async def fill(store: Store, scene: Scene) -> None:
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


async def spread(probe: Connection, scene: Scene, more: int) -> None:
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


class Work:
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

    def through(self, store: Store) -> None:
        """Go on through another store, which remembers nothing: as after the engine was started anew."""
        self._store = store

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
