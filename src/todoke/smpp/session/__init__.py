"""An SMPP session of either role, sans-I/O: `Session`, its settings and events, and templates for its messages."""

from .core import Session
from .events import (
    BindRefused,
    BindRequested,
    Bound,
    Broken,
    DeadLink,
    Deliver,
    DeliverResult,
    Event,
    Incoming,
    Notice,
    Receipted,
    Rejected,
    Requested,
    RequestResult,
    StrayResponse,
    SubmitRequest,
    SubmitResult,
    Timeout,
    Unbound,
)
from .settings import Role, Settings
from .state import TRANSITIONS, Move, State, move
from .template import DeliverTemplate, SubmitTemplate

__all__ = [
    "TRANSITIONS",
    "BindRefused",
    "BindRequested",
    "Bound",
    "Broken",
    "DeadLink",
    "Deliver",
    "DeliverResult",
    "DeliverTemplate",
    "Event",
    "Incoming",
    "Move",
    "Notice",
    "Receipted",
    "Rejected",
    "RequestResult",
    "Requested",
    "Role",
    "Session",
    "Settings",
    "State",
    "StrayResponse",
    "SubmitRequest",
    "SubmitResult",
    "SubmitTemplate",
    "Timeout",
    "Unbound",
    "move",
]
