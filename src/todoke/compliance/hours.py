"""The hours of a run: what its business unit, its skill and the rules of places allow, together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from todoke.compliance.rulebook import Rulebook
from todoke.model import schedule
from todoke.model.calling_window import Window
from todoke.model.declared_hours import BY_PLACE, NO_RULES, DeclaredHours
from todoke.model.errors import Invalid, NotFound
from todoke.model.plain_name import plain
from todoke.model.schedule import ALWAYS, NEVER, Schedule
from todoke.sms.phone_type import PhoneType


class OfPhoneType(NamedTuple):
    """The hours of a phone type, as the business unit or (`of_skill`) the skill has declared them."""

    name: str
    schedule: Schedule
    of_skill: bool

    def holds_for(self, phone_type: PhoneType) -> bool:
        """Whether that phone type has this name, or is not known."""
        return not phone_type or plain(self.name) in map(plain, phone_type)


class Hours(NamedTuple):
    """A text may go out when it is open by all of `schedules` and by the rules of the place, at the contact's place.

    `rules` is None where no rules hold. `by_phone_type`: what holds beside that for numbers of a phone type.
    """

    schedules: tuple[Schedule, ...] = ()
    rules: Rulebook | None = None
    by_phone_type: tuple[OfPhoneType, ...] = ()

    @property
    def unrestricted(self) -> bool:
        """Open at any hour wherever somebody is, so that it does not matter that nobody knows where."""
        return self.rules is None and not self.by_phone_type and all(hours.always for hours in self.schedules)

    def of_number(self, phone_type: PhoneType) -> Hours:
        """What holds for a number of that phone type. Of a number whose phone type nobody knows, the hours of all of
        them must be open.
        """
        if not self.by_phone_type:
            return self
        held = dict.fromkeys(one.schedule for one in self.by_phone_type if one.holds_for(phone_type))
        return Hours(tuple(dict.fromkeys((*self.schedules, *held))), self.rules)


@lru_cache(maxsize=4096)
def hours_of(declared: DeclaredHours, window: Window, rulebook: Rulebook) -> Hours:
    """The hours of a run from what is declared; `window` is the skill's where it is the same every day.

    What cannot be read any more (a calendar that is gone) is never open.
    """
    unit, skill, named = parts(declared, window, rulebook)
    rules = None if declared.rules == NO_RULES else rulebook
    schedules = tuple(hours for hours in dict.fromkeys((unit, skill, *named)) if not hours.always)
    return Hours(schedules, rules, tuple(of for of in by_phone_type(declared, rulebook) if not of.schedule.always))


def parts(
    declared: DeclaredHours, window: Window, rulebook: Rulebook
) -> tuple[Schedule, Schedule, tuple[Schedule, ...]]:
    """The unit's hours, the skill's, and those of the jurisdiction that is named, each by itself."""
    try:
        days = rulebook.days(declared.holidays)
        unit = ALWAYS if declared.unit is None else schedule.parse(declared.unit)
        if days and unit.holiday is None:
            unit = unit._replace(holiday=())
        unit = unit._replace(days=days)
        skill = schedule.every_day(window) if declared.skill is None else schedule.parse(declared.skill)
        skill = skill._replace(days=days)
    except (Invalid, NotFound):
        return NEVER, NEVER, ()
    if declared.rules in (BY_PLACE, NO_RULES):
        return unit, skill, ()
    if not rulebook.of(declared.rules):
        return unit, skill, (NEVER,)
    return unit, skill, rulebook.schedules(declared.rules)


def by_phone_type(declared: DeclaredHours, rulebook: Rulebook) -> Iterator[OfPhoneType]:
    """The hours of phone types, the unit's first. `holidays` in them are the unit's. What cannot be read any more is
    never open.
    """
    for of_skill, phones in ((False, declared.unit_phones), (True, declared.skill_phones)):
        for name, text in phones:
            try:
                hours = schedule.parse(text)._replace(days=rulebook.days(declared.holidays))
            except (Invalid, NotFound):
                hours = NEVER
            yield OfPhoneType(name, hours, of_skill)
