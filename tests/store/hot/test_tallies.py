"""Counts move by what new events change, never by more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.clock import HOUR
from todoke.model.event import Event, Kind, State, fold
from todoke.model.ids import message_id
from todoke.store.hot.tallies import Tallies, TallyRow, add_events

MESSAGE = message_id(3, 9, 1)

EVENTS = st.builds(
    Event,
    st.sampled_from([MESSAGE, MESSAGE + 1]),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from(list(Kind)),
    st.integers(0, 3).map(lambda hour: hour * HOUR),
    st.just(2),
    reason=st.sampled_from(["", "a"]),
)


def possible(events: list[Event]) -> list[Event]:
    """Segment 0 is for what concerns the whole message, and nothing else is."""
    whole = (Kind.SKIPPED, Kind.STOPPED, Kind.EXPIRED)
    return [e for e in events if (e.segment == 0) == (e.kind in whole)]


@given(st.lists(st.lists(EVENTS, max_size=4), max_size=5))
def test_the_sum_of_all_moves_is_the_fold(batches: list[list[Event]]) -> None:
    stored: list[Event] = []
    moves = Tallies()
    for batch in map(possible, batches):
        concerned = {e.message_id for e in batch}
        stored += add_events([e for e in stored if e.message_id in concerned], batch, moves)
    keys = [(e.message_id, e.segment, e.attempt, e.kind) for e in stored]
    assert len(keys) == len(set(keys))
    expected = Tallies()
    for message in {e.message_id for e in stored}:
        expected.move(message, fold([]), fold([e for e in stored if e.message_id == message]))
    assert moves.rows() == expected.rows()
    assert all(row.messages > 0 for row in moves.rows())


def test_rows_come_in_order_and_without_those_that_cancel_out() -> None:
    moves = Tallies()
    moves.add(3, 9, State.SENT, "", 5, 2, 4)
    moves.add(3, 9, State.DELIVERED, "", 5, 1, 1)
    moves.add(1, 9, State.SENT, "", 5, 1, 1)
    moves.add(1, 9, State.SENT, "", 5, -1, -1)
    assert moves.rows() == [
        TallyRow(3, 9, "delivered", "", 5, 1, 1),
        TallyRow(3, 9, "sent", "", 5, 2, 4),
    ]
