"""What became of a message: delivery receipts out of deliver_sm and data_sm (SMPP 3.4, 2.11, 5.2.12.2, appendix B).

The text of a receipt is "SMSC vendor specific"; the form of appendix B is common and bent everywhere. So: TLVs win over
the text, every key of the text may be missing, and whatever carries a receipt's mark is one, readable or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, IntEnum
from typing import Final, NamedTuple, Protocol

from .tlv import MESSAGE_STATE, NETWORK_ERROR_CODE, RECEIPTED_MESSAGE_ID


class State(IntEnum):
    """message_state (5.2.28); SCHEDULED and SKIPPED are of SMPP 5.0, 4.7.15."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9

    @property
    def final(self) -> bool:
        """Whether nothing more will come for the message."""
        return self in _FINAL


_FINAL: Final = frozenset(
    {State.DELIVERED, State.EXPIRED, State.DELETED, State.UNDELIVERABLE, State.REJECTED, State.SKIPPED}
)

WORDS: Final[dict[str, State]] = {
    "DELIVRD": State.DELIVERED,
    "DELIVERD": State.DELIVERED,
    "DELIVERED": State.DELIVERED,
    "EXPIRED": State.EXPIRED,
    "DELETED": State.DELETED,
    "UNDELIV": State.UNDELIVERABLE,
    "UNDELIVERABLE": State.UNDELIVERABLE,
    "UNDELIVERED": State.UNDELIVERABLE,
    "UNDELIVRD": State.UNDELIVERABLE,
    "FAILED": State.UNDELIVERABLE,
    "ACCEPTD": State.ACCEPTED,
    "ACCEPTED": State.ACCEPTED,
    "UNKNOWN": State.UNKNOWN,
    "UNKNOWND": State.UNKNOWN,
    "REJECTD": State.REJECTED,
    "REJECTED": State.REJECTED,
    "REJECT": State.REJECTED,
    "ENROUTE": State.ENROUTE,
    "BUFFERED": State.ENROUTE,
    "BUFFRED": State.ENROUTE,
    "SCHEDULED": State.SCHEDULED,
    "SKIPPED": State.SKIPPED,
}


class Receipt(NamedTuple):
    """What the SMSC says about one submission. Times are in the SMSC's own zone, as it wrote them."""

    message_id: str
    """As the SMSC wrote it (see `normalise_id`); empty when it did not say."""
    state: State
    error: str | None
    """The network's code, as text; None when there is none or it is zero."""
    submitted: str | None
    done: str | None
    text: str
    """The first characters of the message, when the SMSC repeats them."""
    raw: str
    """All of the receipt's text."""


class Delivery(Protocol):
    """What is read of a `session.Deliver`."""

    @property
    def esm_class(self) -> int: ...
    @property
    def data_coding(self) -> int: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def tlvs(self) -> Mapping[int, bytes]: ...


# esm_class, bits 5 to 2: 0001 a receipt, 1000 an intermediate notification (5.2.12.2).
_TYPE: Final = 0x3C
_RECEIPT: Final = 0x04
_INTERMEDIATE: Final = 0x20

# The form of appendix B, as most SMSCs write it.
_STANDARD: Final = re.compile(
    r"id:([^ ]+) sub:\d{1,5} dlvrd:\d{1,5} submit date:(\d{10,14}) done date:(\d{10,14})"
    r" stat:([A-Z]{6,9}) err:(\w{1,9})(?: [Tt]ext:(.*))?",
    re.DOTALL,
)
_KEYS: Final = re.compile(r"(?<![A-Za-z])(id|sub|dlvrd|submit ?date|done ?date|stat|err|text)\s?:\s?", re.IGNORECASE)
NO_ERROR: Final = frozenset({"", "0", "00", "000", "0000"})


def parse(deliver: Delivery) -> Receipt | None:
    """The receipt that `deliver` is, or None when it is a message.

    A message is never taken for a receipt because of its text, which anyone with a phone can write: only esm_class
    and the TLV receipted_message_id count.
    """
    tlvs = deliver.tlvs
    kind = deliver.esm_class & _TYPE
    if kind != _RECEIPT and kind != _INTERMEDIATE and RECEIPTED_MESSAGE_ID not in tlvs:
        return None
    payload = deliver.payload
    if deliver.esm_class & 0x40 and payload:
        payload = payload[payload[0] + 1 :]  # a user data header has no business here
    raw = payload.decode("utf-16-be", "replace") if deliver.data_coding == 8 else payload.decode("latin-1")
    standard = _STANDARD.fullmatch(raw)
    if standard is not None:
        message_id, submitted, done, word, error, text = standard.groups("")
        state = WORDS.get(word, State.UNKNOWN)
    else:
        message_id, state, error, submitted, done, text = _tolerant(raw)
    if tlvs:
        value = tlvs.get(RECEIPTED_MESSAGE_ID)
        if value:
            message_id = value.partition(b"\0")[0].decode("latin-1") or message_id
        value = tlvs.get(MESSAGE_STATE)
        if value:
            state = _STATES.get(value[-1], State.UNKNOWN)
        value = tlvs.get(NETWORK_ERROR_CODE)
        if value:
            # 1 octet network type, 2 octets code (5.3.2.31); some leave out the type.
            code = int.from_bytes(value[-2:], "big")
            error = f"{code:03d}" if code else error
    return Receipt(message_id, state, None if error in NO_ERROR else error, submitted, done, text, raw)


def _tolerant(raw: str) -> tuple[str, State, str, str | None, str | None, str]:
    """Whatever keys there are, in any order; what follows `text:` is text, whatever it looks like."""
    found: dict[str, str] = {}
    key: str | None = None
    start = 0
    for match in _KEYS.finditer(raw):
        name = match[1].lower().replace(" ", "")
        if name in found or (name == key):
            continue
        if key is not None:
            found[key] = raw[start : match.start()].strip()
        key, start = name, match.end()
        if name == "text":
            break
    if key is not None:
        found[key] = raw[start:] if key == "text" else raw[start:].strip()
    word = _first_word(found.get("stat", "")).upper()
    return (
        _first_word(found.get("id", "")),
        WORDS.get(word, _numbered(word)),
        _first_word(found.get("err", "")),
        _first_word(found.get("submitdate", "")) or None,
        _first_word(found.get("donedate", "")) or None,
        found.get("text", ""),
    )


_STATES: Final = {int(state): state for state in State}


def _numbered(word: str) -> State:
    return (
        _STATES.get(int(word), State.UNKNOWN) if word.isascii() and word.isdigit() and len(word) < 3 else State.UNKNOWN
    )


def _first_word(value: str) -> str:
    words = value.split(None, 1)
    return words[0].rstrip(",;") if words else ""


def moment(value: str | None) -> datetime | None:
    """`submitted` or `done` as a time without a zone: YYMMDDhhmm, with ss, or with ss and YYYY; None if it is none."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) not in (10, 12, 14):
        return None
    year, rest = (int(value[:4]), value[4:]) if len(value) == 14 else (2000 + int(value[:2]), value[2:])
    month, day, hour, minute, second = (int(rest[place : place + 2] or "0") for place in range(0, 10, 2))
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


class IdStyle(Enum):
    """How a provider's message ids are made comparable; an id that is not what the style expects is case-folded."""

    EXACT = "exact"
    CASEFOLD = "casefold"
    STRIP_ZEROS = "strip_zeros"
    HEX_TO_DEC = "hex_to_dec"
    DEC_TO_HEX = "dec_to_hex"


def normalise_id(raw: str, style: IdStyle | str = IdStyle.EXACT) -> str:
    """`raw` in the one form that ids of submit_sm_resp and of receipts are compared in.

    SMSCs exist that answer in hex and send receipts in decimal or the other way round, with zeros in front, in other
    case: give each of the two its own style. Numbers lose their leading zeros; hex comes out in small letters.
    Raises `ValueError` for an unknown style.
    """
    style = IdStyle(style)
    if style is IdStyle.EXACT:
        return raw
    folded = raw.strip().casefold()
    if style is IdStyle.CASEFOLD or not folded or len(folded) > 64:
        return folded
    if style is IdStyle.STRIP_ZEROS:
        return folded.lstrip("0") or "0"
    if style is IdStyle.HEX_TO_DEC:
        return str(int(folded, 16)) if _HEX.fullmatch(folded) else folded
    return f"{int(folded):x}" if folded.isascii() and folded.isdigit() else folded


_HEX: Final = re.compile("[0-9a-f]+")
