"""A transport code on an SMPP account: segments made ready for the wire."""

from __future__ import annotations

import struct
from functools import partial

from todoke.model.clock import Micros, to_datetime
from todoke.model.ids import reference
from todoke.model.transport_code import CodeType
from todoke.providers.smpp.settings import SmppSettings
from todoke.smpp.session import SubmitTemplate
from todoke.smpp.tlv import USER_MESSAGE_REFERENCE
from todoke.sms import gsm7

TRACE_TAG = 0x1500
"""In the range of SMSC vendors (SMPP 3.4, 5.3.2): message id (8 octets), segment (1), attempt (2)."""

_pack_reference = struct.Struct(">HHH").pack
_trace = struct.Struct(">HHQBH").pack
_MOST_FORMS = 256
_UDH = 0x40  # esm_class: a user data header comes first (SMPP 3.4, 5.2.12)


class SmppSender:
    """Everything constant is put together once, for each code and each moment at which a carrier is to give up: that
    is the end of a calling window, so that all texts of a zone share it for the day.
    """

    __slots__ = ("_constant", "_forms", "_recode", "_reference", "_trace", "_validity")

    def __init__(self, settings: SmppSettings, code: str, code_type: CodeType) -> None:
        self._constant = partial(
            SubmitTemplate,
            source_addr=code.lstrip("+"),
            ton=code_type.ton if settings.source_ton is None else settings.source_ton,
            npi=code_type.npi if settings.source_npi is None else settings.source_npi,
            dest_ton=1,
            dest_npi=1,
            registered_delivery=1 if settings.receipts else 0,
            service_type=settings.service_type,
        )
        self._forms: dict[Micros, SubmitTemplate] = {0: self._constant()}
        self._reference = settings.reference
        self._trace = settings.trace
        self._recode = settings.alphabet == "latin1"
        self._validity = settings.validity

    def segment(
        self,
        destination: int,
        payload: bytes,
        data_coding: int,
        header: bytes,
        message_id: int,
        number: int,
        attempt: int,
        valid_until: Micros = 0,
    ) -> bytes:
        """The body of one submit_sm."""
        if self._recode and data_coding == 0:
            payload, data_coding = _latin1(payload)
        tlvs = b""
        if self._reference:
            tlvs = _pack_reference(USER_MESSAGE_REFERENCE, 2, reference(message_id, number, attempt))
        if self._trace:
            tlvs += _trace(TRACE_TAG, 11, message_id, number, attempt)
        form = self._forms.get(valid_until) or self._form(valid_until)
        if not header:
            return form.short(destination, payload, data_coding, tlvs)
        return form.body(str(destination), header + payload, esm_class=_UDH, data_coding=data_coding, tlvs=tlvs)

    def _form(self, valid_until: Micros) -> SubmitTemplate:
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        said = absolute(valid_until) if self._validity and valid_until else ""
        form = self._forms[valid_until] = self._constant(validity_period=said)
        return form


def absolute(moment: Micros) -> str:
    """A moment as SMPP writes it (3.4, 7.1.1.1), in UTC, rounded down to the second."""
    return f"{to_datetime(moment):%y%m%d%H%M%S}000+"


def _latin1(septets: bytes) -> tuple[bytes, int]:
    """The same text for an account whose default alphabet is Latin-1; UCS-2 where Latin-1 lacks a character."""
    text = gsm7.decode(septets)
    try:
        return text.encode("latin-1"), 0
    except UnicodeEncodeError:
        return text.encode("utf-16-be"), 8
