"""How long things are kept: days by kind of data, of a business unit. What has no days is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from todoke.model.clock import HOUR, Micros
from todoke.model.consent import Fact, standing

DAY = 24 * HOUR
EVIDENCE = 1096
"""Days for which evidence of consent is kept at the least: three years, one of them a leap year."""


class Keep(NamedTuple):
    """`least` days that may be declared; what goes after them, and what stays."""

    least: int
    goes: str


class Data(StrEnum):
    """Kinds of data that can have days."""

    REPLIES = "replies"
    EVENTS = "events"
    CONTACTS = "contacts"
    DOUBTS = "doubts"
    REJECTED_FILES = "rejected_files"
    OPT_OUTS = "opt_outs"
    CONSENTS = "consents"


KEPT: dict[Data, Keep] = {
    Data.REPLIES: Keep(1, "the texts of replies; that they came stays"),
    Data.EVENTS: Keep(7, "the events of runs that ended; their counts stay"),
    Data.CONTACTS: Keep(1, "the contacts of lists that were deleted or have expired"),
    Data.DOUBTS: Keep(1, "the numbers of what is in doubt, of runs that ended"),
    Data.REJECTED_FILES: Keep(1, "files of rejected rows"),
    Data.OPT_OUTS: Keep(EVIDENCE, "the words of opt-outs and opt-ins; that they were said stays"),
    Data.CONSENTS: Keep(EVIDENCE, "consents that were revoked or have lapsed"),
}


def cutoff(days: Mapping[str, int] | None, data: Data, now: Micros) -> Micros | None:
    """What is older than this goes; None where it is kept."""
    kept = (days or {}).get(data.value)
    return None if kept is None else now - kept * DAY


def is_over(facts: Iterable[Fact], before: Micros) -> bool:
    """Whether all that a number gave or revoked is older, and nothing of it held since."""
    known = list(facts)
    held = any(fact.expires_at is None or fact.expires_at >= before for fact in standing(known))
    return not held and all(fact.at < before for fact in known)
