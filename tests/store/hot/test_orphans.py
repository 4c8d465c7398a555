"""Which receipts wait, as this process knows it."""

from __future__ import annotations

from todoke.model.clock import SECOND
from todoke.store.hot.orphans import CHECKED_A_FLUSH, LIMIT, REREAD, Orphans

NOW = 1000 * SECOND


def test_nothing_is_asked_where_nothing_waits() -> None:
    orphans = Orphans()
    assert orphans.stale(NOW)
    orphans.replace([], NOW)
    assert not orphans.stale(NOW + REREAD - 1)
    assert orphans.stale(NOW + REREAD)
    assert orphans.among(1, ["a", "b"]) == []
    assert orphans.unchecked() == []


def test_what_waits_is_found_by_provider() -> None:
    orphans = Orphans()
    orphans.replace([(1, "a")], NOW)
    orphans.add(1, "b")
    orphans.add(2, "c")
    assert sorted(orphans.among(1, ["a", "b", "c"])) == ["a", "b"]
    assert orphans.among(3, ["a"]) == []


def test_only_what_others_wrote_is_looked_up() -> None:
    orphans = Orphans()
    orphans.replace([(1, "a")], NOW)
    assert orphans.unchecked() == [(1, "a")]
    orphans.add(1, "b")
    orphans.replace([(1, "a"), (1, "b"), (1, "c")], NOW)
    assert orphans.unchecked() == [(1, "c")]
    assert orphans.unchecked() == []


def test_many_strangers_are_looked_up_a_few_at_a_time() -> None:
    orphans = Orphans()
    orphans.replace([(1, f"p{n}") for n in range(CHECKED_A_FLUSH + 1)], NOW)
    assert len(orphans.unchecked()) == CHECKED_A_FLUSH
    assert len(orphans.unchecked()) == 1


def test_with_nothing_else_to_do_many_are_looked_up_at_once() -> None:
    orphans = Orphans()
    orphans.replace([(1, str(n)) for n in range(CHECKED_A_FLUSH + 1)], NOW)
    assert len(orphans.unchecked(idle=True)) == CHECKED_A_FLUSH + 1


def test_after_a_failure_the_table_is_read_again() -> None:
    orphans = Orphans()
    orphans.replace([(1, "a")], NOW)
    orphans.reset()
    assert orphans.stale(NOW)
    orphans.replace([(1, "a")], NOW)
    assert orphans.unchecked() == [(1, "a")]


def test_too_many_to_remember_are_asked_for_every_time() -> None:
    orphans = Orphans()
    orphans.replace([(1, f"p{n}") for n in range(LIMIT + 1)], NOW)
    assert orphans.among(1, ["x", "y"]) == ["x", "y"]
    assert not orphans.stale(NOW + 2 * REREAD)
