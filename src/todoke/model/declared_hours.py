"""What a business unit and a skill declare of their hours: texts, as they stand in the database."""

from __future__ import annotations

from typing import NamedTuple

BY_PLACE = "auto"
"""The rules of the places where a contact may be."""
NO_RULES = "none"
RULE_PACK = r"^(auto|none|[A-Z]{2}(-[A-Z0-9]{1,3})?)$"


class DeclaredHours(NamedTuple):
    """`unit` and `skill` are schedules, None for the whole day. `holidays`: single days, rules, or names of calendars.

    `unit_rules`: "auto", "none", or a jurisdiction whose rules hold beside those of the places. `skill_rules` is the
    same for one skill; None leaves it to the unit.
    """

    unit: str | None = None
    holidays: tuple[str, ...] = ()
    unit_rules: str = BY_PLACE
    skill: str | None = None
    skill_rules: str | None = None

    @property
    def rules(self) -> str:
        """Which rules hold."""
        return self.unit_rules if self.skill_rules is None else self.skill_rules
