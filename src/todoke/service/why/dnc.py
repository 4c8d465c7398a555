"""Do-not-call lists: which the number is on, and which count for the skill."""

from __future__ import annotations

from todoke.model.clock import to_datetime
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import dnc, registrations


async def groups(question: Question) -> list[Verdict]:
    """A verdict for each group that the number is on; one where it is on none that counts."""
    async with question.store.reading() as connection:
        unit = question.unit
        scrubbed = {
            *await registrations.scrub_groups(connection, unit, question.skill.transport_code_id, question.skill.id)
        }
        counting = {group.name for group in await dnc.groups(connection, unit) if group.id in scrubbed}
        entries = await dnc.on(connection, unit, question.phone.e164, question.at)
    found: list[Verdict] = []
    for entry in entries:
        since = f"{to_datetime(entry.created_at):%Y-%m-%d %H:%M} UTC"
        source = f"DNC group {entry.group} ({entry.source})"
        if entry.group in counting:
            ends = entry.ends_at
            sentence = f"It is on {entry.group!r} since {since}."
            found.append(Verdict("dnc", False, sentence, source, ends, passes=ends is not None))
        else:
            sentence = f"It is on {entry.group!r} since {since}, which does not count for this skill."
            found.append(Verdict("dnc", True, sentence, source))
    if all(verdict.allowed for verdict in found):
        names = ", ".join(sorted(counting)) or "none counts for this skill"
        found.append(Verdict("dnc", True, "It is on no DNC group that counts for this skill.", f"DNC groups: {names}"))
    return found
