"""PostgreSQL's version, durability and clock; and that a real server tells of itself."""

from __future__ import annotations

import pytest

from todoke.model.clock import SECOND, SystemClock
from todoke.service.doctor.finding import Level
from todoke.service.doctor.server import clock, durability, version
from todoke.store import server
from todoke.store.server import ServerFacts
from todoke.store.store import Store

ON = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "remote_apply"}


@pytest.mark.parametrize(("number", "level"), [(14_00_19, Level.ERROR), (15_00_00, Level.OK), (18_00_01, Level.OK)])
def test_version(number: int, level: Level) -> None:
    found = version(ServerFacts(number, {}))
    assert found.level is level
    assert str(number // 10_000) in found.sentence


@pytest.mark.parametrize(
    "off", [("fsync",), ("full_page_writes",), ("synchronous_commit",), ("fsync", "synchronous_commit")]
)
def test_durability(off: tuple[str, ...]) -> None:
    assert durability(ServerFacts(15_00_00, ON)).level is Level.OK
    found = durability(ServerFacts(15_00_00, {**ON, **dict.fromkeys(off, "off")}))
    assert found.level is Level.ERROR
    assert all(name in found.sentence for name in off)


@pytest.mark.parametrize(
    ("ahead", "level", "word"),
    [
        (0, Level.OK, ""),
        (-SECOND, Level.OK, ""),
        (5 * SECOND, Level.WARNING, "behind"),
        (-90 * SECOND, Level.WARNING, "ahead of"),
    ],
)
def test_clock(ahead: int, level: Level, word: str) -> None:
    found = clock(ServerFacts(15_00_00, ON, ahead=ahead))
    assert found.level is level
    assert word in found.sentence


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_real_server_tells_of_itself(store: Store) -> None:
    facts = await server.look(store.address, SystemClock())
    assert set(facts.settings) == set(server.NAMES)
    assert facts.version >= 15_00_00
    assert durability(facts).level is Level.OK
    assert facts.setting("server_version").startswith(str(facts.version // 10_000))
    assert abs(facts.ahead) < SECOND * 60  # microseconds, and not seconds
