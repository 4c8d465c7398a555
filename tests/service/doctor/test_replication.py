"""What a fail-over would lose, judged from what the server says."""

from __future__ import annotations

import pytest

from todoke.service.doctor.finding import Level
from todoke.service.doctor.replication import judge, waits, wanted
from todoke.store.server import ServerFacts, Standby

READER = Standby("reports", "async")
SAFE = Standby("safe", "sync")


def facts(*standbys: Standby, names: str = "", commit: str = "on") -> ServerFacts:
    return ServerFacts(
        15_00_04, {"synchronous_standby_names": names, "synchronous_commit": commit}, standbys=list(standbys)
    )


@pytest.mark.parametrize(
    ("said", "hosts", "accepted", "level", "word"),
    [
        # One server in the address: nobody follows a fail-over by himself.
        (facts(), 1, False, Level.OK, "No standby"),
        (facts(READER), 1, False, Level.WARNING, "1 standby follows asynchronously (reports)"),
        (facts(READER, Standby("b", "async")), 1, True, Level.WARNING, "2 standbys follow asynchronously (b, reports)"),
        # Several: engines follow.
        (facts(READER), 2, False, Level.ERROR, "no standby is synchronous"),
        (facts(), 2, False, Level.ERROR, "no standby is synchronous"),
        (facts(READER), 2, True, Level.WARNING, "no standby is synchronous"),
        # A commit that waits for nobody, whatever is configured.
        (facts(SAFE, names="safe", commit="local"), 2, False, Level.ERROR, "synchronous_commit is local"),
        (facts(SAFE, names="safe", commit="local"), 1, False, Level.WARNING, "asynchronously (safe)"),
        # Synchronous.
        (facts(SAFE, names="safe"), 2, False, Level.OK, "Commits wait for a standby (safe)."),
        (facts(SAFE, READER, names="safe"), 2, False, Level.OK, "Never promote another one (reports)"),
        (facts(Standby("a", "quorum"), Standby("b", "quorum"), names="ANY 2 (a, b, c)"), 2, False, Level.OK, "(a, b)"),
        (facts(Standby("a", "quorum"), names="ANY 2 (a, b, c)"), 2, False, Level.ERROR, "wait for 2 standbys"),
        (facts(names="safe"), 2, True, Level.ERROR, "nothing can be written"),
        (facts(READER, names="safe"), 1, False, Level.ERROR, "0 are connected"),
        (facts(SAFE, names="safe", commit="remote_write"), 2, False, Level.WARNING, "both machines fail at once"),
        (facts(SAFE, names="safe", commit="remote_apply"), 2, False, Level.OK, "Commits wait"),
        # A role that may not look.
        (facts(Standby("", ""), names="safe"), 2, False, Level.WARNING, "may not see"),
        (facts(Standby("", "")), 1, False, Level.WARNING, "follows asynchronously:"),
    ],
)
def test_judge(said: ServerFacts, hosts: int, accepted: bool, level: Level, word: str) -> None:
    found = judge(said, hosts, accepted=accepted)
    assert (found.level, word in found.sentence) == (level, True), found
    assert bool(found.fix) is (level is not Level.OK)


def test_a_setting_that_was_made_already_is_not_advised() -> None:
    assert "accept_async_replication" in judge(facts(READER), 2, accepted=False).fix
    assert "accept_async_replication" not in judge(facts(READER), 2, accepted=True).fix


@pytest.mark.parametrize(
    ("names", "so_many"),
    [
        ("a", 1),
        ("a, b", 1),
        ("*", 1),
        ("2 (a, b, c)", 2),
        ("FIRST 2 (a, b, c)", 2),
        ("any 3 (a,b,c)", 3),
        ("ANY 1(*)", 1),
    ],
)
def test_how_many_a_commit_waits_for(names: str, so_many: int) -> None:
    assert wanted(names) == so_many


def test_blank_names_wait_for_nobody() -> None:
    assert not waits(facts(names="  "))
