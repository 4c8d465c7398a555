"""PDUs to octets and back: the generic way, for every command. The session has a faster one for its hot path."""

from __future__ import annotations

from typing import Any, Final

from .. import tlv
from ..errors import FieldError, FramingError, UnknownCommandError
from . import bind, control, message, multi, operation
from .base import Pdu, PduWithTlvs
from .header import DEFAULT_MAX_PDU, HEADER, HEADER_SIZE, RESPONSE, read_header

_KINDS: Final[tuple[type[Pdu], ...]] = (
    bind.BindReceiver,
    bind.BindReceiverResp,
    bind.BindTransmitter,
    bind.BindTransmitterResp,
    bind.BindTransceiver,
    bind.BindTransceiverResp,
    bind.Outbind,
    control.AlertNotification,
    control.EnquireLink,
    control.EnquireLinkResp,
    control.GenericNack,
    control.Unbind,
    control.UnbindResp,
    message.DataSm,
    message.DataSmResp,
    message.DeliverSm,
    message.DeliverSmResp,
    message.SubmitSm,
    message.SubmitSmResp,
    multi.SubmitMulti,
    multi.SubmitMultiResp,
    operation.CancelSm,
    operation.CancelSmResp,
    operation.QuerySm,
    operation.QuerySmResp,
    operation.ReplaceSm,
    operation.ReplaceSmResp,
)
KINDS: Final[dict[int, type[Pdu]]] = {kind.command: kind for kind in _KINDS}
"""Every PDU of SMPP 3.4 by its command_id."""


def encode(pdu: Pdu, *, sequence: int | None = None) -> bytes:
    """`pdu` as octets, with `sequence` in place of its own when given.

    A response with an error status and nothing in its body is sent without a body, as the specification asks for
    (4.1.2, 4.4.2). Raises `SmppError` when a field does not fit.
    """
    number = pdu.sequence if sequence is None else sequence
    if not 0 <= number <= 0xFFFFFFFF or not 0 <= pdu.status <= 0xFFFFFFFF:
        raise FieldError("sequence_number and command_status are 4 octets each")
    body = b"" if pdu.status and _is_empty_response(pdu) else encode_body(pdu)
    return HEADER.pack(HEADER_SIZE + len(body), pdu.command, pdu.status, number) + body


def encode_body(pdu: Pdu) -> bytes:
    """What follows the header."""
    parts = [field.encode(getattr(pdu, field.name)) for field in pdu.fields]
    if isinstance(pdu, PduWithTlvs):
        parts.append(tlv.pack_all(pdu.tlvs))
    return b"".join(parts)


def decode(data: bytes, *, max_pdu: int = DEFAULT_MAX_PDU) -> Pdu:
    """The one PDU that `data` is. Raises `SmppError`, and nothing else, when it is not exactly one."""
    header = read_header(data, max_pdu=max_pdu)
    if header is None or header.length != len(data):
        raise FramingError(f"{len(data)} octets are not one PDU")
    return decode_body(header.command, header.status, header.sequence, data, HEADER_SIZE, len(data))


def decode_body(command: int, status: int, sequence: int, data: bytes, position: int, end: int) -> Pdu:
    """The PDU whose header was read and whose body is `data[position:end]`.

    A response may come without its body, whatever its status: error responses are meant to (4.4.2), and enough SMSCs
    answer deliver_sm and unbind so. Raises `UnknownCommandError`, `FieldError` or `TlvError`.
    """
    kind = KINDS.get(command)
    if kind is None:
        raise UnknownCommandError(f"command_id 0x{command:08X} is not known")
    values: dict[str, Any] = {"status": status, "sequence": sequence}
    if position < end or not command & RESPONSE:
        for field in kind.fields:
            values[field.name], position = field.decode(data, position, end)
        if kind.takes_tlvs:
            values["tlvs"] = tlv.parse(data, position, end)
        elif position != end:
            raise FieldError(f"{kind.__name__} has {end - position} octets too many")
    return kind(**values)


def _is_empty_response(pdu: Pdu) -> bool:
    return bool(pdu.command & RESPONSE) and pdu == type(pdu)(status=pdu.status, sequence=pdu.sequence)
