"""The fold of events, and which of them are in doubt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.event import Event, Kind, State, fold, in_doubt


def event(kind: Kind, *, segment: int = 1, attempt: int = 0, segments: int = 1) -> Event:
    return Event(1, segment, attempt, kind, int(kind) + attempt, segments, reason=kind.name.lower())


def test_what_goes_no_further_after_all_of_it_was_handed_over_changes_nothing() -> None:
    for whole in (Kind.SKIPPED, Kind.STOPPED, Kind.EXPIRED):
        again = event(whole, segment=0, attempt=1, segments=0)
        assert fold([event(Kind.IN_DOUBT), again]).state is State.IN_DOUBT
        assert fold([event(Kind.IN_DOUBT), again, event(Kind.DELIVERED)]).state is State.DELIVERED
        # A part of it only, or a temporary error: it did go no further.
        assert fold([event(Kind.IN_DOUBT, segments=2), again]).state is State.FAILED
        assert fold([event(Kind.DEFERRED), again]).state.value == whole.name.lower()
        assert fold([again]).state.value == whole.name.lower()


def test_a_doubt_lasts_until_its_segment_has_an_end() -> None:
    doubt = event(Kind.IN_DOUBT)
    assert in_doubt([doubt]) == {(1, 0)}
    for kind in (Kind.ACCEPTED, Kind.UNDELIVERED, Kind.REJECTED, Kind.DELIVERED):
        for attempt in (0, 1):
            assert in_doubt([event(kind, attempt=attempt), doubt]) == set()
        assert in_doubt([doubt, event(kind, segment=2)]) == {(1, 0)}
    for kind in (Kind.DEFERRED, Kind.IN_DOUBT):
        assert (1, 0) in in_doubt([doubt, event(kind, attempt=1)])
    later = event(Kind.IN_DOUBT, attempt=1)
    assert in_doubt([later, event(Kind.REJECTED)]) == {(1, 1)}
    assert in_doubt([later, event(Kind.DELIVERED)]) == set()


@given(
    st.lists(
        st.builds(
            event,
            st.sampled_from([kind for kind in Kind if kind < Kind.SKIPPED]),
            segment=st.integers(1, 2),
            attempt=st.integers(0, 2),
            segments=st.just(2),
        )
    )
)
def test_a_message_in_doubt_has_a_doubt_and_one_without_any_is_not_in_doubt(events: list[Event]) -> None:
    doubts = in_doubt(events)
    assert in_doubt(reversed(events)) == doubts
    if fold(events).state is State.IN_DOUBT:
        assert doubts
    if fold(events).state in (State.DELIVERED, State.SENT):
        assert not doubts
