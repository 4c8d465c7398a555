"""A transport code on an SMPP account: segments made ready for the wire."""

from __future__ import annotations

import struct

from todoke.model.ids import reference
from todoke.model.transport_code import CodeType
from todoke.providers.smpp.settings import SmppSettings
from todoke.smpp.session import SubmitTemplate
from todoke.smpp.tlv import USER_MESSAGE_REFERENCE
from todoke.sms import gsm7

TRACE_TAG = 0x1500
"""In the range of SMSC vendors (SMPP 3.4, 5.3.2): message id (8 octets), segment (1), attempt (2)."""

_reference = struct.Struct(">HHH").pack
_trace = struct.Struct(">HHQBH").pack
_UDH = 0x40  # esm_class: a user data header comes first (SMPP 3.4, 5.2.12)


class SmppSender:
    """Everything constant is put together once, for each code."""

    __slots__ = ("_body", "_recode", "_reference", "_short", "_trace")

    def __init__(self, settings: SmppSettings, code: str, code_type: CodeType) -> None:
        template = SubmitTemplate(
            source_addr=code.lstrip("+"),
            ton=code_type.ton if settings.source_ton is None else settings.source_ton,
            npi=code_type.npi if settings.source_npi is None else settings.source_npi,
            dest_ton=1,
            dest_npi=1,
            registered_delivery=1 if settings.receipts else 0,
            service_type=settings.service_type,
        )
        self._body = template.body
        self._short = template.short
        self._reference = settings.reference
        self._trace = settings.trace
        self._recode = settings.alphabet == "latin1"

    def segment(
        self,
        destination: int,
        payload: bytes,
        data_coding: int,
        header: bytes,
        message_id: int,
        number: int,
        attempt: int,
    ) -> bytes:
        """The body of one submit_sm."""
        if self._recode and data_coding == 0:
            payload, data_coding = _latin1(payload)
        tlvs = b""
        if self._reference:
            tlvs = _reference(USER_MESSAGE_REFERENCE, 2, reference(message_id, number, attempt))
        if self._trace:
            tlvs += _trace(TRACE_TAG, 11, message_id, number, attempt)
        if not header:
            return self._short(destination, payload, data_coding, tlvs)
        return self._body(str(destination), header + payload, esm_class=_UDH, data_coding=data_coding, tlvs=tlvs)


def _latin1(septets: bytes) -> tuple[bytes, int]:
    """The same text for an account whose default alphabet is Latin-1; UCS-2 where Latin-1 lacks a character."""
    text = gsm7.decode(septets)
    try:
        return text.encode("latin-1"), 0
    except UnicodeEncodeError:
        return text.encode("utf-16-be"), 8
