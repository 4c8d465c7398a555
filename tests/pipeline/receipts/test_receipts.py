"""Receipts over a real database: with the next flush, matched or kept, acknowledged when they are in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.factories import NOW, Scene, seed, seed_engine, seed_run

from todoke.model.clock import SECOND
from todoke.model.event import Kind, State
from todoke.model.ids import base
from todoke.pipeline.receipts import receipts as module
from todoke.pipeline.receipts.receipts import Receipts
from todoke.providers.base import Word
from todoke.store.hot.base import Flush, Flushed, Fresh, Receipt
from todoke.store.store import Store, open_store


class Ears:
    """The part of a provider that is told what is stored."""

    def __init__(self) -> None:
        self.acknowledged: list[object] = []

    def acknowledge(self, handles: Sequence[object]) -> None:
        self.acknowledged.extend(handles)


class Desk:
    def __init__(self, store: Store, scene: Scene, engine: int, run: int) -> None:
        self.store, self.scene, self.engine, self.run = store, scene, engine, run
        self.ears = Ears()
        self.woken: list[bool] = []
        self.receipts = Receipts({scene.provider: self.ears}, lambda urgent=False: self.woken.append(urgent))  # type: ignore[dict-item]
        self.seq = 0
        self.now = NOW

    def report(self, *ids: str, delivered: bool = True) -> None:
        self.receipts.words(
            self.scene.provider, [Word(i, delivered, "" if delivered else "receipt:UNDELIV", NOW, "", i) for i in ids]
        )

    async def flush(self, *accepted: int) -> Flushed:
        self.seq += 1
        flush = Flush(self.engine, self.seq, self.now)
        if accepted:
            ids = [base(self.scene.bucket, self.run) + position for position in accepted]
            names = [str(position) for position in accepted]
            flush.fresh.append(Fresh(self.scene.bucket, self.run, self.scene.provider, NOW, ids, names))
        self.receipts.prepare(flush)
        flushed = await self.store.hot.flush(flush)
        self.receipts.committed(flush, flushed)
        return flushed

    async def states(self) -> list[State]:
        found = await self.store.hot.message_states(self.scene.bucket, self.run, 0, 100_000)
        return [folded.state for _, folded in found]


@pytest.fixture
async def desk(store: Store) -> Desk:
    scene = await seed(store)
    return Desk(store, scene, await seed_engine(store), await seed_run(store, scene))


async def test_a_receipt_changes_its_message_and_is_acknowledged(desk: Desk) -> None:
    await desk.flush(0, 1)
    desk.report("0")
    desk.report("1", delivered=False)
    assert len(desk.woken) == 2
    assert desk.ears.acknowledged == []
    await desk.flush()
    assert desk.ears.acknowledged == ["0", "1"]
    assert await desk.states() == [State.DELIVERED, State.FAILED]


async def test_a_receipt_with_the_result_in_one_flush(desk: Desk) -> None:
    desk.report("0")
    await desk.flush(0)
    assert await desk.states() == [State.DELIVERED]


async def test_a_receipt_that_comes_first_is_kept_and_acknowledged(desk: Desk) -> None:
    desk.report("0")
    assert (await desk.flush()).orphans == 1
    assert desk.ears.acknowledged == ["0"]
    await desk.flush(0)
    assert await desk.states() == [State.DELIVERED]


async def test_a_receipt_that_is_repeated_is_acknowledged_again_and_changes_nothing(desk: Desk) -> None:
    await desk.flush(0)
    for _ in range(3):
        desk.report("0")
        await desk.flush()
    assert desk.ears.acknowledged == ["0"] * 3
    assert await desk.states() == [State.DELIVERED]


async def test_what_does_not_fit_into_one_flush_goes_with_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    await desk.flush(*range(7))
    desk.report(*(str(n) for n in range(7)))
    desk.woken.clear()
    await desk.flush()
    assert desk.ears.acknowledged == ["0", "1", "2"]
    assert desk.woken  # it asks for another flush by itself
    await desk.flush()
    desk.woken.clear()
    await desk.flush()
    assert desk.ears.acknowledged == [str(n) for n in range(7)]
    assert not desk.woken
    assert await desk.states() == [State.DELIVERED] * 7


async def test_what_comes_while_a_flush_is_under_way_is_not_acknowledged_with_it(desk: Desk) -> None:
    await desk.flush(0, 1)
    desk.report("0")
    flush = Flush(desk.engine, 3, NOW)
    desk.receipts.prepare(flush)
    desk.report("1")
    desk.receipts.committed(flush, Flushed())
    assert desk.ears.acknowledged == ["0"]


async def test_a_receipt_over_the_link_of_another_engine_is_found_though_nothing_else_happens(
    store: Store, desk: Desk
) -> None:
    """One engine keeps the receipt while the other stores the answer to its submission: neither sees the other."""
    async with await open_store(store.url) as other:
        second = Desk(other, desk.scene, await seed_engine(other), desk.run)
        await second.flush()  # it has read what waits: nothing
        desk.report("0")
        assert (await desk.flush()).orphans == 1
        await second.flush(0)
        second.now += 6 * SECOND
        await second.flush()
        assert await desk.states() == [State.DELIVERED]


def test_a_receipt_carries_every_field_of_the_word() -> None:
    receipts = Receipts({}, lambda _: None)
    word = Word("A", False, "receipt:UNDELIV", NOW, "raw", "handle", phone="81", code="72345", reference=7)
    receipts.words(3, [word])
    flush = Flush(1, 1, NOW)
    receipts.prepare(flush)
    assert flush.receipts == [Receipt(3, "A", Kind.UNDELIVERED, NOW, "receipt:UNDELIV", "raw", "81", "72345", 7)]
