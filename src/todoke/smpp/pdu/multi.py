"""One message to many: submit_multi and its response (SMPP 3.4, 4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ..errors import FieldError
from .base import PduWithTlvs
from .fields import Field, Int, ShortMessage, Text, Time
from .header import Command
from .message import MESSAGE_ID

_TON: Final = Int("dest_addr_ton")
_NPI: Final = Int("dest_addr_npi")
_ADDRESS: Final = Text("destination_addr", 21)
_LIST: Final = Text("dl_name", 21)
_ERROR: Final = Int("error_status_code", 4)
MAX_DESTINATIONS: Final = 254
"""number_of_dests is 1 octet and at most 254 (4.5.1)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One number, dest_flag 1 (4.5.1.1)."""

    destination_addr: str
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0


@dataclass(frozen=True, slots=True)
class DistributionList:
    """The name of a list kept at the SMSC, dest_flag 2 (4.5.1.2)."""

    dl_name: str


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """A number that was refused, with its command_status (4.5.2.1)."""

    destination_addr: str
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    error_status_code: int = 0


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests (1 octet) and so many dest_address."""

    name: str

    def encode(self, value: Sequence[Destination | DistributionList]) -> bytes:
        if not 1 <= len(value) <= MAX_DESTINATIONS:
            raise FieldError(f"{self.name} takes 1 to {MAX_DESTINATIONS} destinations, not {len(value)}")
        parts = [bytes((len(value),))]
        for one in value:
            if isinstance(one, DistributionList):
                parts += b"\2", _LIST.encode(one.dl_name)
            else:
                parts += b"\1", _TON.encode(one.dest_addr_ton), _NPI.encode(one.dest_addr_npi)
                parts.append(_ADDRESS.encode(one.destination_addr))
        return b"".join(parts)

    def decode(self, data: bytes, position: int, end: int) -> tuple[tuple[Destination | DistributionList, ...], int]:
        count, position = Int(self.name).decode(data, position, end)
        if not 1 <= count <= MAX_DESTINATIONS:
            raise FieldError(f"{self.name} takes 1 to {MAX_DESTINATIONS} destinations, not {count}")
        found: list[Destination | DistributionList] = []
        for _ in range(count):
            flag, position = Int("dest_flag").decode(data, position, end)
            if flag == 1:
                ton, position = _TON.decode(data, position, end)
                npi, position = _NPI.decode(data, position, end)
                address, position = _ADDRESS.decode(data, position, end)
                found.append(Destination(address, ton, npi))
            elif flag == 2:
                name, position = _LIST.decode(data, position, end)
                found.append(DistributionList(name))
            else:
                raise FieldError(f"dest_flag is 1 or 2, not {flag}", status=0x40)
        return tuple(found), position


@dataclass(frozen=True, slots=True)
class Refusals:
    """no_unsuccess (1 octet) and so many unsuccess_sme."""

    name: str

    def encode(self, value: Sequence[Unsuccessful]) -> bytes:
        if len(value) > 255:
            raise FieldError(f"{self.name} takes at most 255 refusals, not {len(value)}")
        parts = [bytes((len(value),))]
        for one in value:
            parts += _TON.encode(one.dest_addr_ton), _NPI.encode(one.dest_addr_npi)
            parts += _ADDRESS.encode(one.destination_addr), _ERROR.encode(one.error_status_code)
        return b"".join(parts)

    def decode(self, data: bytes, position: int, end: int) -> tuple[tuple[Unsuccessful, ...], int]:
        count, position = Int(self.name).decode(data, position, end)
        found: list[Unsuccessful] = []
        for _ in range(count):
            ton, position = _TON.decode(data, position, end)
            npi, position = _NPI.decode(data, position, end)
            address, position = _ADDRESS.decode(data, position, end)
            error, position = _ERROR.decode(data, position, end)
            found.append(Unsuccessful(address, ton, npi, error))
        return tuple(found), position


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMulti(PduWithTlvs):
    """4.5.1"""

    command: ClassVar[int] = Command.SUBMIT_MULTI
    fields: ClassVar[tuple[Field, ...]] = (
        Text("service_type", 6),
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 21),
        Destinations("destinations"),
        Int("esm_class"),
        Int("protocol_id"),
        Int("priority_flag"),
        Time("schedule_delivery_time"),
        Time("validity_period"),
        Int("registered_delivery"),
        Int("replace_if_present_flag"),
        Int("data_coding"),
        Int("sm_default_msg_id"),
        ShortMessage("short_message"),
    )

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    destinations: tuple[Destination | DistributionList, ...]
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMultiResp(PduWithTlvs):
    """4.5.2"""

    command: ClassVar[int] = Command.SUBMIT_MULTI_RESP
    fields: ClassVar[tuple[Field, ...]] = (MESSAGE_ID, Refusals("unsuccessful"))

    message_id: str = ""
    unsuccessful: tuple[Unsuccessful, ...] = ()
