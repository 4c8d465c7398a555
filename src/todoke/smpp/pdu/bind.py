"""Opening a session: the three binds and outbind (SMPP 3.4, 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from .base import Pdu, PduWithTlvs
from .fields import Field, Int, Text
from .header import Command

VERSION: Final = 0x34

_BIND: Final[tuple[Field, ...]] = (
    Text("system_id", 16),
    Text("password", 9),
    Text("system_type", 13),
    Int("interface_version"),
    Int("addr_ton"),
    Int("addr_npi"),
    Text("address_range", 41),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind(Pdu):
    """What the three bind requests share (4.1.1, 4.1.3, 4.1.5). The password never shows in a repr."""

    fields: ClassVar[tuple[Field, ...]] = _BIND

    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitter(Bind):
    """4.1.1"""

    command: ClassVar[int] = Command.BIND_TRANSMITTER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiver(Bind):
    """4.1.3"""

    command: ClassVar[int] = Command.BIND_RECEIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiver(Bind):
    """4.1.5"""

    command: ClassVar[int] = Command.BIND_TRANSCEIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResp(PduWithTlvs):
    """What the three bind responses share (4.1.2, 4.1.4, 4.1.6); the only TLV is sc_interface_version."""

    fields: ClassVar[tuple[Field, ...]] = (Text("system_id", 16),)

    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitterResp(BindResp):
    """4.1.2"""

    command: ClassVar[int] = Command.BIND_TRANSMITTER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiverResp(BindResp):
    """4.1.4"""

    command: ClassVar[int] = Command.BIND_RECEIVER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiverResp(BindResp):
    """4.1.6"""

    command: ClassVar[int] = Command.BIND_TRANSCEIVER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbind(Pdu):
    """The SMSC asks the ESME to bind as a receiver (4.1.7); it has no response."""

    command: ClassVar[int] = Command.OUTBIND
    fields: ClassVar[tuple[Field, ...]] = (Text("system_id", 16), Text("password", 9))

    system_id: str = ""
    password: str = field(default="", repr=False)
