"""The compact search for duplicates says what a plain one with sets says."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.intake import dedupe
from todoke.pipeline.intake.dedupe import Accepted
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.validation import Judged
from todoke.pipeline.intake.verdicts import ACCEPTED, read_verdict


@given(st.lists(st.lists(st.tuples(st.integers(1, 12), st.sampled_from("abcdefghij")), max_size=10), max_size=6))
def test_the_first_contact_with_a_number_and_an_id_wins(batches: list[list[tuple[int, str]]]) -> None:
    accepted = Accepted()
    expected: list[tuple[int | None, str]] = []
    numbers: dict[int, int] = {}
    external_ids: dict[str, int] = {}
    line = 1
    for rows in batches:
        judged = Judged(array("H", bytes(2 * len(rows))))
        lines = range(line + 1, line + 1 + len(rows))
        for index, (number, external_id) in enumerate(rows):
            judged.indexes.append(index)
            judged.destinations.append(number)
            judged.zone_sets.append(number % 3)
            judged.external_ids.append(external_id)
            if external_id in external_ids:
                expected.append((external_ids[external_id], Reason.DUPLICATE_EXTERNAL_ID))
            elif number in numbers:
                expected.append((numbers[number], Reason.DUPLICATE_PHONE))
            else:
                numbers[number] = external_ids[external_id] = lines[index]
                expected.append((None, ""))
        line += len(rows)
        accepted.add(Batch([[] for _ in rows], lines, 0, 0), judged)

    accepted.resolve()

    found = [("" if code == ACCEPTED else read_verdict(code)[0].value) for code in accepted.verdicts]
    assert found == [reason for _, reason in expected]
    assert list(accepted.repeats) == [first for first, _ in expected if first is not None]
    assert accepted.slice(0, 1000)[0] == list(numbers)
    assert accepted.rows == len(numbers)
    assert accepted.zone_counts(3) == [sum(1 for number in numbers if number % 3 == zone) for zone in range(3)]


def test_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedupe, "_PART", 2)

    test_the_first_contact_with_a_number_and_an_id_wins()
