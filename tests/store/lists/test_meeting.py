"""What becomes of records that come to a list: a pure decision, looked at from all sides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.store.lists.meeting import Fate, Record, Shape, extents, meet

SAME = Shape([0], [], [0, 1, 2])


def record(position: int, phone: int, external_id: str, fields: str = "A", zone_set: int = 0) -> Record:
    return Record(position, phone, zone_set, external_id, fields, None, None)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Record], list[Record]]:
    """A list, and records that come to it: on both sides external ids and numbers occur once."""

    def side(most: int) -> list[Record]:
        size = draw(st.integers(0, most))
        ids = draw(st.lists(st.sampled_from("abcdefghij"), min_size=size, max_size=size, unique=True))
        phones = draw(st.lists(st.integers(1, 12), min_size=size, max_size=size, unique=True))
        return [record(n, phones[n], ids[n], draw(st.sampled_from("XY"))) for n in range(size)]

    return side(8), side(8)


@given(scenes(), st.booleans())
def test_a_list_stays_a_list_whatever_comes(scene: tuple[list[Record], list[Record]], may_update: bool) -> None:
    """Everything has one fate; ids and numbers stay unique; nobody moves; who does not come stays as he was."""
    there, come = scene
    known = {r.position: [t for t in there if t.external_id == r.external_id] for r in come}
    owners = {r.position: [t for t in there if t.destination == r.destination] for r in come}
    meetings = meet(come, SAME, known, owners, len(there), may_update=may_update)

    assert len(meetings) == len(come)
    after = {t.position: t for t in there}
    for wanted, meeting in zip(come, meetings, strict=True):
        if meeting.fate is Fate.REJECTED:
            assert meeting.other is not None
            assert (meeting.reason == "duplicate_phone") == (
                meeting.other.destination == wanted.destination and meeting.other.external_id != wanted.external_id
            ) or not may_update
            continue
        old = after.get(meeting.record.position)
        assert (old is None) == (meeting.fate is Fate.ADDED)
        assert (old == meeting.record) == (meeting.fate is Fate.UNCHANGED)
        assert old is None or old.external_id == wanted.external_id
        assert meeting.record._replace(position=wanted.position) == wanted
        after[meeting.record.position] = meeting.record
    assert sorted(after) == list(range(len(after)))
    assert len({r.external_id for r in after.values()}) == len(after)
    assert len({r.destination for r in after.values()}) == len(after)
    mentioned = {r.external_id for r in come}
    assert all(after[t.position] == t for t in there if t.external_id not in mentioned)
    if not may_update:
        assert all(after[t.position] == t for t in there)


def test_a_number_that_is_free_by_then_can_be_taken() -> None:
    there = [record(0, 1, "a"), record(1, 2, "b")]
    come = [record(0, 3, "a"), record(1, 1, "b")]
    known = {0: [there[0]], 1: [there[1]]}
    meetings = meet(come, SAME, known, {1: [there[0]]}, 2, may_update=True)
    assert [m.fate for m in meetings] == [Fate.UPDATED, Fate.UPDATED]
    other_way = meet([come[1], come[0]], SAME, known, {1: [there[0]]}, 2, may_update=True)
    assert [m.fate for m in other_way] == [Fate.REJECTED, Fate.UPDATED]


def test_two_ids_with_one_key_are_two_contacts() -> None:
    there = [record(0, 1, "a")]
    assert [m.fate for m in meet([record(0, 9, "z")], SAME, {0: there}, {}, 1, may_update=True)] == [Fate.ADDED]


def test_contacts_without_a_number_have_no_number_in_common() -> None:
    there = [record(0, 0, "a")]
    assert [m.fate for m in meet([record(0, 0, "z")], SAME, {}, {0: there}, 1, may_update=True)] == [Fate.ADDED]


def test_fields_and_numbers_that_do_not_come_stay() -> None:
    shape = Shape([1, None, 0], [None, 0], [4])
    old = Record(7, 1, 0, "a", "x\x1fy\x1fz", "11\x1f22", 5)
    new = Record(0, 2, 0, "a", "C\x1fA", "33", None)
    (meeting,) = meet([new], shape, {0: [old]}, {}, 9, may_update=True)
    assert meeting.record == Record(7, 2, 4, "a", "A\x1fy\x1fC", "11\x1f33", None)
    (added,) = meet([new._replace(external_id="b", phones=None)], shape, {}, {}, 9, may_update=True)
    assert added.record == Record(9, 2, 4, "b", "A\x1f\x1fC", None, None)


@given(st.lists(st.integers(0, 3), max_size=30), st.one_of(st.none(), st.tuples(st.integers(0, 5), st.integers(-1, 3))))
def test_ranges_cover_what_is_added(zone_sets: list[int], last: tuple[int, int] | None) -> None:
    added = [record(50 + n, n + 1, str(n), zone_set=zone) for n, zone in enumerate(zone_sets)]
    found = extents(last, added, 4)

    assert [p for _, _, first, end in found for p in range(first, end + 1)] == [r.position for r in added]
    numbers = [number for number, *_ in found]
    assert numbers == sorted(set(numbers))
    assert not numbers or numbers[0] in ((last[0], last[0] + 1) if last else (0,))
    for number, zone_set, first, end in found:
        own = {r.zone_set for r in added if first <= r.position <= end}
        assert zone_set == -1 or own == {zone_set}
        assert number < max(4, (last[0] if last else 0) + 1) or zone_set == -1
