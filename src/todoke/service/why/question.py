"""Whom and what `why` is asked about: what every check looks at, read once."""

from __future__ import annotations

from dataclasses import dataclass

from todoke.compliance.hours import Hours, hours_of
from todoke.compliance.rulebook import Rulebook
from todoke.model.clock import Micros
from todoke.model.declared_hours import DeclaredHours
from todoke.sms.phone import Phone
from todoke.sms.phone_type import PhoneType
from todoke.sms.places import Places
from todoke.store.catalogue.contacts import ContactRow
from todoke.store.catalogue.lists import ListRow
from todoke.store.catalogue.skills import SkillRow
from todoke.store.catalogue.units import Unit
from todoke.store.store import Store


@dataclass(frozen=True, slots=True)
class Question:
    """`contact` is the number's on `calling_list`, None where it is not on it or no list was named. `found` says how
    `places` were found.
    """

    store: Store
    unit: Unit
    skill: SkillRow
    phone: Phone
    at: Micros
    rulebook: Rulebook
    places: Places
    found: str
    calling_list: ListRow | None = None
    contact: ContactRow | None = None

    @property
    def declared(self) -> DeclaredHours:
        """What the unit and the skill declare of their hours."""
        return self.unit.declared_hours(self.skill.hours, self.skill.rule_pack, self.skill.phone_hours)

    @property
    def hours(self) -> Hours:
        """All hours together, as an engine takes them for a number of this phone type."""
        return hours_of(self.declared, self.skill.window, self.rulebook).of_number(self.phone_type)

    @property
    def phone_type(self) -> PhoneType:
        """That of the number, as the list says it."""
        return () if self.contact is None else self.contact.phone_type
