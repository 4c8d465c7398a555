"""One submit as the ledger keeps it. A judge shares no parser with what it judges: this one reads raw octets."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

MARK_TAG = 0x1500
"""Vendor TLV by which the engine marks a submit: 8 octets message id, 1 octet segment (from 1), 2 octets attempt."""

_MARK = struct.Struct(">QBH")
_TLV = struct.Struct(">HH")
_NO_REFERENCE = 0xFFFFFFFF
_FIXED = struct.Struct(">QQIIIBHBBIBI8sBQBH")


class MalformedSubmit(ValueError):
    """The octets of a submit end before its fields do."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose submit it is, by the engine's own count: the key of duplicates is (message_id, segment)."""

    message_id: int
    segment: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Concatenation:
    """The concatenation header of a segment: `number` of `total` (from 1) under `reference`."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One submit. `at` is wall time and `monotonic` the monotonic clock at reception, both in microseconds."""

    at: int
    monotonic: int
    account: str
    connection: int
    sequence: int
    source: str
    destination: str
    given: str
    """The message id that the response carried; empty for a refusal."""
    status: int
    """The command_status of the response."""
    fate: int
    """What became of the response: a `behaviour.Fate`."""
    concatenation: Concatenation | None
    user_message_reference: int | None
    data_coding: int
    size: int
    """Octets of the payload, headers included."""
    digest: bytes
    """The first 8 octets of the payload's BLAKE2b."""
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class RawSubmit:
    """The fields of a submit_sm that matter to the ledger and to the phone, read without any codec."""

    sequence: int
    source: str
    destination: str
    esm_class: int
    registered_delivery: int
    data_coding: int
    payload: bytes
    concatenation: Concatenation | None
    user_message_reference: int | None
    mark: Mark | None


def digest(payload: bytes) -> bytes:
    """The 8 octets by which the ledger recognises a payload."""
    return hashlib.blake2b(payload, digest_size=8).digest()


def udh_concatenation(esm_class: int, payload: bytes) -> Concatenation | None:
    """The 8- or 16-bit concatenation element of a user data header, if there is one (3GPP 23.040, 9.2.3.24)."""
    if not esm_class & 0x40 or not payload:
        return None
    end = min(1 + payload[0], len(payload))
    at = 1
    while at + 2 <= end:
        kind, size = payload[at], payload[at + 1]
        element = payload[at + 2 : min(at + 2 + size, end)]
        if kind == 0x00 and len(element) == 3:
            return Concatenation(element[0], element[1], element[2])
        if kind == 0x08 and len(element) == 4:
            return Concatenation(element[0] << 8 | element[1], element[2], element[3])
        at += 2 + size
    return None


def parse_mark(value: bytes) -> Mark | None:
    """The mark in a TLV value; None when it has not the size of one."""
    return Mark(*_MARK.unpack(value)) if len(value) == _MARK.size else None


def mark_value(message_id: int, segment: int, attempt: int) -> bytes:
    """The value of the TLV that marks a submit."""
    return _MARK.pack(message_id, segment, attempt)


def parse_submit(pdu: bytes) -> RawSubmit:
    """Read a whole submit_sm PDU (SMPP 3.4, 4.4.1). Raises MalformedSubmit."""
    try:
        at = pdu.index(0, 16) + 1  # past service_type
        end = pdu.index(0, at + 2)
        source = pdu[at + 2 : end].decode("latin-1")
        at = end + 1
        end = pdu.index(0, at + 2)
        destination = pdu[at + 2 : end].decode("latin-1")
        esm_class = pdu[end + 1]
        at = pdu.index(0, end + 4) + 1  # past protocol_id, priority_flag, schedule_delivery_time
        at = pdu.index(0, at) + 1  # past validity_period
        registered_delivery, data_coding, size = pdu[at], pdu[at + 2], pdu[at + 4]
        payload = pdu[at + 5 : at + 5 + size]
        if len(payload) != size:
            raise MalformedSubmit("the submit_sm ends within its short_message")
        tlvs = _tlvs(pdu, at + 5 + size)
    except (IndexError, ValueError, struct.error) as error:
        raise MalformedSubmit("the submit_sm ends before its fields do") from error
    payload = tlvs.get(0x0424, payload)
    reference = tlvs.get(0x0204, b"")
    return RawSubmit(
        sequence=int.from_bytes(pdu[12:16], "big"),
        source=source,
        destination=destination,
        esm_class=esm_class,
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        payload=payload,
        concatenation=udh_concatenation(esm_class, payload) or sar_concatenation(tlvs),
        user_message_reference=int.from_bytes(reference, "big") if len(reference) == 2 else None,
        mark=parse_mark(tlvs.get(MARK_TAG, b"")),
    )


def sar_concatenation(tlvs: dict[int, bytes]) -> Concatenation | None:
    """The concatenation that the three sar_ TLVs describe, by tag and raw value."""
    reference, total, number = tlvs.get(0x020C, b""), tlvs.get(0x020E, b""), tlvs.get(0x020F, b"")
    if len(reference) == 2 and len(total) == 1 and len(number) == 1:
        return Concatenation(int.from_bytes(reference, "big"), total[0], number[0])
    return None


def _tlvs(pdu: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at < len(pdu):
        tag, size = _TLV.unpack_from(pdu, at)
        found[tag] = pdu[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def pack_entry(entry: Entry) -> bytes:
    """An entry as the body of a ledger record."""
    joined, mark = entry.concatenation, entry.mark
    fixed = _FIXED.pack(
        entry.at,
        entry.monotonic,
        entry.connection,
        entry.sequence,
        entry.status,
        entry.fate,
        joined.reference if joined else 0,
        joined.total if joined else 0,
        joined.number if joined else 0,
        _NO_REFERENCE if entry.user_message_reference is None else entry.user_message_reference,
        entry.data_coding,
        entry.size,
        entry.digest,
        1 if mark else 0,
        mark.message_id if mark else 0,
        mark.segment if mark else 0,
        mark.attempt if mark else 0,
    )
    words = [word.encode()[:255] for word in (entry.account, entry.source, entry.destination, entry.given)]
    return fixed + b"".join(bytes((len(word),)) + word for word in words)


def unpack_entry(body: bytes) -> Entry:
    """The entry in the body of a ledger record."""
    (at, monotonic, connection, sequence, status, fate, reference, total, number, umr, coding, size, payload_digest) = (
        _FIXED.unpack_from(body)[:13]
    )
    marked, message_id, segment, attempt = _FIXED.unpack_from(body)[13:]
    words: list[str] = []
    position = _FIXED.size
    for _ in range(4):
        length = body[position]
        words.append(body[position + 1 : position + 1 + length].decode(errors="replace"))
        position += 1 + length
    return Entry(
        at=at,
        monotonic=monotonic,
        account=words[0],
        connection=connection,
        sequence=sequence,
        source=words[1],
        destination=words[2],
        given=words[3],
        status=status,
        fate=fate,
        concatenation=Concatenation(reference, total, number) if total else None,
        user_message_reference=None if umr == _NO_REFERENCE else umr,
        data_coding=coding,
        size=size,
        digest=payload_digest,
        mark=Mark(message_id, segment, attempt) if marked else None,
    )
