"""Ask every rule about one number and one skill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from todoke.compliance.rulebook import Rulebook
from todoke.model.clock import Micros
from todoke.model.errors import sentence_of
from todoke.service.why import dnc, holding, hours, lists, number, people, running
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.sms import places
from todoke.sms.phone import PhoneError, parse
from todoke.sms.places import Places
from todoke.store.catalogue import contacts, skills, units
from todoke.store.catalogue import lists as calling_lists
from todoke.store.store import Store

Check: TypeAlias = Callable[[Question], Awaitable[list[Verdict]]]
CHECKS: tuple[Check, ...] = (
    number.kind,
    lists.on_list,
    lists.expiry,
    dnc.groups,
    holding.suppressed,
    holding.capped,
    people.consent,
    people.erased,
    running.state,
    number.places,
    hours.unit,
    hours.skill,
    hours.phones,
    hours.rules,
    hours.own,
    hours.together,
)
"""In the order in which they are told. A rule more is a function more here."""


class Explanation(NamedTuple):
    """`may`: the number may be texted at that moment. `next_at`: when it may next, that moment if it may; None where it
    may not until something else than the time changes.
    """

    number: str
    skill: str
    at: Micros
    may: bool
    next_at: Micros | None
    places: Places
    verdicts: tuple[Verdict, ...]


async def explain(
    store: Store,
    rulebook: Rulebook,
    *,
    business_unit: str | None,
    text: str,
    skill: str,
    at: Micros,
    calling_list: str | None = None,
) -> Explanation:
    """Why the number may or may not be texted by the skill at that moment. NotFound for a skill or list that is not
    there. A text that is no number is a verdict, not an error.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await skills.find(connection, unit, skill)
        of = None if calling_list is None else await calling_lists.find(connection, unit, calling_list)
        try:
            phone = parse(text, unit.default_region)
        except PhoneError as error:
            wrong = Verdict("number", False, sentence_of(str(error)), "the numbering plan")
            return Explanation(text, skill, at, False, None, (), (wrong,))
        contact = None if of is None else await contacts.of_phone(connection, unit, of.id, phone.e164)
    if contact is not None and of is not None:
        found, source = contact.places, f"the list {of.name}"
    else:
        found, source = places.of_number(phone.e164, phone.region, phone.zones), "the number"
    question = Question(store, unit, row, phone, at, rulebook, found, source, of, contact)
    verdicts: list[Verdict] = []
    for check in CHECKS:
        verdicts.extend(await check(question))
    may = all(verdict.allowed for verdict in verdicts)
    against = [verdict for verdict in verdicts if not verdict.allowed]
    next_at = None
    if all(verdict.passes for verdict in against):  # nothing is open before the last of them has passed
        next_at = hours.next_moment(question, max((verdict.until or at for verdict in against), default=at))
    ends = None if contact is None else contact.expires_at
    if next_at is not None and ends is not None and ends <= next_at:
        next_at = None  # the contact has expired by then
    return Explanation(f"+{phone.e164}", skill, at, may, next_at, found, tuple(verdicts))
