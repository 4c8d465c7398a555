"""Bodies of submit_sm and deliver_sm, made fast: what is the same for a whole run is put into octets once.

The layout is SMPP 3.4, 4.4.1 and 4.6.1; the fields' limits are those of `pdu`, which makes the constant parts.
"""

from __future__ import annotations

from typing import Final

from ..errors import FieldError
from ..pdu import MAX_SHORT_MESSAGE
from ..pdu.fields import Int, Text, Time
from ..tlv import MESSAGE_PAYLOAD, pack

_OCTET: Final = tuple(bytes((value,)) for value in range(256))
_MAX_ADDRESS: Final = 20
_MAX_NUMBER: Final = 10**_MAX_ADDRESS - 1


def _octets(**values: int) -> bytes:
    return b"".join([Int(name).encode(value) for name, value in values.items()])


def _address(value: str | bytes) -> bytes:
    """An address without its terminator. Raises `FieldError`."""
    try:
        octets = value if isinstance(value, bytes) else value.encode("latin-1")
    except UnicodeEncodeError:
        raise FieldError("An address holds octets only") from None
    if len(octets) > _MAX_ADDRESS or 0 in octets:
        raise FieldError("An address takes at most 20 octets and no NUL")
    return octets


class _Tail:
    """What lies between the destination's address and short_message; it depends on esm_class and data_coding only."""

    __slots__ = ("_after", "_between", "_cache")

    def __init__(
        self,
        protocol_id: int,
        priority_flag: int,
        schedule_delivery_time: str,
        validity_period: str,
        registered_delivery: int,
        replace_if_present: int,
        default_message: int,
    ) -> None:
        self._between = (
            _octets(protocol_id=protocol_id, priority_flag=priority_flag)
            + Time("schedule_delivery_time").encode(schedule_delivery_time)
            + Time("validity_period").encode(validity_period)
            + _octets(registered_delivery=registered_delivery, replace_if_present_flag=replace_if_present)
        )
        self._after = _octets(sm_default_msg_id=default_message)
        self._cache: dict[tuple[int, int], bytes] = {}  # at most 65,536 entries, in practice four

    def get(self, esm_class: int, data_coding: int, before: bytes) -> bytes:
        key = (esm_class, data_coding)
        found = self._cache.get(key)
        if found is None:
            found = before + _octets(esm_class=esm_class) + self._between
            found += _octets(data_coding=data_coding) + self._after
            self._cache[key] = found
        return found


class SubmitTemplate:
    """All of a submit_sm but its destination and content. Raises `FieldError` when a field does not fit."""

    __slots__ = ("_forms", "_prefix", "_tail")

    def __init__(
        self,
        source_addr: str | bytes = "",
        ton: int = 0,
        npi: int = 0,
        dest_ton: int = 1,
        dest_npi: int = 1,
        *,
        registered_delivery: int = 0,
        validity_period: str = "",
        schedule_delivery_time: str = "",
        service_type: str = "",
        protocol_id: int = 0,
        priority_flag: int = 0,
        replace_if_present: int = 0,
        default_message: int = 0,
    ) -> None:
        self._prefix = (
            Text("service_type", 6).encode(service_type)
            + _octets(source_addr_ton=ton, source_addr_npi=npi)
            + _address(source_addr)
            + b"\0"
            + _octets(dest_addr_ton=dest_ton, dest_addr_npi=dest_npi)
        )
        self._tail = _Tail(
            protocol_id,
            priority_flag,
            schedule_delivery_time,
            validity_period,
            registered_delivery,
            replace_if_present,
            default_message,
        )
        self._forms: dict[int, bytes] = {}  # by data_coding

    def short(self, destination: int, payload: bytes, data_coding: int = 0, tlvs: bytes = b"") -> bytes:
        """`body` for a number, without esm_class, at half its cost. Raises as it does."""
        size = len(payload)
        if size > MAX_SHORT_MESSAGE or not 0 <= destination <= _MAX_NUMBER:
            return self.body(str(destination), payload, data_coding=data_coding, tlvs=tlvs)
        form = self._forms.get(data_coding)
        if form is None:
            front, tail = (o.replace(b"%", b"%%") for o in (self._prefix, self._tail.get(0, data_coding, b"\0")))
            form = self._forms[data_coding] = front + b"%d" + tail + b"%c%b%b"
        return form % (destination, size, payload, tlvs)

    def body(
        self,
        destination: str | bytes,
        payload: bytes,
        *,
        esm_class: int = 0,
        data_coding: int = 0,
        tlvs: bytes = b"",
    ) -> bytes:
        """The body of one submit_sm; `tlvs` comes from `tlv.pack` and its kin.

        A payload of more than 254 octets goes into the TLV message_payload (5.3.2.32), which many gateways ignore:
        cut long texts into segments instead. Raises `FieldError` or `TlvError`.
        """
        address = _address(destination)
        size = len(payload)
        tail = self._tail.get(esm_class, data_coding, b"\0")
        if size > MAX_SHORT_MESSAGE:
            tlvs = pack(MESSAGE_PAYLOAD, payload) + tlvs
            payload = b""
            size = 0
        return b"".join((self._prefix, address, tail, _OCTET[size], payload, tlvs))


class DeliverTemplate:
    """All of a deliver_sm but its source and content: what an SMSC sends to one of its customer's numbers."""

    __slots__ = ("_destination", "_prefix", "_tail")

    def __init__(
        self,
        destination_addr: str | bytes = "",
        ton: int = 1,
        npi: int = 1,
        dest_ton: int = 0,
        dest_npi: int = 0,
        *,
        service_type: str = "",
        protocol_id: int = 0,
        priority_flag: int = 0,
        registered_delivery: int = 0,
    ) -> None:
        self._prefix = Text("service_type", 6).encode(service_type)
        self._prefix += _octets(source_addr_ton=ton, source_addr_npi=npi)
        self._destination = b"\0" + _octets(dest_addr_ton=dest_ton, dest_addr_npi=dest_npi)
        self._destination += _address(destination_addr) + b"\0"
        self._tail = _Tail(protocol_id, priority_flag, "", "", registered_delivery, 0, 0)

    def body(
        self,
        source: str | bytes,
        payload: bytes,
        *,
        esm_class: int = 0,
        data_coding: int = 0,
        tlvs: bytes = b"",
    ) -> bytes:
        """The body of one deliver_sm, by the rules of `SubmitTemplate.body`."""
        address = _address(source)
        size = len(payload)
        tail = self._tail.get(esm_class, data_coding, self._destination)
        if size > MAX_SHORT_MESSAGE:
            tlvs = pack(MESSAGE_PAYLOAD, payload) + tlvs
            payload = b""
            size = 0
        return b"".join((self._prefix, address, tail, _OCTET[size], payload, tlvs))
