"""What keeps a contact from being texted for a while: suppressions, and frequency caps that are used up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from todoke.model.cap import Cap, free_at
from todoke.model.clock import SECOND, Micros

LATE = SECOND // 10
"""A segment is written at most so long after its slot."""

NO_MESSAGE = -1
"""What has no id yet is called -1, -2, ... here: no message is."""


class Guard(NamedTuple):
    """What is looked at, beside DNC groups, before a run's contacts are texted; a run without any of it has none.

    `phones`, `external_ids`: the unit has suppressions by these. `tracked`: what is sent is noted, because the skill
    contributes to DNC groups.
    """

    bucket: int
    business_unit_id: int
    skill_id: int
    list_id: int
    transport_code_id: int
    phones: bool = False
    external_ids: bool = False
    unit_cap: Cap | None = None
    skill_cap: Cap | None = None
    list_cap: Cap | None = None
    tracked: bool = False

    @property
    def caps(self) -> list[Cap]:
        return [cap for cap in (self.unit_cap, self.skill_cap, self.list_cap) if cap is not None]

    @property
    def suppresses(self) -> bool:
        return self.phones or self.external_ids

    @property
    def counts(self) -> bool:
        """Whether each message is noted in `cap_use`."""
        return bool(self.caps) or self.tracked

    def __bool__(self) -> bool:
        return self.suppresses or self.counts


class Use(NamedTuple):
    """A message that was or will be written at `at` at the latest."""

    phone: int
    message_id: int
    at: Micros
    skill_id: int
    list_id: int


class Held(NamedTuple):
    """Not before `until`; `reason` is that of a message that cannot wait so long."""

    until: Micros
    reason: str


class Unused(NamedTuple):
    """A message whose attempt is over without being handed over: its use, if it has one, is taken back, unless an
    event says that it was perhaps sent.
    """

    bucket: int
    business_unit_id: int
    phone: int
    message_id: int


def capped(guard: Guard, uses: Iterable[Use], message_id: int, now: Micros) -> Held | None:
    """Whether a cap keeps the message from going now. `uses` are those of its number in the business unit; its own,
    of an earlier attempt, does not count.
    """
    others = [use for use in uses if use.message_id != message_id]
    if not others:
        return None
    until = now
    if guard.unit_cap is not None:
        until = max(until, free_at((use.at for use in others), guard.unit_cap, now))
    if guard.skill_cap is not None:
        of_skill = (use.at for use in others if use.skill_id == guard.skill_id)
        until = max(until, free_at(of_skill, guard.skill_cap, now))
    if guard.list_cap is not None:
        of_list = (use.at for use in others if use.list_id == guard.list_id)
        until = max(until, free_at(of_list, guard.list_cap, now))
    return Held(until, "cap") if until > now else None


def decide(
    guard: Guard,
    messages: Sequence[tuple[int, int]],
    suppressed: Mapping[int, Micros],
    uses: dict[int, list[Use]],
    now: Micros,
    at: Micros | None = None,
) -> tuple[dict[int, Held], list[Use]]:
    """Which of the messages (id, number) are held, and the uses of those that go.

    `suppressed`: until when, by message id. `uses` by number; those that go are added, so that a number that comes
    twice is counted twice. `at`: when these are written at the latest; None only asks.
    """
    held: dict[int, Held] = {}
    made: list[Use] = []
    for message_id, phone in messages:
        until = suppressed.get(message_id)
        found = Held(until, "suppressed") if until is not None else None
        known = uses.get(phone)
        if known:
            cap = capped(guard, known, message_id, now)
            if cap is not None and (found is None or cap.until > found.until):
                found = cap
        if found is not None:
            held[message_id] = found
        elif at is not None and guard.counts:
            use = Use(phone, message_id, at, guard.skill_id, guard.list_id)
            made.append(use)
            uses[phone] = [*(other for other in uses.get(phone, ()) if other.message_id != message_id), use]
    return held, made


def by_phone(rows: Iterable[Use]) -> dict[int, list[Use]]:
    found: dict[int, list[Use]] = {}
    for use in rows:
        found.setdefault(use.phone, []).append(use)
    return found


def oldest(guard: Guard, now: Micros) -> Micros:
    """Uses before this moment do not count any more."""
    return now - max(cap.within for cap in guard.caps)
