"""Consent: what somebody agreed to, kept as rows that only ever are added; what stands now is their fold.

A row of the ledger gives or revokes. A reply of STOP or START is such a row too: it stands in `opt_out`, with the words
as they came, and counts here as a revocation of everything, or as consent of the kind `express`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

import msgspec

from todoke.model.clock import Micros

CHANNEL = "sms"


class Kind(IntEnum):
    """How strong a consent is; a higher one serves where a lower one is asked for."""

    IMPLIED = 1
    SOFT_OPT_IN = 2
    EXPRESS = 3
    EXPRESS_WRITTEN = 4

    @property
    def label(self) -> str:
        """As it is declared and written in files."""
        return self.name.lower()


KINDS = {kind.label: kind for kind in Kind}


class Act(StrEnum):
    GIVEN = "given"
    REVOKED = "revoked"


class Fact(NamedTuple):
    """What the fold needs of a row. Empty words mean: no programme, purpose or channel was named.

    `kind` and `expires_at` are of what was given.
    """

    act: Act
    at: Micros
    kind: Kind | None = None
    programme: str = ""
    purpose: str = ""
    channel: str = CHANNEL
    expires_at: Micros | None = None
    id: int = 0  # of its row, to tell it to a person; decides nothing


class Required(NamedTuple):
    """What a skill asks for: at least this kind, for its purpose and programme where it names any."""

    kind: Kind
    purpose: str = ""
    programme: str = ""


class Record(NamedTuple):
    """A row of the ledger, whole. Texts are empty where nothing is known.

    `phone`: E.164 digits. `disclosure`: the exact text that was shown, with its `version`. `signed`: checkbox, keyword,
    voice, paper or the like. `zone`: the zone in which `at` was told. `source` and `reference`: url, form, keyword,
    agent, message or import, and which one. `method`, `words`, `scope`, `confirmation`: of a revocation.
    """

    phone: int
    act: Act
    kind: Kind | None
    at: Micros
    seller: str = ""
    programme: str = ""
    purpose: str = ""
    channel: str = CHANNEL
    disclosure: str = ""
    version: str = ""
    signed: str = ""
    zone: str = "UTC"
    source: str = ""
    reference: str = ""
    double_opt_in: str = ""
    jurisdiction: str = ""
    expires_at: Micros | None = None
    method: str = ""
    words: str = ""
    scope: str = ""
    confirmation: str = ""


# The columns of a file of consents, in the order in which they are exported. Only `number`, `kind` and `at` are needed.
COLUMNS = (
    *("number", "act", "kind", "at", "seller", "programme", "purpose", "channel", "disclosure", "version", "signed"),
    *("zone", "source", "reference", "double_opt_in", "jurisdiction", "expires", "method", "words", "scope"),
    "confirmation",
)


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """What was given and not revoked since, in the order in which it was given. The order of `facts` does not matter.

    A revocation ends what was given before it, or at the same moment, for its programme, purpose and channel; one that
    names none ends all. What was given without a purpose is ended by a revocation of any: it may have been meant.
    """
    given: list[Fact] = []
    revoked: list[Fact] = []
    for fact in facts:
        (given if fact.act is Act.GIVEN else revoked).append(fact)
    left = [one for one in given if not any(_ends(other, one) for other in revoked)]
    return sorted(left, key=lambda fact: (fact.at, fact.kind or 0, fact[3:6], fact.expires_at or 0, fact.id))


def allows(facts: Iterable[Fact], required: Required, now: Micros) -> bool:
    """Whether something that stands now serves for what is required. (Of `standing`; most numbers have one row.)"""
    given: list[Fact] = []
    revoked: list[Fact] = []
    for fact in facts:
        if fact.act is Act.REVOKED:
            revoked.append(fact)
        elif serves(fact, required, now):
            given.append(fact)
    return any(not any(_ends(other, one) for other in revoked) for one in given)


def serves(given: Fact, required: Required, now: Micros) -> bool:
    """Whether what was given is of the kind, for the purpose and the programme, and holds now.

    What was given for no purpose serves none that is named. A reply of START is no such record: see `of_reply`.
    """
    return (
        given.kind is not None
        and given.kind >= required.kind
        and given.channel in ("", ANY, CHANNEL)
        and _names(given.purpose, required.purpose)
        and _names(given.programme, required.programme)
        and given.at <= now
        and (given.expires_at is None or now < given.expires_at)
    )


ANY = "*"  # a purpose or programme that stands for all of the business unit's


def of_reply(kind: str, at: Micros, *, replied: bool, id: int = 0) -> Fact | None:
    """A row of `opt_out` as a fact: "out" revokes everything; "in" is consent for all purposes where a reply said it,
    and nothing where a person only took the number off a list.
    """
    if kind == "out":
        return Fact(Act.REVOKED, at, id=id)
    return Fact(Act.GIVEN, at, Kind.EXPRESS, ANY, ANY, id=id) if replied else None


def _names(given: str, required: str) -> bool:
    return not required or given in (required, ANY)


def _ends(revoked: Fact, given: Fact) -> bool:
    return (
        given.at <= revoked.at
        and _touches(revoked.programme, given.programme)
        and _touches(revoked.purpose, given.purpose)
        and _touches("" if revoked.channel == ANY else revoked.channel, given.channel)
    )


def _touches(revoked: str, given: str) -> bool:
    """A revocation for one purpose leaves consent for another alone; of consent for all it takes the whole."""
    return revoked in ("", ANY, given) or given in ("", ANY)


def hash_of(text: str) -> str:
    """SHA-256 of a disclosure, in hex; empty for no text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""


def digest(business_unit_id: int, record: Record, disclosure: str) -> str:
    """SHA-256 over all that the record says, in hex: a row that was changed by hand does not match any more.

    `disclosure`: the hash of its text. Each row has its own; a chain would make every opt-out of a business unit wait
    for the one before.
    """
    content = [business_unit_id, *record._replace(disclosure=disclosure)]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
