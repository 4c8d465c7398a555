"""The links of the accounts that this engine has, over a real socket."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from tests.factories import seed_provider
from tests.world import eventually

from todoke.model.clock import SystemClock
from todoke.providers.base import Failure
from todoke.providers.simulator import Simulator
from todoke.service.fleet import Fleet
from todoke.store import schema
from todoke.store.store import Store


class Deaf:
    """Hears everything and does nothing."""

    def accepted(self, tokens: object, provider_message_ids: object) -> None: ...
    def failed(self, failures: object) -> None: ...
    def resolved(self, token: object, provider_message_id: str, failure: Failure | None) -> None: ...
    def words(self, words: object) -> None: ...
    def heard(self, heard: object) -> None: ...
    def writable(self) -> None: ...


class Port:
    """Two accounts at one simulator."""

    def __init__(self, store: Store, fleet: Fleet, ids: list[int], simulator: Simulator) -> None:
        self.store = store
        self.fleet = fleet
        self.ids = ids
        self._simulator = simulator

    async def connections(self) -> int:
        assert self._simulator.smsc is not None
        return len(self._simulator.smsc.peers)

    async def open(self, count: int) -> None:
        async def so_many() -> bool:
            up = sum(provider.up for provider in self.fleet.running.values())
            return up == count == await self.connections()

        await eventually(so_many, f"{count} links are up")


@pytest.fixture
async def port(store: Store, simulator: Simulator) -> Port:
    settings = {"host": "127.0.0.1", "port": simulator.ports.smpp_port, "system_id": "todoke", "password": "secret"}
    ids = [await seed_provider(store, name=name, settings=settings) for name in ("one", "two")]
    fleet = Fleet(store, SystemClock(), lambda _: Deaf(), {})
    return Port(store, fleet, ids, simulator)


async def test_only_what_is_wanted_is_open(port: Port) -> None:
    await port.fleet.keep([port.ids[0]])
    await port.open(1)
    await port.fleet.keep(port.ids)
    await port.open(2)
    await port.fleet.keep([port.ids[1]])
    assert list(port.fleet.running) == [port.ids[1]]
    await port.open(1)
    await port.fleet.keep([])
    await port.open(0)
    assert port.fleet.running == {}


async def test_one_that_was_closed_opens_again(port: Port) -> None:
    await port.fleet.keep(port.ids)
    await port.open(2)
    before = port.fleet.running[port.ids[0]]
    await port.fleet.close(port.ids[0], 1.0)
    await port.open(1)
    await port.fleet.keep(port.ids)
    assert port.fleet.running[port.ids[0]] is not before
    await port.open(2)
    await port.fleet.stop()


async def test_a_declaration_that_changes_is_noticed_once_and_used_after_closing(port: Port) -> None:
    one = port.ids[0]
    await port.fleet.keep(port.ids)
    assert not port.fleet.changed()
    async with port.store.writing() as connection:
        p = schema.provider
        settings = {"host": "127.0.0.1", "port": 1, "system_id": "other", "password": "x"}
        await connection.execute(update(p).where(p.c.id == one).values(settings=settings))
    await port.fleet.keep(port.ids)
    assert set(port.fleet.changed()) == {one}
    await port.fleet.close(one, 0.0)
    assert not port.fleet.changed()
    await port.fleet.keep(port.ids)
    assert not port.fleet.running[one].up
    await port.fleet.stop()


async def test_a_faulty_declaration_stops_nobody_else(port: Port, caplog: pytest.LogCaptureFixture) -> None:
    async with port.store.writing() as connection:
        p = schema.provider
        settings = {"host": "127.0.0.1", "port": 2775, "password": "env:NOT_SET"}
        await connection.execute(update(p).where(p.c.id == port.ids[0]).values(settings=settings))
    await port.fleet.keep(port.ids)
    await port.fleet.keep(port.ids)
    assert list(port.fleet.running) == [port.ids[1]]
    assert sum("NOT_SET" in record.getMessage() for record in caplog.records) == 1
    await port.open(1)
    await port.fleet.stop()
