"""The reference that a receipt may echo."""

from __future__ import annotations

from collections import Counter

from todoke.model.ids import message_id, reference


def test_the_segments_and_attempts_of_a_message_never_share_a_reference() -> None:
    for message in (0, message_id(3, 7, 11), message_id(255, (1 << 26) - 1, (1 << 29) - 1)):
        every = {reference(message, segment, attempt) for segment in range(1, 256) for attempt in range(256)}
        assert len(every) == 255 * 256
        assert all(0 <= one <= 0xFFFF for one in every)


def test_neighbours_and_the_same_contact_in_other_runs_are_spread() -> None:
    for messages in (
        [message_id(3, 7, ordinal) for ordinal in range(10_000)],
        [message_id(3, run, 11) for run in range(10_000)],
    ):
        counts = Counter(reference(message, 1, 0) for message in messages)
        assert len(counts) > 8_000
        assert max(counts.values()) < 8


def test_it_is_the_same_for_ever() -> None:
    """It is in the receipts of what was sent before an upgrade."""
    assert [reference(message_id(3, 7, 11), segment, attempt) for segment, attempt in ((1, 0), (2, 0), (1, 1))] == [
        15427, 15683, 15428,
    ]  # fmt: skip
