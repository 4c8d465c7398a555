"""What is looked up of a number beside the do-not-call lists: consent, where the skill requires it, and whether its
owner was erased, where anybody was.

A run without a `Check` costs nothing here. It is decided in Python from the number's rows, by the one fold there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from todoke.model.clock import SECOND, Micros
from todoke.model.consent import Act, Fact, Kind, Required, allows, of_reply
from todoke.model.errors import Conflict

NO_CONSENT = "no_consent"
ERASED = "erased"
DNC = "dnc"
NO_KEY = "no_key"
KEYLESS: Micros = 60 * SECOND
"""So long a message waits of which nobody can tell whether it goes to somebody who was erased."""


_ACTS: dict[str, Act] = {act.value: act for act in Act}
_KINDS: dict[int | None, Kind | None] = {None: None, **{int(kind): kind for kind in Kind}}


class KeyMissing(Conflict):
    """People were erased here, and this process has no key to recognise their numbers by."""


class Check(NamedTuple):
    """`erased`: somebody of this business unit was."""

    business_unit_id: int
    required: Required | None
    erased: bool


def check_of(unit: int, kind: int | None, purpose: str | None, programme: str | None, erased: object) -> Check | None:
    """From the columns of a skill; None where there is nothing to look up."""
    required = None if kind is None else Required(Kind(kind), purpose or "", programme or "")
    return Check(unit, required, bool(erased)) if required or erased else None


def lacking(
    required: Required,
    phones: Sequence[int],
    consents: Iterable[Sequence[Any]],
    replies: Iterable[Sequence[Any]],
    now: Micros,
    erased: Mapping[int, int] | None = None,
) -> dict[int, str]:
    """The numbers whose rows do not allow it. `consents`: (phone, act, at, kind, programme, purpose, channel,
    expires_at) each; `replies`: (phone, kind, at, whether a reply said it) each. `erased`: what stands in place of each
    number where its owner was erased; of that only revocations count still.
    """
    facts: dict[int, list[Fact]] = {}
    known = erased or {}
    for row in consents:
        if row[0] > 0:
            facts.setdefault(row[0], []).append(fact_of(*row[1:]))
        elif row[1] == Act.REVOKED:
            facts.setdefault(known[row[0]], []).append(fact_of(*row[1:]))
    for number, kind, at, replied in replies:
        fact = of_reply(kind, at, replied=bool(replied))
        if fact is not None and (number > 0 or fact.act is Act.REVOKED):
            facts.setdefault(known[number] if number < 0 else number, []).append(fact)
    return {phone: NO_CONSENT for phone in phones if not allows(facts.get(phone, ()), required, now)}


def fact_of(
    act: str, at: Micros, kind: int | None, programme: str, purpose: str, channel: str, expires_at: Micros | None
) -> Fact:
    """A row of the ledger as the fold takes it."""
    return Fact(_ACTS[act], at, _KINDS[kind], programme, purpose, channel, expires_at)


def recognised(
    phones: Sequence[int], hashed: Callable[[int], int], found: Iterable[tuple[int, Micros | None]]
) -> dict[int, str]:
    """The numbers among these that were erased: on a DNC group, or not to be texted for a while. `found`: (hash, until)
    of rows that hold.
    """
    reasons: dict[int, str] = {}
    for digest, until in found:
        if until is None or digest not in reasons:
            reasons[digest] = DNC if until is None else ERASED
    return {phone: reasons[digest] for phone in phones if (digest := hashed(phone)) in reasons}


def unsure(phones: Iterable[int]) -> dict[int, str]:
    """What is said of the numbers where there is no key: none of them is texted until it is there."""
    return dict.fromkeys(phones, NO_KEY)


def no_key(_: int) -> int:
    """Where no key was given."""
    raise KeyMissing(
        "People were erased here, and this process has no key to recognise their numbers by.",
        fix="Copy erasure.key from the data folder of the machine where they were erased into this one's.",
    )
