"""Positions by zone set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.intake.zones import MIXED, ZoneRange, ZoneSets, group


def test_the_largest_group_comes_first_and_the_rest_is_mixed() -> None:
    ranges, starts = group([2, 0, 5, 3, 1], max_groups=2)

    assert ranges == [ZoneRange(2, 0, 4), ZoneRange(3, 5, 7), ZoneRange(MIXED, 8, 10)]
    assert (starts[2], starts[3], starts[0], starts[4]) == (0, 5, 8, 10)


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 50))
def test_ranges_are_dense_and_every_contact_lies_in_its_own(counts: list[int], most: int) -> None:
    ranges, starts = group(counts, max_groups=most)

    assert [position for found in ranges for position in range(found.first, found.last + 1)] == list(range(sum(counts)))
    assert len(ranges) <= most + 1
    for found in ranges:
        if found.zone_set != MIXED:
            assert (starts[found.zone_set], counts[found.zone_set]) == (found.first, found.last - found.first + 1)
    taken = sorted(start + offset for start, count in zip(starts, counts, strict=True) for offset in range(count))
    assert taken == list(range(sum(counts)))


def test_sets_are_numbered_as_they_come() -> None:
    sets = ZoneSets()

    assert [sets.number(zones) for zones in (("A",), (), ("A", "B"), ("A",), ())] == [0, 1, 2, 0, 1]
    assert sets.sets == [["A"], [], ["A", "B"]]
