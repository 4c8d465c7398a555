"""What a simulator is started with. What can change while it runs is in `behaviour`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from todoke.providers.simulator.behaviour import Behaviour, PhoneState


@dataclass(frozen=True, slots=True)
class Settings:
    """The fixed settings of one simulator. Port 0 takes a free one; the ready line says which."""

    host: str = "127.0.0.1"
    port: int = 2775
    control_port: int = 0
    """The control port is on loopback, whatever `host` is: it has no password."""
    accounts: Mapping[str, str] = field(default_factory=lambda: {"todoke": "secret"})
    """system_id to password."""
    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Which account a sender code belongs to. One that is not named belongs to the account that last sent from it."""
    ledger: Path | None = None
    """The file of the ledger; None keeps none."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    phones: Mapping[str, PhoneState] = field(default_factory=dict[str, PhoneState])
    """Phones that are not simply on: `off` gives EXPIRED receipts, `unknown` gives UNDELIV."""
    fast: bool = False
    """Only count, answer and write the ledger, as fast as can be: no phones, no faults, one receipt style."""
    seed: int = 1
    inbox_limit: int = 100
    """Messages that a phone keeps; the oldest goes first."""
    phone_limit: int = 200_000
    """Phones that are kept; the one unused for longest goes first."""
    inbound_window: int = 100
    """Receipts and replies on the way to one connection that were not acknowledged yet."""
    inbound_limit: int = 1_000_000
    """Receipts and replies that an account may have waiting; beyond it submits are refused with 0x14."""
    connection_limit: int = 1_000

    def __post_init__(self) -> None:
        if not self.accounts:
            raise ValueError("accounts is empty; name at least one system_id and its password")
        for system_id, password in self.accounts.items():
            if not 0 < len(system_id.encode()) <= 15 or len(password.encode()) > 8:
                raise ValueError(
                    f"account {system_id!r}: SMPP allows 15 octets for a system_id and 8 for a password; shorten it"
                )
        for code, system_id in self.codes.items():
            if system_id not in self.accounts:
                raise ValueError(
                    f"code {code!r} belongs to {system_id!r}, which is not among the accounts; add it there"
                )
