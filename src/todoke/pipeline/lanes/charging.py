"""What a grant charged to daily caps: what is certainly not sent is credited there, whatever is declared by then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from todoke.model.allowance import Grant
from todoke.model.limit import Limit, LimitKey, day_of
from todoke.pipeline.lanes.message import Submission

Charge: TypeAlias = tuple[tuple[LimitKey, int], ...]
"""The caps that each segment of a grant was counted against, with the number of the day. () where there are none."""


def charged(limits: Iterable[Limit], grant: Grant) -> Charge:
    """What the grant was counted against. No grant reaches from one day into the next."""
    first = max(grant.first, grant.floor)
    return tuple((limit.key, day_of(limit.zone, first).number) for limit in limits if limit.cap is not None)


def note(submissions: Iterable[Submission], charge: Charge) -> None:
    """Each of these segments was charged so."""
    for message, number, _ in submissions if charge else ():
        if message.charges is None:
            message.charges = {}
        message.charges[number] = charge


def credit(submissions: Iterable[Submission]) -> dict[Charge, int]:
    """How many segments of each charge are certainly not sent; they are charged no more."""
    found: dict[Charge, int] = {}
    for message, number, _ in submissions:
        if message.charges and (charge := message.charges.pop(number, None)):
            found[charge] = found.get(charge, 0) + 1
    return found
