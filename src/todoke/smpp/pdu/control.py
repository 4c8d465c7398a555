"""Keeping and closing a session (SMPP 3.4, 4.2, 4.3, 4.11), and alert_notification (4.12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Pdu, PduWithTlvs
from .fields import Field, Int, Text
from .header import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLink(Pdu):
    """4.11.1"""

    command: ClassVar[int] = Command.ENQUIRE_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLinkResp(Pdu):
    """4.11.2"""

    command: ClassVar[int] = Command.ENQUIRE_LINK_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbind(Pdu):
    """4.2.1"""

    command: ClassVar[int] = Command.UNBIND


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindResp(Pdu):
    """4.2.2"""

    command: ClassVar[int] = Command.UNBIND_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericNack(Pdu):
    """The answer to what could not be read (4.3.1); its sequence is 0 when not even that could be."""

    command: ClassVar[int] = Command.GENERIC_NACK


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotification(PduWithTlvs):
    """A handset became reachable (4.12.1); it has no response."""

    command: ClassVar[int] = Command.ALERT_NOTIFICATION
    fields: ClassVar[tuple[Field, ...]] = (
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 65),
        Int("esme_addr_ton"),
        Int("esme_addr_npi"),
        Text("esme_addr", 65),
    )

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
