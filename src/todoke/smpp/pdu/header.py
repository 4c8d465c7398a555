"""The header: command_length, command_id, command_status, sequence_number, 4 octets each (SMPP 3.4, 3.2 and 5.1)."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from ..errors import FramingError

HEADER: Final = Struct(">IIII")
HEADER_SIZE: Final = 16
RESPONSE: Final = 0x80000000
"""The bit that turns the command_id of a request into that of its response."""
MAX_SEQUENCE: Final = 0x7FFFFFFF
"""Sequence numbers run from 1 to this and start again (5.1.4)."""
DEFAULT_MAX_PDU: Final = 64 * 1024
"""Octets of the longest PDU that is taken from a peer."""


class Command:
    """command_id values (SMPP 3.4, 5.1.2.1). Plain integers: they are compared in tight loops."""

    GENERIC_NACK: Final = 0x80000000
    BIND_RECEIVER: Final = 0x00000001
    BIND_RECEIVER_RESP: Final = 0x80000001
    BIND_TRANSMITTER: Final = 0x00000002
    BIND_TRANSMITTER_RESP: Final = 0x80000002
    QUERY_SM: Final = 0x00000003
    QUERY_SM_RESP: Final = 0x80000003
    SUBMIT_SM: Final = 0x00000004
    SUBMIT_SM_RESP: Final = 0x80000004
    DELIVER_SM: Final = 0x00000005
    DELIVER_SM_RESP: Final = 0x80000005
    UNBIND: Final = 0x00000006
    UNBIND_RESP: Final = 0x80000006
    REPLACE_SM: Final = 0x00000007
    REPLACE_SM_RESP: Final = 0x80000007
    CANCEL_SM: Final = 0x00000008
    CANCEL_SM_RESP: Final = 0x80000008
    BIND_TRANSCEIVER: Final = 0x00000009
    BIND_TRANSCEIVER_RESP: Final = 0x80000009
    OUTBIND: Final = 0x0000000B
    ENQUIRE_LINK: Final = 0x00000015
    ENQUIRE_LINK_RESP: Final = 0x80000015
    SUBMIT_MULTI: Final = 0x00000021
    SUBMIT_MULTI_RESP: Final = 0x80000021
    ALERT_NOTIFICATION: Final = 0x00000102
    DATA_SM: Final = 0x00000103
    DATA_SM_RESP: Final = 0x80000103


class Header(NamedTuple):
    """The first 16 octets of a PDU."""

    length: int
    command: int
    status: int
    sequence: int


def read_header(data: bytes, position: int = 0, *, max_pdu: int = DEFAULT_MAX_PDU) -> Header | None:
    """The header at `position`, or None when fewer than 16 octets are there yet.

    Raises `FramingError` when command_length is shorter than a header or longer than `max_pdu`: the stream is lost.
    """
    if len(data) - position < HEADER_SIZE:
        return None
    header = Header._make(HEADER.unpack_from(data, position))
    if not HEADER_SIZE <= header.length <= max_pdu:
        raise FramingError(f"command_length {header.length} is not between {HEADER_SIZE} and {max_pdu}")
    return header
