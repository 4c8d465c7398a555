"""Optional parameters: tag (2 octets), length (2 octets), value (SMPP 3.4, 3.2.4 and 5.3).

Unknown tags, vendor ones included (0x1400-0x3FFF), are kept as raw octets and go round unchanged. Values are raw octets
everywhere; sizes of known tags are enforced when a TLV is made, not when one is read, because SMSCs in use send
values of odd sizes and refusing those would make them repeat a receipt for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final, NamedTuple

from .errors import TlvError

_HEAD: Final = Struct(">HH")
_pack_head = _HEAD.pack
_unpack_head = _HEAD.unpack_from

DEST_ADDR_SUBUNIT: Final = 0x0005
DEST_NETWORK_TYPE: Final = 0x0006
SOURCE_ADDR_SUBUNIT: Final = 0x000D
SOURCE_NETWORK_TYPE: Final = 0x000E
QOS_TIME_TO_LIVE: Final = 0x0017
PAYLOAD_TYPE: Final = 0x0019
ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
RECEIPTED_MESSAGE_ID: Final = 0x001E
PRIVACY_INDICATOR: Final = 0x0201
SOURCE_SUBADDRESS: Final = 0x0202
DEST_SUBADDRESS: Final = 0x0203
USER_MESSAGE_REFERENCE: Final = 0x0204
USER_RESPONSE_CODE: Final = 0x0205
SOURCE_PORT: Final = 0x020A
DESTINATION_PORT: Final = 0x020B
SAR_MSG_REF_NUM: Final = 0x020C
LANGUAGE_INDICATOR: Final = 0x020D
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
CALLBACK_NUM: Final = 0x0381
DPF_RESULT: Final = 0x0420
SET_DPF: Final = 0x0421
MS_AVAILABILITY_STATUS: Final = 0x0422
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
DELIVERY_FAILURE_REASON: Final = 0x0425
MORE_MESSAGES_TO_SEND: Final = 0x0426
MESSAGE_STATE: Final = 0x0427
USSD_SERVICE_OP: Final = 0x0501
DISPLAY_TIME: Final = 0x1201
SMS_SIGNAL: Final = 0x1203
MS_VALIDITY: Final = 0x1204
ALERT_ON_MESSAGE_DELIVERY: Final = 0x130C
ITS_REPLY_TYPE: Final = 0x1380
ITS_SESSION_INFO: Final = 0x1383

SIZES: Final[dict[int, tuple[int, int]]] = {
    DEST_ADDR_SUBUNIT: (1, 1),
    DEST_NETWORK_TYPE: (1, 1),
    SOURCE_ADDR_SUBUNIT: (1, 1),
    SOURCE_NETWORK_TYPE: (1, 1),
    QOS_TIME_TO_LIVE: (4, 4),
    PAYLOAD_TYPE: (1, 1),
    ADDITIONAL_STATUS_INFO_TEXT: (1, 256),
    RECEIPTED_MESSAGE_ID: (1, 65),
    PRIVACY_INDICATOR: (1, 1),
    SOURCE_SUBADDRESS: (2, 23),
    DEST_SUBADDRESS: (2, 23),
    USER_MESSAGE_REFERENCE: (2, 2),
    USER_RESPONSE_CODE: (1, 1),
    SOURCE_PORT: (2, 2),
    DESTINATION_PORT: (2, 2),
    SAR_MSG_REF_NUM: (2, 2),
    LANGUAGE_INDICATOR: (1, 1),
    SAR_TOTAL_SEGMENTS: (1, 1),
    SAR_SEGMENT_SEQNUM: (1, 1),
    SC_INTERFACE_VERSION: (1, 1),
    CALLBACK_NUM: (4, 19),
    DPF_RESULT: (1, 1),
    SET_DPF: (1, 1),
    MS_AVAILABILITY_STATUS: (1, 1),
    NETWORK_ERROR_CODE: (3, 3),
    DELIVERY_FAILURE_REASON: (1, 1),
    MORE_MESSAGES_TO_SEND: (1, 1),
    MESSAGE_STATE: (1, 1),
    USSD_SERVICE_OP: (1, 1),
    DISPLAY_TIME: (1, 1),
    SMS_SIGNAL: (2, 2),
    MS_VALIDITY: (1, 1),
    ALERT_ON_MESSAGE_DELIVERY: (0, 0),
    ITS_REPLY_TYPE: (1, 1),
    ITS_SESSION_INFO: (2, 2),
}
"""Least and greatest size in octets of the value, terminator included, of the tags of SMPP 3.4, 5.3.2."""


class Tlv(NamedTuple):
    """One optional parameter, its value as it stands on the wire."""

    tag: int
    value: bytes


def pack(tag: int, value: bytes) -> bytes:
    """One TLV as octets. Raises `TlvError` when the tag or the size of the value is out of range."""
    size = len(value)
    if not 0 <= tag <= 0xFFFF or size > 0xFFFF:
        raise TlvError(f"TLV 0x{tag:X} with {size} octets does not fit")
    limits = SIZES.get(tag)
    if limits is not None and not limits[0] <= size <= limits[1]:
        raise TlvError(f"TLV 0x{tag:04X} takes {limits[0]} to {limits[1]} octets, not {size}")
    return _pack_head(tag, size) + value


def pack_int(tag: int, value: int) -> bytes:
    """One TLV holding an unsigned integer, in the size that the specification gives the (known) tag."""
    limits = SIZES.get(tag)
    if limits is None or limits[0] != limits[1] or not 0 <= value < 1 << (8 * limits[0]):
        raise TlvError(f"TLV 0x{tag:X} cannot hold the number {value}")
    return _pack_head(tag, limits[0]) + value.to_bytes(limits[0], "big")


def pack_text(tag: int, value: str) -> bytes:
    """One TLV holding a C-octet string: latin-1 and a terminating NUL."""
    try:
        return pack(tag, value.encode("latin-1") + b"\0")
    except UnicodeEncodeError:
        raise TlvError(f"TLV 0x{tag:X} holds octets only") from None


def pack_all(tlvs: Iterable[Tlv]) -> bytes:
    """Several TLVs as octets, in their order."""
    return b"".join([pack(tag, value) for tag, value in tlvs])


def parse(data: bytes, start: int = 0, end: int | None = None) -> tuple[Tlv, ...]:
    """All TLVs of `data[start:end]`, in their order. Raises `TlvError` when they do not end exactly at `end`."""
    position = start
    last = len(data) if end is None else end
    found: list[Tlv] = []
    while position < last:
        tag, start, position = _next(data, position, last)
        found.append(Tlv(tag, data[start:position]))
    return tuple(found)


def scan(data: bytes, position: int, end: int) -> dict[int, bytes]:
    """Like `parse`, as a mapping; of a repeated tag the last one is kept."""
    found: dict[int, bytes] = {}
    while position < end:
        tag, start, position = _next(data, position, end)
        found[tag] = data[start:position]
    return found


def text(value: bytes) -> str:
    """The text of a TLV holding a C-octet string; a missing terminator is tolerated."""
    return value.partition(b"\0")[0].decode("latin-1")


def _next(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """The tag at `position`, where its value starts and where it stops."""
    start = position + 4
    if start > end:
        raise TlvError("The optional parameters end within a tag or a length")
    tag, size = _unpack_head(data, position)
    stop = start + size
    if stop > end:
        raise TlvError(f"TLV 0x{tag:04X} says {size} octets, more than there are")
    return tag, start, stop
