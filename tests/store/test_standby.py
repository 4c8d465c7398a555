"""A commit whose wait for the standby was cancelled counts as unknown, on a real primary with a real standby."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.factories import NOW
from tests.faults.cluster import Cluster, cluster
from tests.store.world import World, make_world
from tests.world import eventually

from todoke.model.clock import SystemClock
from todoke.model.event import Kind
from todoke.model.run import RunEvent, RunState
from todoke.store import server
from todoke.store.catalogue import installations
from todoke.store.hot.base import Flush, Flushed, StoreUnavailable
from todoke.store.postgres import SESSION
from todoke.store.schema import installation
from todoke.store.server import Standby
from todoke.store.store import Store, migrate, open_store

pytestmark = [pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[Cluster]:
    async with cluster(synchronous=True) as made:
        await migrate(made.url)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(servers: Cluster) -> AsyncIterator[World]:
    async with await open_store(servers.url) as store:
        yield await make_world(store)


async def cancel_the_wait(servers: Cluster) -> None:
    """Tell the one session that waits for the standby to wait no longer."""

    async def waits() -> bool:
        return len(await servers.primary.waiting()) == 1

    await eventually(waits, "a commit waits for the standby")
    (pid,) = await servers.primary.waiting()
    assert await servers.primary.value("SELECT pg_cancel_backend($1)", pid)


async def flush_seq(servers: Cluster, store: Store) -> int:
    """As the primary has it, confirmed or not."""
    (engine,) = await store.hot.engines("alive")
    return engine.flush_seq


async def test_the_server_that_writes_is_found(servers: Cluster, world: World) -> None:
    """Wherever it stands in the address, by the catalogue's sessions and by the hot ones."""
    primary, standby = (f"127.0.0.1:{server.port}" for server in (servers.primary, servers.standby))
    for hosts in (f"{standby},{primary}", f"127.0.0.1:1,{primary},{standby}"):
        async with await open_store(f"postgresql://postgres@{hosts}/todoke?target_session_attrs=primary") as store:
            assert [engine.id for engine in await store.hot.engines("alive")] == [world.engine]
            async with store.writing() as connection:
                await connection.execute(installation.update().values(created_at=NOW))
            async with store.pool.acquire() as raw:
                assert await raw.fetchval("SELECT pg_is_in_recovery()") is False
    with pytest.raises(StoreUnavailable, match=f"todoke on {standby}: This PostgreSQL is a standby: it only reads"):
        await open_store(f"postgresql://postgres@{standby}/todoke")
    with pytest.raises(StoreUnavailable, match="No PostgreSQL server takes our writes") as caught:
        await open_store(f"postgresql://postgres@127.0.0.1:1,{standby}/todoke")
    assert "127.0.0.1:1: PostgreSQL does not answer" in str(caught.value)
    assert f"{standby}: This PostgreSQL is a standby" in str(caught.value)


async def test_the_doctor_sees_who_follows(servers: Cluster, world: World) -> None:
    facts = await server.look(world.store.address, SystemClock())
    assert facts.standbys == [Standby("standby", "sync")]
    assert facts.setting("synchronous_standby_names") == "standby"


async def test_a_flush_is_not_confirmed_before_its_standby_has_it(servers: Cluster, world: World) -> None:
    """Not by a cancelled wait, nor by an answer of the primary that it has this flush already."""
    await servers.cut()
    flush = Flush(world.engine, 1, NOW, events=[world.event(0, Kind.SKIPPED, segment=0, reason="dnc")])
    for _ in range(2):
        flushing = asyncio.create_task(world.hot.flush(flush))
        await cancel_the_wait(servers)
        with pytest.raises(StoreUnavailable, match="the wait for its standby was cancelled"):
            await flushing
        assert await flush_seq(servers, world.store) == 1  # it stands on the primary all the same
    flushing = asyncio.create_task(world.hot.flush(flush))
    await eventually(servers.primary.waiting_there, "the flush waits once more")
    servers.link.mend()
    assert isinstance(await flushing, Flushed)
    await servers.follows("sync")
    await world.flush()


async def test_what_a_person_asked_for_is_not_confirmed_either(servers: Cluster, world: World) -> None:
    store = world.store
    await servers.cut()

    async def pause() -> RunState:
        return await store.hot.control_run(world.scene.bucket, world.run, RunEvent.PAUSE, "", NOW)

    async def declare() -> None:
        async with store.writing() as connection:
            await connection.execute(installation.update().values(created_at=NOW))

    for ask in (pause, declare):
        asking = asyncio.create_task(ask())
        await cancel_the_wait(servers)
        with pytest.raises(StoreUnavailable, match="the wait for its standby was cancelled"):
            await asking
    servers.link.mend()
    await servers.follows("sync")
    async with store.writing() as connection:  # the same session, and this commit is waited for
        assert await installations.incarnation(connection)
        await connection.execute(installation.update().values(created_at=NOW + 1))


async def test_sessions_that_were_given_up_do_not_pile_up(
    servers: Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standby is away for long: the flush is offered again and again, each time over a new session."""
    monkeypatch.setattr("todoke.store.hot.postgres.session.FLUSH_DEADLINE", 0.2)
    monkeypatch.setitem(SESSION, "client_connection_check_interval", "100")
    await servers.cut()
    flush = world.flush_of(events=[world.event(1, Kind.SKIPPED, segment=0, reason="dnc")])
    for _ in range(8):
        with pytest.raises(StoreUnavailable):
            await world.hot.flush(flush)

    async def few() -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event IN ('SyncRep', 'transactionid', 'tuple')"
        return await servers.primary.value(waiting) <= 1

    await eventually(few, "only the first one is left, which waits for the standby")
    assert len(await servers.primary.waiting()) == 1
    servers.link.mend()
    await servers.follows("sync")
    assert isinstance(await world.hot.flush(flush), Flushed)
