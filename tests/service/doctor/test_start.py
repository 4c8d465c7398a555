"""An engine does not follow a fail-over that forgets, unless that was accepted."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from todoke.config import Settings
from todoke.service.doctor.start import FailOverForgets, look_at_replication
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
            await look_at_replication(store, settings)
        with caplog.at_level(logging.WARNING):
            await look_at_replication(
                store, Settings(database=several, data_dir=tmp_path, accept_async_replication=True)
            )
    (record,) = caplog.records
    assert record.__dict__["action"] == "replication"


async def test_one_server_that_nobody_follows(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await look_at_replication(store, Settings(database=store.url, data_dir=tmp_path))
    assert not caplog.records
