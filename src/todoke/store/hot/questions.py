"""What a flush asks of suppressions and caps for the messages that it reserves for, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from todoke.model.clock import SECOND, Micros
from todoke.store.hot.flush import Flushed, Reserve
from todoke.store.hot.guarding import LATE, Guard, Held, Use, decide

_NOBODY: dict[int, str] = {}


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
