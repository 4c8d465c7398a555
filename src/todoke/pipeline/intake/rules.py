"""What a person decides about an import: which rows may become contacts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from todoke.model.clock import Micros
from todoke.model.errors import Invalid
from todoke.sms.time_zone_names import read_zone

HOLD, REJECT = "hold", "reject"


class Channel(StrEnum):
    """What a list is for. SMS: every contact needs a number that can be texted. ANY: any valid number will do; one
    that has none to text has the destination 0."""

    SMS = "sms"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Rules:
    """`no_time_zone`: what becomes of a row whose time zone nobody knows: HOLD (a contact that is held at the time of
    sending), REJECT, or the name of the zone that it gets. `now`: records that expired before are rejected."""

    now: Micros
    generate_ids: bool = False
    channel: Channel = Channel.SMS
    no_time_zone: str = HOLD


def read_channel(choice: str) -> Channel:
    """The channel of that name; `Invalid`."""
    try:
        return Channel(choice.strip().casefold())
    except ValueError:
        raise Invalid(f"{choice!r} is no channel of a list.", where="channel", fix="Give sms or any.") from None


def read_no_time_zone(choice: str) -> str:
    """The choice as `Rules` has it. `Invalid` where it is neither a word nor a time zone."""
    word = choice.strip()
    if word.casefold() in (HOLD, REJECT):
        return word.casefold()
    zone = read_zone(word, "")
    if zone is None:
        raise Invalid(
            f"{choice!r} is no time zone.",
            where="no time zone",
            fix="Give hold, reject, or an IANA name such as America/New_York.",
        )
    return zone
