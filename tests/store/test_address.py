"""The address of the database, taken apart: one server or several."""

from __future__ import annotations

import pytest

from todoke.config import masked
from todoke.model.errors import Invalid
from todoke.store.address import Host, parse_address


@pytest.mark.parametrize(
    ("url", "hosts", "database"),
    [
        ("postgresql://u@db/todoke", [("db", 5432)], "todoke"),
        ("postgres://u:p@db:6000/todoke", [("db", 6000)], "todoke"),
        ("postgresql://u:p%40x@a:1,b:2/todoke", [("a", 1), ("b", 2)], "todoke"),
        ("postgresql://a,b:2/todoke?target_session_attrs=primary", [("a", 5432), ("b", 2)], "todoke"),
        ("postgresql://u@[::1]:1,[fe80::2]/todoke", [("::1", 1), ("fe80::2", 5432)], "todoke"),
        ("postgresql:///todoke?host=a,b&port=1,2", [("a", 1), ("b", 2)], "todoke"),
        ("postgresql:///todoke?host=a:1&host=b:2", [("a", 1), ("b", 2)], "todoke"),
        ("postgresql:///todoke?host=a,b&port=7", [("a", 7), ("b", 7)], "todoke"),
        ("postgresql:///?host=/var/run/postgresql&dbname=todoke", [("/var/run/postgresql", 5432)], "todoke"),
        ("postgresql://%2Fvar%2Frun/todoke", [("/var/run", 5432)], "todoke"),
        ("postgresql://db/my%20data?target_session_attrs=read-write", [("db", 5432)], "my data"),
    ],
)
def test_hosts(url: str, hosts: list[tuple[str, int]], database: str) -> None:
    address = parse_address(url)
    assert address.hosts == tuple(Host(*host) for host in hosts)
    assert address.database == database
    assert address.dsn.startswith("postgresql://")


def test_places_are_named_without_the_password() -> None:
    address = parse_address("postgresql://u:secret@a:1,[::1]/todoke")
    assert address.shown == "todoke on a:1, [::1]:5432"
    assert address.at(address.hosts[1]) == "todoke on [::1]:5432"
    assert masked("postgresql://u:secret@a:1,b:2/todoke") == "postgresql://u:***@a:1,b:2/todoke"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://u:secret@a:1,b:many/todoke", "'many' is no port"),
        ("postgresql://u:secret@a:0/todoke", "'0' is no port"),
        ("postgresql://u:secret@a,,b/todoke", "'' is no host"),
        ("postgresql://u:secret@a,b", "no database on a:5432, b:5432"),
        ("postgresql:///todoke?host=a,b&port=1,2,3", "2 hosts and 3 ports"),
        ("postgresql:///todoke?host=a&port=x", "cannot be read"),
        ("postgresql://u:secret@a,b/todoke?target_session_attrs=standby", "Todoke must write"),
        ("postgresql://u:secret@a/todoke?target_session_attrs=any", "Todoke must write"),
    ],
)
def test_what_cannot_be_used(url: str, word: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_address(url)
    assert word in str(caught.value)
    assert "secret" not in str(caught.value)
