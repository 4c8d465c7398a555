from __future__ import annotations

import pytest

from todoke.smpp.errors import StateError
from todoke.smpp.session import TRANSITIONS, Move, State, move


def test_every_state_can_be_reached_and_ends_closed() -> None:
    reached = {State.OPEN}
    while True:
        further = reached | {state for one in reached for state in TRANSITIONS[one].values()}
        if further == reached:
            break
        reached = further
    assert reached == set(State) == set(TRANSITIONS)
    assert all(moves[Move.LOST] is State.CLOSED for moves in TRANSITIONS.values())


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("by", list(Move))
def test_a_move_is_in_the_table_or_refused(state: State, by: Move) -> None:
    if by in TRANSITIONS[state]:
        assert move(state, by) is TRANSITIONS[state][by]
    else:
        with pytest.raises(StateError):
            move(state, by)
