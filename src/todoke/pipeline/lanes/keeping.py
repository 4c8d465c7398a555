"""Which contacts are not texted now for a reason beside DNC groups and calling windows: suppressions, frequency caps, a
consent that is lacking, people who were erased. Of most runs nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from todoke.model.clock import Micros
from todoke.pipeline.lanes.runs import LaneRun
from todoke.store.hot.base import Contact, Held, Hot
from todoke.store.hot.checking import KEYLESS, NO_KEY, KeyMissing

NOTHING: Mapping[int, Held | str] = {}


async def kept(hot: Hot, run: LaneRun, contacts: Sequence[Contact], now: Micros) -> Mapping[int, Held | str]:
    """By message id: until when it waits, or the reason for which it goes no further. It only asks: what counts is the
    reserving flush. Raises StoreUnavailable.
    """
    guard, check = run.data.guard, run.data.check
    if check is None and guard is None:
        return NOTHING
    # Who has no number, or none any more, is out for that and is not held.
    contacts = [contact for contact in contacts if contact.destination > 0]
    if not contacts:
        return NOTHING
    found: dict[int, Held | str] = {}
    if guard is not None and (guard.suppresses or guard.caps):
        found.update(await hot.held_back(guard, [(run.base_id + c.position, c.destination) for c in contacts]))
    if check is not None:
        phones = [contact.destination for contact in contacts]
        try:
            reasons = await hot.barred(run.data.bucket, run.groups, check, phones, now)
        except KeyMissing:
            return {**{run.base_id + c.position: Held(now + KEYLESS, NO_KEY) for c in contacts}, **found}
        if reasons:
            found.update(
                (run.base_id + c.position, reasons[c.destination]) for c in contacts if c.destination in reasons
            )
    return found
