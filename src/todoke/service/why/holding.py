"""What holds a number for a while: suppressions and frequency caps."""

from __future__ import annotations

from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import caps, suppressions


async def suppressed(question: Question) -> list[Verdict]:
    """A verdict for each suppression that holds, by the number or, where the contact is known, by its external id."""
    async with question.store.reading() as connection:
        rows = await suppressions.of(
            connection,
            question.unit,
            question.at,
            phone=question.phone.e164,
            external_id=None if question.contact is None else question.contact.external_id,
            skill_id=question.skill.id,
        )
    found: list[Verdict] = []
    for row in rows:
        of = "all skills" if row.skill is None else f"the skill {row.skill}"
        sentence = f"It is suppressed for {of}" + (f": {row.reason}." if row.reason else ".")
        found.append(Verdict("suppression", False, sentence, f"suppression by {row.who}", row.expires_at, passes=True))
    return found or [Verdict("suppression", True, "It is not suppressed.", "the suppressions")]


async def capped(question: Question) -> list[Verdict]:
    """A verdict for each cap that counts for the skill, and for the list where one was named."""
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
        sentence = f"{row.used} of {row.cap} are used."
        source = f"cap of the {row.whose} {row.name}"
        if row.free_at > question.at:
            found.append(Verdict("cap", False, sentence, source, row.free_at, passes=True))
        else:
            found.append(Verdict("cap", True, sentence, source))
    return found
