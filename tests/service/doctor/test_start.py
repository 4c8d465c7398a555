"""An engine does not follow a fail-over that forgets, unless that was accepted."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from todoke.config import Settings
from todoke.model.clock import Clock
from todoke.service.doctor.start import FailOverForgets, Replication
from todoke.store.address import Address
from todoke.store.server import ServerFacts, Standby
from todoke.store.store import Store, open_store


@pytest.fixture
def several(database_url: str) -> str:
    """The same database, by an address that names another server first, which does not answer."""
    parts = urlsplit(database_url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:1,{host}", query="target_session_attrs=primary"))


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_several_servers_and_none_synchronous(
    several: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(database=several, data_dir=tmp_path)
    async with await open_store(several) as store:  # through the one that answers
        with pytest.raises(FailOverForgets, match="accept_async_replication"):
            await Replication(store, settings).at_start()
        with caplog.at_level(logging.WARNING):
            accepted = Settings(database=several, data_dir=tmp_path, accept_async_replication=True)
            replication = Replication(store, accepted)
            await replication.at_start()
            await replication.look()  # the same again is not said again
    (record,) = caplog.records
    assert record.__dict__["action"] == "replication"


async def test_one_server_that_nobody_follows(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    replication = Replication(store, Settings(database=store.url, data_dir=tmp_path))
    await replication.at_start()
    await replication.look()
    assert not caplog.records


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_what_changes_while_an_engine_runs_is_said_once(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fail-over the standbys are others."""
    standbys: list[Standby] = []

    async def look(address: Address, clock: Clock) -> ServerFacts:
        return ServerFacts(15_00_00, {}, standbys)

    monkeypatch.setattr("todoke.store.server.look", look)
    replication = Replication(store, Settings(database=store.url, data_dir=tmp_path))
    with caplog.at_level(logging.INFO):
        await replication.at_start()
        standbys.append(Standby("late", "async"))
        for _ in range(3):
            await replication.look()
        standbys.clear()
        for _ in range(2):
            await replication.look()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
