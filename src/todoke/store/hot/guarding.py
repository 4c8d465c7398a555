"""What keeps a contact from being texted for a while: suppressions, and frequency caps that are used up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from todoke.model.cap import Cap, free_at
from todoke.model.clock import SECOND, Micros

if TYPE_CHECKING:
    from todoke.store.hot.flush import Flushed, Reserve

LATE = SECOND // 10
"""A segment is written at most so long after its slot."""

NO_MESSAGE = -1
"""What has no id yet is called -1, -2, ... here: no message is."""

_NOBODY: dict[int, str] = {}


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


class Question(NamedTuple):
    """Messages of one run that a flush reserves for, as (id, number). `at`: when they are written at the latest.
    `held` is to be filled; it is a part of `Flushed.held`.
    """

    guard: Guard
    messages: Sequence[tuple[int, int]]
    at: Micros
    held: dict[int, Held]


def questions(reserves: Iterable[Reserve], flushed: Flushed, now: Micros) -> list[Question]:
    """What a flush has to look at; of most flushes nothing. Who is on a DNC group, or barred, does not count
    against a cap.
    """
    asked: list[Question] = []
    for reserve in reserves:
        if not any(scrub.guard for scrub in reserve.scrubs):
            continue
        found = flushed.held.setdefault(reserve.transport_code_id, [])
        at = max(reserve.next_slot_at, now) + LATE
        blocked = flushed.blocked[reserve.transport_code_id]
        barred = flushed.barred.get(reserve.transport_code_id) or [_NOBODY] * len(blocked)
        for scrub, listed, others in zip(reserve.scrubs, blocked, barred, strict=True):
            held: dict[int, Held] = {}
            found.append(held)
            if scrub.guard and reserve.asked is None:
                out = {*listed, *others}
                messages = [one for one in scrub.guarded if one[1] not in out] if out else scrub.guarded
                asked.append(Question(scrub.guard, messages, at, held))
    return asked


Made: TypeAlias = dict[tuple[int, int], dict[int, list[Use]]]
"""The uses of a flush so far, by (bucket, business unit) and number."""


def settle(
    question: Question, suppressed: Mapping[int, Micros], uses: dict[int, list[Use]], made: Made, now: Micros
) -> list[Use]:
    """Fill in what is held, and return the uses to store."""
    guard = question.guard
    fresh = made.setdefault((guard.bucket, guard.business_unit_id), {})
    for phone, of_phone in fresh.items():
        if guard.counts:
            ids = {use.message_id for use in of_phone}
            uses[phone] = [*(use for use in uses.get(phone, ()) if use.message_id not in ids), *of_phone]
    held, new = decide(guard, question.messages, suppressed, uses, now, question.at)
    question.held.update(held)
    for use in new:
        fresh.setdefault(use.phone, []).append(use)
    return new


def remember(question: Question, suppressed: Mapping[int, Micros], noted: Iterable[Use], now: Micros) -> None:
    """The same for a flush that took place before: what it noted then goes, whatever came after it."""
    question.held.update(decide(question.guard, question.messages, suppressed, {}, now)[0])
    if question.guard.counts:
        there = {use.message_id for use in noted if use.at == question.at}
        for message_id, _ in question.messages:
            if message_id not in there:
                question.held.setdefault(message_id, Held(now + SECOND, "cap"))


def by_phone(rows: Iterable[Use]) -> dict[int, list[Use]]:
    found: dict[int, list[Use]] = {}
    for use in rows:
        found.setdefault(use.phone, []).append(use)
    return found


def oldest(guard: Guard, now: Micros) -> Micros:
    """Uses before this moment do not count any more."""
    return now - max(cap.within for cap in guard.caps)
