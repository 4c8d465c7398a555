"""What a file declares, with the place of every entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from todoke.model.declaration.entries import (
    Brand,
    BusinessUnit,
    Campaign,
    DncGroup,
    Entry,
    Provider,
    Registration,
    Retention,
    Skill,
    Template,
    TransportCode,
)
from todoke.model.declaration.place import Place

T = TypeVar("T", bound=Entry)


class Declared(NamedTuple, Generic[T]):
    """An entry and where it stands."""

    entry: T
    place: Place


@dataclass(slots=True)
class Declaration:
    """`mentioned` has the names of all entries by table, those with mistakes too: what names one of them is no second
    mistake. In order of what needs what.
    """

    file: str
    units: list[Declared[BusinessUnit]] = field(default_factory=list[Declared[BusinessUnit]])
    dnc_groups: list[Declared[DncGroup]] = field(default_factory=list[Declared[DncGroup]])
    providers: list[Declared[Provider]] = field(default_factory=list[Declared[Provider]])
    brands: list[Declared[Brand]] = field(default_factory=list[Declared[Brand]])
    codes: list[Declared[TransportCode]] = field(default_factory=list[Declared[TransportCode]])
    registrations: list[Declared[Registration]] = field(default_factory=list[Declared[Registration]])
    campaigns: list[Declared[Campaign]] = field(default_factory=list[Declared[Campaign]])
    templates: list[Declared[Template]] = field(default_factory=list[Declared[Template]])
    skills: list[Declared[Skill]] = field(default_factory=list[Declared[Skill]])
    retentions: list[Declared[Retention]] = field(default_factory=list[Declared[Retention]])
    mentioned: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def add(self, entry: Entry, place: Place) -> None:
        """Put the entry into its list."""
        match entry:
            case BusinessUnit():
                self.units.append(Declared(entry, place))
            case DncGroup():
                self.dnc_groups.append(Declared(entry, place))
            case Provider():
                self.providers.append(Declared(entry, place))
            case Brand():
                self.brands.append(Declared(entry, place))
            case TransportCode():
                self.codes.append(Declared(entry, place))
            case Registration():
                self.registrations.append(Declared(entry, place))
            case Campaign():
                self.campaigns.append(Declared(entry, place))
            case Template():
                self.templates.append(Declared(entry, place))
            case Skill():
                self.skills.append(Declared(entry, place))
            case Retention():
                self.retentions.append(Declared(entry, place))
