"""What a number's owner wants: consent where the skill requires it, and whether the owner was erased."""

from __future__ import annotations

from todoke.model.consent import Kind
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import registrations
from todoke.store.hot.checking import DNC, NO_CONSENT, check_of
from todoke.store.privacy.reading import anyone_erased

_LEDGER = "the consent ledger"


async def consent(question: Question) -> list[Verdict]:
    """Whether what is recorded allows what the skill requires."""
    skill = question.skill
    if skill.consent is None:
        return [Verdict("consent", True, "The skill requires no consent.", f"skill {skill.name}")]
    purpose = f" for the purpose {skill.consent_purpose!r}" if skill.consent_purpose else ""
    programme = f" in the programme {skill.consent_programme!r}" if skill.consent_programme else ""
    wanted = f"{Kind(skill.consent).label}{purpose}{programme}"
    # Of somebody erased only revocations count; that the number is blocked besides is another rule's verdict.
    said = {await _barred(question, required=True, erased=erased) for erased in (False, True)}
    if NO_CONSENT in said:
        return [Verdict("consent", False, f"No consent stands that is enough: {wanted}.", _LEDGER)]
    return [Verdict("consent", True, f"Consent stands: {wanted}.", _LEDGER)]


async def erased(question: Question) -> list[Verdict]:
    """Whether the number is one of somebody who was erased."""
    source = "erased people, as keyed hashes"
    reason = await _barred(question, required=False, erased=True)
    if reason is None:
        return [Verdict("erased", True, "It is not the number of anybody who was erased.", source)]
    if reason == DNC:
        return [Verdict("erased", False, "Its owner was erased, and was on a DNC group that counts.", source)]
    sentence = "Its owner was erased; it is not texted before all that was under way has ended."
    return [Verdict("erased", False, sentence, source)]


async def _barred(question: Question, *, required: bool, erased: bool) -> str | None:
    """The reason by these checks alone. Conflict where this machine lacks the key to recognise the erased by."""
    unit, skill, phone = question.unit, question.skill, question.phone.e164
    async with question.store.reading() as connection:
        some = erased and await anyone_erased(connection, unit)
        groups = await registrations.scrub_groups(connection, unit, skill.transport_code_id, skill.id)
    kind = skill.consent if required else None
    check = check_of(unit.id, kind, skill.consent_purpose, skill.consent_programme, some)
    if check is None:
        return None
    reasons = await question.store.hot.barred(unit.bucket, groups, check, [phone], question.at)
    return reasons.get(phone)
