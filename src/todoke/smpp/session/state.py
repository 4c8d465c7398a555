"""The states of a session and how they follow each other (SMPP 3.4, 2.2), and what may be sent in which (2.3)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from ..errors import StateError
from ..pdu import Command
from .settings import Role


class State(Enum):
    """Where the session is. The binding and unbinding states are ours: 3.4 leaves out the time a request travels."""

    OPEN = "open"
    BINDING_TX = "binding_tx"
    BINDING_RX = "binding_rx"
    BINDING_TRX = "binding_trx"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    CLOSED = "closed"


class Move(Enum):
    """What happens to a session."""

    BIND_TX = "bind_tx"
    BIND_RX = "bind_rx"
    BIND_TRX = "bind_trx"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNBIND = "unbind"
    UNBOUND = "unbound"
    LOST = "lost"


def _binding(bound: State) -> dict[Move, State]:
    return {Move.ACCEPTED: bound, Move.REFUSED: State.OPEN, Move.LOST: State.CLOSED}


_BOUND_MOVES: Final = {Move.UNBIND: State.UNBINDING, Move.UNBOUND: State.CLOSED, Move.LOST: State.CLOSED}

TRANSITIONS: Final[dict[State, dict[Move, State]]] = {
    State.OPEN: {
        Move.BIND_TX: State.BINDING_TX,
        Move.BIND_RX: State.BINDING_RX,
        Move.BIND_TRX: State.BINDING_TRX,
        Move.LOST: State.CLOSED,
    },
    State.BINDING_TX: _binding(State.BOUND_TX),
    State.BINDING_RX: _binding(State.BOUND_RX),
    State.BINDING_TRX: _binding(State.BOUND_TRX),
    State.BOUND_TX: _BOUND_MOVES,
    State.BOUND_RX: _BOUND_MOVES,
    State.BOUND_TRX: _BOUND_MOVES,
    State.UNBINDING: {Move.UNBOUND: State.CLOSED, Move.LOST: State.CLOSED},
    State.CLOSED: {Move.LOST: State.CLOSED},
}

BIND_MOVES: Final[dict[int, Move]] = {
    Command.BIND_TRANSMITTER: Move.BIND_TX,
    Command.BIND_RECEIVER: Move.BIND_RX,
    Command.BIND_TRANSCEIVER: Move.BIND_TRX,
}
BOUND: Final = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
BINDING: Final = frozenset({State.BINDING_TX, State.BINDING_RX, State.BINDING_TRX})
_TO_SMSC: Final = frozenset({State.BOUND_TX, State.BOUND_TRX})
_TO_ESME: Final = frozenset({State.BOUND_RX, State.BOUND_TRX})

ALLOWED: Final[dict[Role, dict[int, frozenset[State]]]] = {
    Role.ESME: {
        Command.SUBMIT_SM: _TO_SMSC,
        Command.SUBMIT_MULTI: _TO_SMSC,
        Command.DATA_SM: _TO_SMSC,
        Command.QUERY_SM: _TO_SMSC,
        Command.CANCEL_SM: _TO_SMSC,
        Command.REPLACE_SM: _TO_SMSC,
    },
    Role.SMSC: {
        Command.DELIVER_SM: _TO_ESME,
        Command.DATA_SM: _TO_ESME,
        Command.ALERT_NOTIFICATION: _TO_ESME,
        Command.OUTBIND: frozenset({State.OPEN}),
    },
}
"""The requests that each role may *send*, beside binds, unbind and enquire_link, and the states it may do so in."""


def move(state: State, by: Move) -> State:
    """The state after `by`. Raises `StateError` when that cannot happen in `state`."""
    try:
        return TRANSITIONS[state][by]
    except KeyError:
        raise StateError(f"A session that is {state.value} cannot take {by.value}") from None
