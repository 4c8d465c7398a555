"""What a session is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import SmppError
from ..pdu import DEFAULT_MAX_PDU, HEADER_SIZE


class Role(Enum):
    """Which end of the session this is (SMPP 3.4, 2.1)."""

    ESME = "esme"  # the client, who binds and submits
    SMSC = "smsc"  # the message centre, who delivers


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and timers (SMPP 3.4, 7.2); times in seconds. Raises `SmppError` when one makes no sense."""

    window: int = 10
    """Requests that may wait for their response at a time."""
    response_timeout: float = 30.0
    """How long to wait for a response; then the request's outcome is unknown."""
    enquire_link: float = 25.0
    """After so long without a word from the peer, ask whether it is there."""
    bind_timeout: float = 10.0
    """How long the bind may take; for an SMSC, how long a peer may stay unbound."""
    max_pdu: int = DEFAULT_MAX_PDU
    """Octets of the longest PDU taken from the peer."""
    max_unanswered: int = 1_000
    """Inbound requests that may wait for our answer before the link stops reading."""
    remember_late: int = 10_000
    """Timed-out requests whose token is still known when their response comes after all."""

    read_receipts: bool = False
    """An ESME is told of receipts in their usual form by `Receipted`, which costs a fifth of a `Deliver`."""

    def __post_init__(self) -> None:
        for name in ("response_timeout", "enquire_link", "bind_timeout"):
            # Above an hour a sequence number could come round (2**31 requests) while its first use still waits.
            if not 0 < getattr(self, name) <= 3600:
                raise SmppError(f"{name} must be more than 0 and at most 3600 seconds")
        for name, least in (("window", 1), ("max_pdu", HEADER_SIZE), ("max_unanswered", 1), ("remember_late", 0)):
            if getattr(self, name) < least:
                raise SmppError(f"{name} must be at least {least}")
