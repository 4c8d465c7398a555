"""Hours: the unit's, the skill's, those of each place, the contact's own; each by itself, then all together."""

from __future__ import annotations

from collections.abc import Iterator

from todoke.compliance import windows
from todoke.compliance.hours import Hours, by_phone_type, parts
from todoke.compliance.rulebook import Rule
from todoke.model import schedule
from todoke.model.clock import Micros
from todoke.model.declared_hours import BY_PLACE, NO_RULES
from todoke.model.errors import Invalid
from todoke.model.schedule import Schedule
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.sms.places import read_place

_UNTYPED = "It counts because nobody knows of which phone type the number is."


async def unit(question: Question) -> list[Verdict]:
    """The business unit's calling window and holidays, at all places."""
    mine, _, _ = parts(question.declared, question.skill.window, question.rulebook)
    source = f"business unit {question.unit.name}"
    if mine.never:
        sentence = "Its hours cannot be read any more: a calendar of holidays is gone."
        return [Verdict("hours of the unit", False, sentence, source)]
    return [_verdict(question, "hours of the unit", mine, question.places, source)]


async def skill(question: Question) -> list[Verdict]:
    """The skill's calling window, at all places."""
    _, mine, _ = parts(question.declared, question.skill.window, question.rulebook)
    return [_verdict(question, "hours of the skill", mine, question.places, f"skill {question.skill.name}")]


async def phones(question: Question) -> list[Verdict]:
    """What unit and skill declare for the phone type of the number; nothing where they declare no such hours."""
    declared = list(by_phone_type(question.declared, question.rulebook))
    if not declared:
        return []
    known = question.phone_type
    found: list[Verdict] = []
    for one in declared:
        if one.holds_for(known):
            whose = f"skill {question.skill.name}" if one.of_skill else f"business unit {question.unit.name}"
            verdict = _verdict(question, f"hours of {one.name}", one.schedule, question.places, whose)
            if not known:
                verdict = verdict._replace(sentence=f"{verdict.sentence} {_UNTYPED}")
            found.append(verdict)
    if found:
        return found
    sentence = f"No hours are declared for the phone type {known[-1]}."
    return [Verdict("hours of the phone type", True, sentence, question.found)]


async def rules(question: Question) -> list[Verdict]:
    """The rules of each candidate place, and those of the jurisdiction that unit or skill name."""
    named = question.declared.rules
    if named == NO_RULES:
        return [Verdict("rules of the place", True, "Rules of places are left aside.", 'rule_pack = "none"')]
    found: list[Verdict] = []
    for text in question.places:
        place = read_place(text)
        jurisdiction = place.jurisdiction or question.rulebook.of_zone(place.zone)
        held = question.rulebook.of(jurisdiction) if jurisdiction else ()
        found.extend(_of_rules(question, held, (text,)))
        if not held:
            sentence = f"No rule is known for {text}; only the other hours restrict."
            found.append(Verdict("rules of the place", True, sentence, "the rule packs"))
    if named != BY_PLACE:
        held = question.rulebook.of(named)
        found.extend(_of_rules(question, held, question.places))
        if not held:
            sentence = f"No rule pack knows {named}, which unit or skill name: nothing is sent."
            found.append(Verdict("rules of the place", False, sentence, f'rule_pack = "{named}"'))
    return found


async def own(question: Question) -> list[Verdict]:
    """The contact's own calling window, where it has one."""
    found: list[Verdict] = []
    for text in question.places:
        window = read_place(text).window
        if window:
            try:
                found.append(
                    _verdict(question, "hours of the contact", schedule.parse(window), (text,), question.found)
                )
            except Invalid:
                found.append(Verdict("hours of the contact", False, f"{window!r} cannot be read.", question.found))
    return list(dict.fromkeys(found))


def next_moment(question: Question, at: Micros) -> Micros | None:
    """When all hours are open next from then on, with time enough for the carrier; None where that is not in sight."""
    opening = windows.opening(question.hours, question.places, at)
    return None if opening is None else opening.opens


async def together(question: Question) -> list[Verdict]:
    """All hours at all places: what an engine goes by."""
    opening = windows.opening(question.hours, question.places, question.at)
    source = "all of the above; the last minute of a window is left to the carrier"
    if opening is None:
        return [Verdict("all hours", False, "They are not open together in the days that can be foreseen.", source)]
    if opening.opens == question.at:
        until = None if opening.closes is None else opening.closes - windows.MARGIN
        return [Verdict("all hours", True, "They are all open.", source, until)]
    return [Verdict("all hours", False, "They are not all open.", source, opening.opens, passes=True)]


def _of_rules(question: Question, rules: tuple[Rule, ...], places: tuple[str, ...]) -> Iterator[Verdict]:
    for rule in rules:
        if rule.schedule is not None:
            name = f"rules of {rule.jurisdiction.code}"
            yield _verdict(question, name, rule.schedule, places, rule.cited)


def _verdict(question: Question, rule: str, hours: Schedule, places: tuple[str, ...], source: str) -> Verdict:
    """One schedule by itself at these places."""
    alone = Hours((hours,), None)
    plain = tuple(" ".join(text.split(" ", 2)[:2]) for text in places)  # without the contact's own hours
    written = f"{hours}" + (f" ({hours.since or 'ever'} to {hours.until or 'ever'})" if hours.since else "")
    if alone.unrestricted:
        return Verdict(rule, True, "The whole day.", source)
    if windows.is_open(alone, plain, question.at):
        return Verdict(rule, True, f"Open: {written}.", source, windows.closes_at(alone, plain, question.at))
    return Verdict(rule, False, f"Closed: {written}.", source, windows.opens_at(alone, plain, question.at), passes=True)
