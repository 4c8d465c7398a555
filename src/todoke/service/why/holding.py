"""What holds a number back for a while: suppressions and frequency caps."""

from __future__ import annotations

from todoke.model.clock import Micros, to_datetime
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import caps, suppressions


async def suppressed(question: Question) -> list[Verdict]:
    """A verdict for each suppression that holds, by the number or by the external id of the list's contact."""
    contact = question.contact
    async with question.store.reading() as connection:
        rows = await suppressions.of(
            connection,
            question.unit,
            question.at,
            phone=question.phone.e164,
            external_id=None if contact is None else contact.external_id,
            skill_id=question.skill.id,
        )
    found: list[Verdict] = []
    for row in rows:
        whom = "The number" if row.phone is not None else f"The contact {row.external_id}"
        what = "all skills" if row.skill is None else f"the skill {row.skill}"
        sentence = f"{whom} is suppressed for {what} until {_moment(row.expires_at)}."
        source = f"suppression {row.id} by {row.who or 'nobody named'}" + (f": {row.reason}" if row.reason else "")
        found.append(Verdict("suppression", False, sentence, source, row.expires_at, passes=True))
    return found or [Verdict("suppression", True, "Nothing suppresses it.", "the suppressions")]


async def capped(question: Question) -> list[Verdict]:
    """A verdict for each cap that counts: the unit's, the skill's, and the list's where one was named."""
    of = question.calling_list
    async with question.store.reading() as connection:
        rows = await caps.left(
            connection,
            question.unit,
            question.phone.e164,
            question.at,
            skill_id=question.skill.id,
            list_id=None if of is None else of.id,
        )
    found: list[Verdict] = []
    for row in rows:
        source = f"{row.whose} {row.name}: {row.cap}"
        used = f"{row.used} of {row.cap.most} texts"
        if row.free_at <= question.at:
            found.append(Verdict("cap", True, f"It has had {used}.", source))
        else:
            sentence = f"It has had {used}; the next may go at {_moment(row.free_at)}."
            found.append(Verdict("cap", False, sentence, source, row.free_at, passes=True))
    return found or [Verdict("cap", True, "No frequency cap is declared.", "unit, skill and list")]


def _moment(at: Micros) -> str:
    return f"{to_datetime(at):%Y-%m-%d %H:%M} UTC"
