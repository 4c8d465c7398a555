"""Consent: whether what stands in the ledger serves for what the skill requires."""

from __future__ import annotations

from todoke.model.consent import Kind, Required, allows
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import dnc, registrations
from todoke.store.consents import reading


async def given(question: Question) -> list[Verdict]:
    """Nothing where the skill requires none."""
    skill, unit = question.skill, question.unit
    if skill.consent is None:
        return []
    required = Required(Kind(skill.consent), skill.consent_purpose or "", skill.consent_programme or "")
    async with question.store.reading() as connection:
        scrubbed = {*await registrations.scrub_groups(connection, unit, skill.transport_code_id, skill.id)}
        counting = {group.name for group in await dnc.groups(connection, unit) if group.id in scrubbed}
        entries = await reading.of_number(connection, unit, question.phone.e164)
        replies = await reading.replies_of(connection, unit, question.phone.e164)
    facts = [entry.fact for entry in entries]
    facts += [fact for row in replies if row.group in counting and (fact := row.fact) is not None]
    what = f"{required.kind.label} consent"
    if required.purpose:
        what += f" for the purpose {required.purpose!r}"
    if required.programme:
        what += f" for the programme {required.programme!r}"
    source = f"the consent ledger; the skill {skill.name} requires it"
    if allows(facts, required, question.at):
        return [Verdict("consent", True, f"There is {what}.", source)]
    return [Verdict("consent", False, f"There is no {what}.", source)]
