"""The hours of a run: what its business unit, its skill and the rules of places allow, together."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from todoke.compliance.rulebook import Rulebook
from todoke.model import schedule
from todoke.model.calling_window import Window
from todoke.model.declared_hours import BY_PLACE, NO_RULES, DeclaredHours
from todoke.model.errors import Invalid, NotFound
from todoke.model.schedule import ALWAYS, NEVER, Schedule


class Hours(NamedTuple):
    """A text may go out when it is open by all of `schedules` and by the rules of the place, at the contact's place.

    `rules` is None where no rules hold.
    """

    schedules: tuple[Schedule, ...] = ()
    rules: Rulebook | None = None

    @property
    def unrestricted(self) -> bool:
        """Open at any hour wherever somebody is, so that it does not matter that nobody knows where."""
        return self.rules is None and all(hours.always for hours in self.schedules)


@lru_cache(maxsize=4096)
def hours_of(declared: DeclaredHours, window: Window, rulebook: Rulebook) -> Hours:
    """The hours of a run from what is declared; `window` is the skill's where it is the same every day.

    What cannot be read any more (a calendar that is gone) is never open.
    """
    unit, skill, named = parts(declared, window, rulebook)
    rules = None if declared.rules == NO_RULES else rulebook
    return Hours(tuple(hours for hours in dict.fromkeys((unit, skill, *named)) if not hours.always), rules)


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
