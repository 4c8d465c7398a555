"""Receipts find their messages: in the flush itself, by heart, or not yet."""

from __future__ import annotations

from todoke.model.clock import HOUR
from todoke.model.event import Event, Kind
from todoke.model.ids import message_id
from todoke.store.hot.base import Flush, Fresh, Receipt
from todoke.store.hot.correlation import Correlation
from todoke.store.hot.matching import Accepted, Matching, count_quick
from todoke.store.hot.orphans import Orphans
from todoke.store.hot.tallies import Tallies, TallyRow

ONE, TWO = message_id(3, 9, 1), message_id(3, 9, 2)


def receipt(name: str, kind: Kind = Kind.DELIVERED, at: int = 0) -> Receipt:
    return Receipt(1, name, kind, at, "no" if kind == Kind.UNDELIVERED else "", "")


def fresh(message: int, name: str, hour: int = 0) -> Fresh:
    return Fresh(3, 9, 1, hour * HOUR, [message], [name])


def test_what_was_popped_is_put_back_when_the_transaction_fails() -> None:
    known = Correlation()
    known.add(1, 5, ["a"], [ONE])
    matching = Matching(Flush(1, 1, 0), known, careful=False)
    matching.offer([receipt("a"), receipt("a"), receipt("b")])
    assert matching.quick == [(ONE, 5, receipt("a"))]
    assert matching.unknown == [receipt("a"), receipt("b")]
    matching.roll_back()
    assert known.pop(1, "a") == (ONE, 5)


def test_what_a_failed_flush_accepted_is_not_known() -> None:
    known = Correlation()
    Matching(Flush(1, 1, 0, fresh=[fresh(ONE, "a")]), known, careful=False).roll_back()
    assert known.pop(1, "a") is None


def test_after_the_commit_what_was_not_answered_is_known() -> None:
    known = Correlation()
    matching = Matching(Flush(1, 1, 0, fresh=[fresh(ONE, "a", 5), fresh(TWO, "b", 5)]), known, careful=False)
    matching.offer([receipt("a"), receipt("a", Kind.UNDELIVERED)])
    assert matching.quick == [(ONE, 5, receipt("a"))]
    assert [(e.message_id, e.kind) for e in matching.found] == [(ONE, Kind.UNDELIVERED)]
    matching.commit([])
    assert known.pop(1, "a") is None
    assert known.pop(1, "b") == (TWO, 5)


def test_what_was_answered_at_once_is_not_known_under_an_older_bearer_of_its_id() -> None:
    known = Correlation()
    known.add(1, 4, ["a", "b"], [ONE, ONE + 1])
    matching = Matching(Flush(1, 1, 0, fresh=[fresh(TWO, "a", 5)]), known, careful=False)
    matching.offer([receipt("a")])
    assert matching.quick == [(TWO, 5, receipt("a"))]
    matching.commit([])
    assert known.pop(1, "a") is None
    assert known.pop(1, "b") == (ONE + 1, 4)


def test_receipts_of_several_providers_are_kept_apart() -> None:
    known = Correlation()
    other = Fresh(3, 9, 2, 5 * HOUR, [TWO], ["a"])
    matching = Matching(Flush(1, 1, 0, fresh=[fresh(ONE, "a", 5), other]), known, careful=False)
    of_other = receipt("a")._replace(provider_id=2)
    matching.offer([receipt("x"), of_other])
    matching.offer([of_other])
    assert matching.quick == [(TWO, 5, of_other)]
    assert [e.message_id for e in matching.found] == [TWO]
    assert matching.unknown == [receipt("x")]
    matching.commit([])
    assert known.pop(2, "a") is None
    assert known.pop(1, "a") == (ONE, 5)


def test_a_careful_one_knows_nothing_by_heart() -> None:
    known = Correlation()
    known.add(1, 5, ["a"], [ONE])
    matching = Matching(Flush(1, 1, 0, fresh=[fresh(TWO, "b")]), known, careful=True)
    matching.offer([receipt("a"), receipt("b")])
    assert matching.quick == []
    assert matching.unknown == [receipt("a")]
    assert [e.message_id for e in matching.found] == [TWO]
    assert [(e.message_id, e.kind) for e in matching.facts()] == [(TWO, Kind.DELIVERED), (TWO, Kind.ACCEPTED)]


def test_what_was_looked_up_is_found_and_the_rest_is_early() -> None:
    matching = Matching(Flush(1, 1, 0), Correlation(), careful=False)
    matching.offer([receipt("a"), receipt("b")])
    assert matching.resolve({(1, "a"): Accepted(ONE, 2, 1, 3)}) == [receipt("b")]
    assert matching.found == [Event(ONE, 2, 1, Kind.DELIVERED, 0, 3, 1, None, "")]
    assert matching.runs() == {(3, 9)}


def test_what_turned_out_to_have_other_events_is_no_quick_one() -> None:
    known = Correlation()
    known.add(1, 5, ["a", "b"], [ONE, TWO])
    matching = Matching(Flush(1, 1, 0), known, careful=False)
    matching.offer([receipt("a"), receipt("b")])
    matching.distrust({ONE})
    assert [q[0] for q in matching.quick] == [TWO]
    assert [e.message_id for e in matching.found] == [ONE]


def test_orphans_are_looked_for_among_what_was_accepted() -> None:
    orphans = Orphans()
    orphans.replace([(1, "a"), (1, "c"), (2, "a")], 0)
    accepted = Event(TWO, 1, 1, Kind.ACCEPTED, 0, 1, 1, "c")
    flush = Flush(1, 1, 0, fresh=[fresh(ONE, "a")], events=[accepted])
    assert Matching(flush, Correlation(), careful=False).orphaned(orphans) == [(1, "a"), (1, "c")]


def test_quick_ones_count_in_the_hours_they_belong_to() -> None:
    tallies = Tallies()
    quick = [
        (ONE, 5, receipt("a", at=6 * HOUR)),
        (TWO, 5, receipt("b", at=6 * HOUR + 1)),
        (ONE + 7, 4, receipt("c", Kind.UNDELIVERED, 7 * HOUR)),
    ]
    count_quick(quick, tallies)
    assert tallies.rows() == [
        TallyRow(3, 9, "delivered", "", 6, 2, 2),
        TallyRow(3, 9, "failed", "no", 7, 1, 1),
        TallyRow(3, 9, "sent", "", 4, -1, -1),
        TallyRow(3, 9, "sent", "", 5, -2, -2),
    ]
