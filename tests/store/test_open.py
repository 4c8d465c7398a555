"""Opening a store: what is refused, and what it says."""

from __future__ import annotations

import pytest

from todoke.model.errors import Invalid
from todoke.store.hot.base import StoreUnavailable
from todoke.store.store import Store, open_store


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://root@localhost/todoke", "mysql"),
        ("todoke.db", "not the address"),
        ("sqlite://todoke.db", "names a file"),
        ("sqlite:///:memory:", "names a file"),
        ("sqlite:///", "names a file"),
        ("postgresql:///todoke", "no host"),
        ("postgresql://user:secret@db.example/", "no database on db.example"),
        ("postgresql://user:secret@db.example:many/todoke", "cannot be read"),
    ],
)
async def test_an_address_that_cannot_be_used_says_how_to_write_one(url: str, word: str) -> None:
    with pytest.raises(Invalid) as caught:
        await open_store(url)
    assert word in str(caught.value)
    assert "postgresql://user:password@host/database" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_no_server_names_the_host() -> None:
    with pytest.raises(StoreUnavailable, match=r"todoke on 127\.0\.0\.1:1: PostgreSQL does not answer"):
        await open_store("postgresql://user@127.0.0.1:1/todoke")


async def test_an_empty_database_asks_for_migrate(empty_database_url: str) -> None:
    with pytest.raises(StoreUnavailable, match="Run `todoke migrate`"):
        await open_store(empty_database_url)


async def test_create_makes_the_schema(empty_database_url: str) -> None:
    async with await open_store(empty_database_url, create=True) as store:
        assert isinstance(store, Store)
    async with await open_store(empty_database_url, create=True):
        pass
