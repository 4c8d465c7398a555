"""What can be done to a message that was submitted: query_sm, cancel_sm, replace_sm (SMPP 3.4, 4.8, 4.9, 4.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Pdu
from .fields import Field, Int, ShortMessage, Text, Time
from .header import Command
from .message import MESSAGE_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySm(Pdu):
    """4.8.1"""

    command: ClassVar[int] = Command.QUERY_SM
    fields: ClassVar[tuple[Field, ...]] = (
        MESSAGE_ID,
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 21),
    )

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySmResp(Pdu):
    """4.8.2; message_state as in 5.2.28."""

    command: ClassVar[int] = Command.QUERY_SM_RESP
    fields: ClassVar[tuple[Field, ...]] = (MESSAGE_ID, Time("final_date"), Int("message_state"), Int("error_code"))

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSm(Pdu):
    """4.9.1; an empty message_id cancels all messages between the two addresses."""

    command: ClassVar[int] = Command.CANCEL_SM
    fields: ClassVar[tuple[Field, ...]] = (
        Text("service_type", 6),
        MESSAGE_ID,
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 21),
        Int("dest_addr_ton"),
        Int("dest_addr_npi"),
        Text("destination_addr", 21),
    )

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSmResp(Pdu):
    """4.9.2"""

    command: ClassVar[int] = Command.CANCEL_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSm(Pdu):
    """4.10.1"""

    command: ClassVar[int] = Command.REPLACE_SM
    fields: ClassVar[tuple[Field, ...]] = (
        MESSAGE_ID,
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 21),
        Time("schedule_delivery_time"),
        Time("validity_period"),
        Int("registered_delivery"),
        Int("sm_default_msg_id"),
        ShortMessage("short_message"),
    )

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSmResp(Pdu):
    """4.10.2"""

    command: ClassVar[int] = Command.REPLACE_SM_RESP
