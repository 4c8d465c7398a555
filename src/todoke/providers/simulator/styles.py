"""The receipt dialects of real SMSCs: how ids look in the response and in the receipt, and how the text is laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_NUMBER = 1_000_000_000
"""Submissions are numbered from here: ten decimal digits never read the same as the eight hexadecimal ones."""

STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
"""SMPP 3.4, 5.2.28 message_state, by the word that a receipt's text uses (appendix B)."""


def decimal(number: int) -> str:
    """The id as ten decimal digits."""
    return f"{number:010d}"


def hexadecimal(number: int) -> str:
    """The id in lower-case hexadecimal."""
    return f"{number:x}"


def _upper(number: int) -> str:
    return f"{number:X}"


def _padded(number: int) -> str:
    return f"{number:016d}"


def _dashed(number: int) -> str:
    digits = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"  # odd multiplier: one to one modulo 2**128
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True, slots=True)
class Style:
    """One dialect. `given` writes the id for submit_sm_resp, `receipted` the one for the receipt."""

    given: Callable[[int], str] = decimal
    receipted: Callable[[int], str] = decimal
    id_in_text: bool = True
    tlvs: bool = True
    counts: bool = True
    seconds: bool = False
    submit_date: str = "submit date"
    text: str = "text"
    alphanumeric_error: bool = False
    by_data_sm: bool = False


STYLES: dict[str, Style] = {
    "standard": Style(),
    "text_only": Style(tlvs=False),
    "tlv_only": Style(id_in_text=False),
    "hex_receipt": Style(receipted=hexadecimal, tlvs=False),
    "decimal_receipt": Style(given=hexadecimal, tlvs=False),
    "leading_zeros": Style(receipted=_padded, tlvs=False),
    "upper_receipt": Style(given=hexadecimal, receipted=_upper, tlvs=False),
    "lower_receipt": Style(given=_upper, receipted=hexadecimal, tlvs=False),
    "no_counts": Style(counts=False, tlvs=False),
    "long_dates": Style(seconds=True, tlvs=False),
    "joined_dates": Style(submit_date="submitdate", text="Text", tlvs=False),
    "dashes": Style(given=_dashed, receipted=_dashed, tlvs=False),
    "short_error": Style(alphanumeric_error=True, tlvs=False),
    "data_sm": Style(by_data_sm=True),
}
"""Every dialect by name. `data_sm` sends the receipt as data_sm with its text in message_payload."""


@dataclass(frozen=True, slots=True)
class Final:
    """What a receipt tells: `number` of the submission, its state word and error, and when (seconds of the epoch)."""

    number: int
    state: str
    error: str
    submitted: float
    finished: float
    beginning: str
    """The first 20 characters of the text, ASCII."""


def receipt_text(style: Style, final: Final) -> str:
    """The text of a receipt in this dialect (SMPP 3.4, appendix B)."""
    fields = [f"id:{style.receipted(final.number)}"] if style.id_in_text else []
    if style.counts:
        fields.append(f"sub:001 dlvrd:{int(final.state == 'DELIVRD'):03d}")
    fields.append(f"{style.submit_date}:{_date(final.submitted, style)}")
    fields.append(f"{style.submit_date.replace('submit', 'done')}:{_date(final.finished, style)}")
    error = f"E{final.error.lstrip('0') or '0'}"[:3] if style.alphanumeric_error else final.error
    fields.append(f"stat:{final.state} err:{error} {style.text}:{final.beginning}")
    return " ".join(fields)


def _date(at: float, style: Style) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%y%m%d%H%M%S" if style.seconds else "%y%m%d%H%M")
