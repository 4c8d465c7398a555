"""A phone number as the rest of Todoke keeps it, and the reasons why a text is none."""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

Reason = Literal["empty", "not_a_number", "invalid_country", "too_short", "too_long", "not_possible", "not_valid"]

_SENTENCES: dict[Reason, str] = {
    "empty": "there is no phone number",
    "not_a_number": "this is not a phone number",
    "invalid_country": "the country is not known: write + and the country code, or set a default region",
    "too_short": "the number is too short; is an area code or a digit missing?",
    "too_long": "the number is too long; is there a digit, or a second number, too many?",
    "not_possible": "no number of that country has this length",
    "not_valid": "no such number is in use in that country",
}


class Kind(Enum):
    """What the numbering plan says a number is for. North America does not tell mobiles from fixed lines."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL = "personal"
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"
    OTHER = "other"

    @property
    def may_text(self) -> bool:
        """Whether a text to such a number can reach a phone."""
        return self in (Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE)


class Phone(NamedTuple):
    """A valid number. `e164` are its digits with the country code, as an integer (+81 90-1234-5678 is 819012345678).

    `region` is the ISO 3166 code (`001` for numbers of no country). `zones` are all IANA zones where its owner may be,
    sorted; empty when nothing is known, which must hold a message, not release it.
    """

    e164: int
    region: str
    kind: Kind
    zones: tuple[str, ...]


class PhoneError(ValueError):
    """The text is no number that can be used. `reason` is for counting, the message a sentence for people without
    the number in it."""

    def __init__(self, reason: Reason, sentence: str | None = None) -> None:
        super().__init__(reason, sentence or _SENTENCES[reason])  # both, so that it crosses processes whole
        self.reason: Reason = reason

    def __str__(self) -> str:
        return self.args[1]


def format_e164(e164: int) -> str:
    """The number with its plus sign: `+819012345678`."""
    return f"+{e164}"


def mask(e164: int) -> str:
    """The number for a log: `+81********78`."""
    digits = str(e164)
    return f"+{digits[:2]}{'*' * (len(digits) - 4)}{digits[-2:]}" if len(digits) > 6 else "+" + "*" * len(digits)
