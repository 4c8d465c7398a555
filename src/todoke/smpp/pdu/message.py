"""Carrying a message: submit_sm, deliver_sm, data_sm and their responses (SMPP 3.4, 4.4, 4.6, 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from .base import PduWithTlvs
from .fields import Field, Int, ShortMessage, Text, Time
from .header import Command

MESSAGE_ID: Final = Text("message_id", 65)

_MESSAGE: Final[tuple[Field, ...]] = (
    Text("service_type", 6),
    Int("source_addr_ton"),
    Int("source_addr_npi"),
    Text("source_addr", 21),
    Int("dest_addr_ton"),
    Int("dest_addr_npi"),
    Text("destination_addr", 21),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(PduWithTlvs):
    """What submit_sm and deliver_sm share."""

    fields: ClassVar[tuple[Field, ...]] = _MESSAGE

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
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
class SubmitSm(Message):
    """4.4.1"""

    command: ClassVar[int] = Command.SUBMIT_SM


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSm(Message):
    """4.6.1"""

    command: ClassVar[int] = Command.DELIVER_SM


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageResp(PduWithTlvs):
    """What the responses to the three share. TLVs: data_sm_resp (4.7.2), and all of them in SMPP 5.0."""

    fields: ClassVar[tuple[Field, ...]] = (MESSAGE_ID,)

    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSmResp(MessageResp):
    """4.4.2"""

    command: ClassVar[int] = Command.SUBMIT_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSmResp(MessageResp):
    """4.6.2; message_id is unused and empty."""

    command: ClassVar[int] = Command.DELIVER_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSm(PduWithTlvs):
    """4.7.1; the content is in the TLV message_payload."""

    command: ClassVar[int] = Command.DATA_SM
    fields: ClassVar[tuple[Field, ...]] = (
        Text("service_type", 6),
        Int("source_addr_ton"),
        Int("source_addr_npi"),
        Text("source_addr", 65),
        Int("dest_addr_ton"),
        Int("dest_addr_npi"),
        Text("destination_addr", 65),
        Int("esm_class"),
        Int("registered_delivery"),
        Int("data_coding"),
    )

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSmResp(MessageResp):
    """4.7.2"""

    command: ClassVar[int] = Command.DATA_SM_RESP
