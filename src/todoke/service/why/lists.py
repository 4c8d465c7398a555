"""Whether the list can be run and the number is on it."""

from __future__ import annotations

from todoke.model.clock import to_datetime
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict


async def on_list(question: Question) -> list[Verdict]:
    """Nothing where no list was named."""
    of = question.calling_list
    if of is None:
        return []
    source = f"the list {of.name}"
    if not of.active:
        return [Verdict("list", False, "The list is inactive.", source)]
    if of.expires_at is not None and of.expires_at <= question.at:
        return [Verdict("list", False, "The list has expired: no skill can be started over it.", source)]
    if question.contact is None:
        return [Verdict("list", False, "No contact of the list is texted at this number.", source)]
    phone_type = f", of the phone type {question.phone_type[-1]}" if question.phone_type else ""
    sentence = f"It is the number of the contact {question.contact.external_id}{phone_type}."
    return [Verdict("list", True, sentence, source)]


async def expiry(question: Question) -> list[Verdict]:
    """Whether the contact has an end of its own, and has come to it. Nothing where it has none."""
    of, contact = question.calling_list, question.contact
    if of is None or contact is None or contact.expires_at is None:
        return []
    at = contact.expires_at
    source = f"the contact {contact.external_id} of the list {of.name}"
    moment = f"{to_datetime(at):%Y-%m-%d %H:%M} UTC"
    if at <= question.at:
        return [Verdict("expiry", False, f"The contact expired at {moment}: it is skipped.", source)]
    return [Verdict("expiry", True, f"The contact expires at {moment}.", source, at)]
