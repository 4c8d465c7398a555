"""An engine's lease by its own clock, over a real database."""

import pytest
from tests.factories import NOW
from tests.pipeline.lanes.doubles import ManualClock

from todoke.model.clock import SECOND
from todoke.pipeline.lanes.holding import Holding
from todoke.store.hot.base import EngineLost, Rewound, StoreUnavailable
from todoke.store.store import Store


async def holding(store: Store, clock: ManualClock) -> tuple[Holding, int]:
    engine = await store.hot.register_engine("host", "boot", 1, "/tmp/journal", NOW, NOW + 10 * SECOND)
    return Holding(store.hot, engine, clock, 10.0, clock.monotonic()), engine


async def test_it_is_certain_for_as_long_as_it_was_granted_and_a_little_less(store: Store) -> None:
    clock = ManualClock(NOW)
    held, _ = await holding(store, clock)
    assert held.certain
    clock.pass_(9.4)
    assert held.certain
    clock.pass_(0.2)
    assert not held.certain


async def test_renewing_counts_from_before_the_request(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(NOW)
    held, engine = await holding(store, clock)
    real = store.hot.renew_engine

    async def slow(engine_id: int, lease_until: int) -> bool:
        clock.pass_(6)
        return await real(engine_id, lease_until)

    monkeypatch.setattr(store.hot, "renew_engine", slow)
    clock.pass_(3)
    await held.renew()
    clock.pass_(3.4)  # 9.4 s since it was asked
    assert held.certain
    clock.pass_(0.2)
    assert not held.certain
    (row,) = await store.hot.engines("alive")
    assert (row.id, row.lease_until) == (engine, NOW + 13 * SECOND)


async def test_an_engine_that_was_declared_dead_is_told(store: Store) -> None:
    held, engine = await holding(store, ManualClock(NOW))
    await store.hot.mark_engine(engine, "alive", "gone")
    with pytest.raises(EngineLost, match="taken for dead"):
        await held.renew()


async def test_a_renewal_that_fails_extends_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(NOW)
    held, _ = await holding(store, clock)

    async def away(engine_id: int, lease_until: int) -> bool:
        raise StoreUnavailable

    monkeypatch.setattr(store.hot, "renew_engine", away)
    clock.pass_(9)
    with pytest.raises(StoreUnavailable):
        await held.renew()
    clock.pass_(1)
    assert not held.certain


async def test_a_database_that_forgot_the_last_renewal_is_noticed(store: Store) -> None:
    clock = ManualClock(NOW)
    held, engine = await holding(store, clock)
    await held.renew()
    clock.pass_(3)
    await held.renew()
    await store.hot.renew_engine(engine, NOW + 10 * SECOND)  # as a standby has it that lagged by one
    with pytest.raises(Rewound, match="the lease of engine"):
        await held.renew()


async def test_a_renewal_of_which_nobody_heard_is_not_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it took place or not."""
    clock = ManualClock(NOW)
    held, _ = await holding(store, clock)
    await held.renew()
    real = store.hot.renew_engine

    async def unheard(engine_id: int, lease_until: int) -> bool:
        if clock.now() > NOW + 4 * SECOND:
            await real(engine_id, lease_until)
        raise StoreUnavailable

    for _ in range(2):
        clock.pass_(3)
        monkeypatch.setattr(store.hot, "renew_engine", unheard)
        with pytest.raises(StoreUnavailable):
            await held.renew()
        monkeypatch.setattr(store.hot, "renew_engine", real)
        await held.renew()
