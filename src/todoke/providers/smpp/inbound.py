"""What an SMSC delivers, read: a receipt, or a message from a phone."""

from __future__ import annotations

from collections.abc import Mapping

from todoke.model.clock import Micros
from todoke.model.maker import maker
from todoke.providers.base import Heard, Word
from todoke.smpp.receipt import IdStyle, State, normalise_id, parse
from todoke.smpp.session import Deliver, Receipted
from todoke.smpp.tlv import SAR_MSG_REF_NUM, SAR_SEGMENT_SEQNUM, SAR_TOTAL_SEGMENTS
from todoke.sms import gsm7

_WORDS = {
    State.EXPIRED: "EXPIRED",
    State.DELETED: "DELETED",
    State.UNDELIVERABLE: "UNDELIV",
    State.REJECTED: "REJECTD",
    State.SKIPPED: "SKIPPED",
}
_make_word = maker(Word)
_CONCATENATION_8 = 0x00  # information elements of the user data header (3GPP TS 23.040, 9.2.3.24)
_CONCATENATION_16 = 0x08


def word(event: Deliver, style: IdStyle, now: Micros, handle: object) -> Word | None:
    """The receipt in it; None where it is a message, or a receipt that says nothing final (it is acknowledged, no
    more).
    """
    receipt = parse(event)
    if receipt is None or not receipt.state.final or not receipt.message_id:
        return None
    identity = normalise_id(receipt.message_id, style)
    if receipt.state is State.DELIVERED:
        return Word(identity, True, "", now, "", handle, event.source, event.destination, event.user_message_reference)
    reason = _reason(receipt.state, receipt.error)
    return Word(identity, False, reason, now, "", handle, event.source, event.destination, event.user_message_reference)


def receipted(event: Receipted, style: IdStyle, now: Micros, handle: object) -> Word:
    """What `word` says of the same receipt, which the session has read already."""
    identity = event.message_id if style is IdStyle.EXACT else normalise_id(event.message_id, style)
    said = (event.source, event.destination, event.reference)
    if event.state is State.DELIVERED:
        return _make_word((identity, True, "", now, "", handle, *said))
    return Word(identity, False, _reason(event.state, event.error), now, "", handle, *said)


def _reason(state: State, error: str | None) -> str:
    return f"receipt:{_WORDS[state]}" + (f":{error}" if error else "")


def heard(event: Deliver, session: str, handle: object, alphabet: str) -> Heard | None:
    """The message from a phone; None for a receipt without a final word."""
    if parse(event) is not None:
        return None
    payload, reference, total, number = event.payload, None, 1, 1
    if event.has_udh and payload:
        end = payload[0] + 1
        reference, total, number = _concatenation(payload[1:end])
        payload = payload[end:]
    if reference is None:
        reference, total, number = _segmentation(event.tlvs)
    text = _decode(payload, event.data_coding, alphabet)
    return Heard(event.source, event.destination, text, reference, total, number, session, handle)


def _concatenation(header: bytes) -> tuple[int | None, int, int]:
    """(reference, total, number); (None, 1, 1) where the header does not speak of parts or is broken."""
    at = 0
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if kind == _CONCATENATION_8 and len(value) == 3 and 1 <= value[2] <= value[1]:
            return value[0], value[1], value[2]
        if kind == _CONCATENATION_16 and len(value) == 4 and 1 <= value[3] <= value[2]:
            return int.from_bytes(value[:2], "big"), value[2], value[3]
        at += 2 + size
    return None, 1, 1


def _segmentation(tlvs: Mapping[int, bytes]) -> tuple[int | None, int, int]:
    """The same from the TLVs sar_msg_ref_num and its kin (SMPP 3.4, 5.3.2.22-24), which some gateways use instead."""
    reference, total, number = (
        int.from_bytes(tlvs.get(tag, b""), "big") for tag in (SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM)
    )
    return (reference, total, number) if SAR_MSG_REF_NUM in tlvs and 1 <= number <= total else (None, 1, 1)


def _decode(payload: bytes, data_coding: int, alphabet: str) -> str:
    """The text by its data_coding (SMPP 3.4, 5.2.19); what cannot be read becomes U+FFFD rather than nothing."""
    match data_coding:
        case 8:
            return payload.decode("utf-16-be", "replace")
        case 1:
            return payload.decode("ascii", "replace")
        case 3:
            return payload.decode("latin-1")
        case 5 | 13:
            return payload.decode("iso2022_jp_ext", "replace")
        case 10:
            return payload.decode("iso2022_jp", "replace")
        case _:
            return payload.decode("latin-1") if alphabet == "latin1" else gsm7.decode(payload)
