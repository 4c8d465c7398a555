"""A scene with an engine and a run, and the checks that hold whatever happened in it."""

from __future__ import annotations

from sqlalchemy import func, select
from tests.factories import NOW, Scene, seed, seed_engine, seed_run

from todoke.model.clock import SECOND
from todoke.model.event import Event, Kind, State, in_doubt
from todoke.model.ids import MAX_ORDINAL, address, message_id
from todoke.store import schema
from todoke.store.hot.base import CursorAsk, DueRow, Flush, Flushed, Fresh, Lane, Lease, Receipt
from todoke.store.store import Store


class World:
    """One engine with its lane, one run that it may send."""

    def __init__(self, store: Store, scene: Scene, run: int, engine: int, lane: Lane) -> None:
        self.store = store
        self.hot = store.hot
        self.scene = scene
        self.run = run
        self.engine = engine
        self.lane = lane
        self.seq = 0
        self.now = NOW

    def flush_of(self, **content: object) -> Flush:
        self.seq += 1
        self.now += SECOND
        return Flush(self.engine, self.seq, self.now, **content)  # type: ignore[arg-type]

    async def flush(self, **content: object) -> Flushed:
        return await self.hot.flush(self.flush_of(**content))

    def lease(self, expected: int, limit: int = 5, *, due: int = 0, number: int = 0) -> Lease:
        asks = [CursorAsk(self.run, number, expected, limit)] if limit else []
        return Lease(self.scene.bucket, self.scene.code, self.lane.epoch, asks, due)

    def message(self, ordinal: int) -> int:
        return message_id(self.scene.bucket, self.run, ordinal)

    def fresh(self, *ordinals: int, at: int = NOW, stem: str = "p") -> Fresh:
        """Acceptances of these contacts' messages; the provider called them p0, p1, ..."""
        ids = [self.message(n) for n in ordinals]
        names = [f"{stem}{n}" for n in ordinals]
        return Fresh(self.scene.bucket, self.run, self.scene.provider, at, ids, names)

    def event(
        self,
        ordinal: int,
        kind: Kind,
        *,
        segment: int = 1,
        attempt: int = 0,
        at: int = NOW,
        segments: int = 1,
        id: str | None = None,
        reason: str = "",
    ) -> Event:
        provider = self.scene.provider if id is not None else None
        return Event(self.message(ordinal), segment, attempt, kind, at, segments, provider, id, reason)

    def receipt(
        self,
        id: str,
        kind: Kind = Kind.DELIVERED,
        *,
        at: int = NOW,
        reason: str = "",
        phone: str = "",
        code: str = "",
        reference: int | None = None,
    ) -> Receipt:
        return Receipt(self.scene.provider, id, kind, at, reason, f"id:{id}", phone, code, reference)

    def due(self, ordinal: int, *, attempt: int = 1, not_before: int = NOW) -> DueRow:
        scene = self.scene
        return DueRow(scene.bucket, self.message(ordinal), attempt, self.run, scene.code, not_before, "2,3", 77)

    async def doubts(self) -> set[tuple[int, int, int]]:
        """(ordinal, segment, attempt) of the rows of what is in doubt."""
        d = schema.doubt.c
        query = select(d.message_id, d.segment, d.attempt).where(d.run_id == self.run)
        async with self.store.reading() as connection:
            return {(address(row[0]).ordinal, row[1], row[2]) for row in await connection.execute(query)}

    async def assert_doubts_match(self) -> None:
        """The rows of what is in doubt are what the events say."""
        first = self.message(0)
        told: dict[int, list[Event]] = {}
        for event in await self.hot.events_between(first, first + MAX_ORDINAL):
            told.setdefault(event.message_id, []).append(event)
        wanted = {(address(m).ordinal, *key) for m, events in told.items() for key in in_doubt(events)}
        assert await self.doubts() == wanted

    async def tallies(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(messages, segments) by (outcome, reason); zeros left out."""
        t = schema.tally.c
        query = (
            select(t.outcome, t.reason, func.sum(t.messages), func.sum(t.segments))
            .where(t.bucket == self.scene.bucket, t.run_id == self.run)
            .group_by(t.outcome, t.reason)
        )
        async with self.store.reading() as connection:
            rows = (await connection.execute(query)).all()
        return {(outcome, reason): (int(n), int(s)) for outcome, reason, n, s in rows if (n, s) != (0, 0)}

    async def check(self) -> None:
        """The live counts equal a fresh fold over all events; what cursors were cut off is counted beside them."""
        await assert_tallies_match(self.store, self.scene.bucket, self.run)
        await self.assert_doubts_match()


async def assert_tallies_match(store: Store, bucket: int, run: int) -> None:
    """Every row of the tally is what the events say; cut off cursors account for what is stopped or expired beyond."""
    t = schema.tally.c
    query = select(t.outcome, t.reason, t.hour, t.messages, t.segments).where(t.bucket == bucket, t.run_id == run)
    async with store.reading() as connection:
        live = {
            (row.outcome, row.reason, row.hour): (int(row.messages), int(row.segments))
            for row in await connection.execute(query)
            if (row.messages, row.segments) != (0, 0)
        }
        b, r = schema.block.c, schema.skill_run.c
        taken = await connection.scalar(
            select(func.coalesce(func.sum(b.last_position - b.first_position + 1), 0)).where(
                b.bucket == bucket, b.run_id == run
            )
        )
        contacts = await connection.scalar(select(r.contacts).where(r.bucket == bucket, r.id == run))
        c = schema.run_cursor.c
        waiting = await connection.scalar(
            select(func.coalesce(func.sum(c.last_position - c.next_position + 1), 0)).where(
                c.bucket == bucket, c.run_id == run
            )
        )
    folded: dict[tuple[str, str, int], tuple[int, int]] = {}
    first = 0
    while page := await store.hot.message_states(bucket, run, first, 100):
        for message, state in page:
            first = address(message).ordinal + 1
            if state.state is State.WAITING:
                continue
            key = (state.state.value, state.reason, state.at // (3600 * SECOND))
            before = folded.get(key, (0, 0))
            folded[key] = (before[0] + 1, before[1] + state.segments)
    beyond = {
        key: (counts[0] - folded.get(key, (0, 0))[0], counts[1] - folded.get(key, (0, 0))[1])
        for key, counts in live.items()
        if counts != folded.get(key)
    }
    assert {key: live.get(key) for key in folded if key[0] not in ("stopped", "expired")} == {
        key: counts for key, counts in folded.items() if key[0] not in ("stopped", "expired")
    }
    assert {key[0] for key in beyond} <= {"stopped", "expired"}, (live, folded)
    assert all(segments == 0 for _, segments in beyond.values())
    cut = sum(messages for messages, _ in beyond.values())
    assert contacts == int(taken or 0) + int(waiting or 0) + cut


async def make_world(store: Store, *, n: int = 20) -> World:
    scene = await seed(store, n=n)
    run = await seed_run(store, scene)
    engine = await seed_engine(store, now=NOW)
    (lane,) = await store.hot.take_lanes(engine, NOW, 0)
    return World(store, scene, run, engine, lane)
