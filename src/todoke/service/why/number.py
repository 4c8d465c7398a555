"""Whether the number can take texts, and where its owner may be."""

from __future__ import annotations

from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.sms.phone import Kind

_PLAN = "the numbering plan"


async def kind(question: Question) -> list[Verdict]:
    """A mobile, or a number of a country that does not tell mobiles from landlines."""
    phone = question.phone
    words = phone.kind.value.replace("_", " ")
    if phone.kind.may_text:
        return [Verdict("number", True, f"It is a valid number of {phone.region}: {words}.", _PLAN)]
    why = "a landline takes no texts" if phone.kind is Kind.FIXED_LINE else "it is not a mobile phone's"
    return [Verdict("number", False, f"It is a valid number of {phone.region}, but {why} ({words}).", _PLAN)]


async def places(question: Question) -> list[Verdict]:
    """Where the contact may be. Whether it matters that nobody knows is for the hours to say."""
    if question.places:
        sentence = f"It may be in {len(question.places)} places: " if len(question.places) > 1 else "It is in "
        return [Verdict("place", True, f"{sentence}{', '.join(question.places)}.", question.found)]
    if question.hours.unrestricted:
        return [Verdict("place", True, "Nobody knows where it is; nothing restricts the hours.", question.found)]
    return [Verdict("place", False, "Nobody knows where it is, so its hours cannot be told.", question.found)]
