"""What a business unit and a skill declare of their hours: texts, as they stand in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

BY_PLACE = "auto"
"""The rules of the places where a contact may be."""
NO_RULES = "none"
RULE_PACK = r"^(auto|none|[A-Z]{2}(-[A-Z0-9]{1,3})?)$"


PhoneHours: TypeAlias = tuple[tuple[str, str], ...]
"""Phone types, each with its schedule."""


MAX_NAME = 200
"""Characters of a phone type's name, as of a column's header."""


class DeclaredHours(NamedTuple):
    """`unit` and `skill` are schedules, None for the whole day. `holidays`: single days, rules, or names of calendars.

    `unit_rules`: "auto", "none", or a jurisdiction whose rules hold beside those of the places. `skill_rules` is the
    same for one skill; None leaves it to the unit. `unit_phones` and `skill_phones` hold beside `unit` and `skill` for
    numbers of these phone types.
    """

    unit: str | None = None
    holidays: tuple[str, ...] = ()
    unit_rules: str = BY_PLACE
    skill: str | None = None
    skill_rules: str | None = None
    unit_phones: PhoneHours = ()
    skill_phones: PhoneHours = ()

    @property
    def rules(self) -> str:
        """Which rules hold."""
        return self.unit_rules if self.skill_rules is None else self.skill_rules


def phone_hours(declared: Mapping[str, str] | None) -> PhoneHours:
    """What is declared by phone type, in one order whatever that of the declaration."""
    return tuple(sorted(declared.items())) if declared else ()
