"""A declaration on its way into the catalogue: what has changed so far, and what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.declaration import Declaration, Place, Problem
from todoke.model.errors import Invalid, NotFound
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit

T = TypeVar("T")


class Change(NamedTuple):
    """Something made (`created`), or changed in these fields: (field, old, new)."""

    created: bool
    what: str
    name: str
    business_unit: str | None
    fields: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(slots=True)
class Provisioned:
    """What a declaration changed, or would change, and what someone should look at."""

    changes: list[Change] = field(default_factory=list[Change])
    unchanged: int = 0
    warnings: list[Problem] = field(default_factory=list[Problem])


@dataclass(slots=True)
class Work:
    """Passed along the kinds. A problem does not stop the rest: all of them are told at once."""

    connection: AsyncConnection
    now: Micros
    declaration: Declaration
    problems: list[Problem]
    done: Provisioned = field(default_factory=Provisioned)

    def created(self, what: str, name: str, unit: Unit | None) -> None:
        self.done.changes.append(Change(True, what, name, unit.name if unit else None))

    def differs(
        self, what: str, name: str, unit: Unit | None, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> set[str]:
        """The fields that change; recorded."""
        fields = tuple((key, old.get(key), new[key]) for key in new if old.get(key) != new[key])
        if fields:
            self.done.changes.append(Change(False, what, name, unit.name if unit else None, fields))
        else:
            self.done.unchanged += 1
        return {key for key, _, _ in fields}

    def refuse(self, place: Place, key: str | None, sentence: str, fix: str) -> None:
        self.problems.append(place.problem(key, sentence, fix))

    async def unit(self, name: str | None, place: Place) -> Unit | None:
        """The business unit of an entry; None, with the problem recorded, where it cannot be told."""
        declared = sorted(self.declaration.mentioned.get("business_unit", ()))
        if name is None and len(declared) == 1:
            name = declared[0]
        elif name is None and declared:
            self.refuse(place, "business_unit", "It is missing.", f"Name one: {', '.join(map(repr, declared))}.")
            return None
        return await self.found(units.only(self.connection, name), place, "business_unit", "business_unit", name)

    async def found(self, finding: Awaitable[T], place: Place, key: str, table: str, name: str | None) -> T | None:
        """What a name stands for; None where there is no such thing. A problem, unless the file declares it with a
        mistake of its own.
        """
        try:
            return await finding
        except (NotFound, Invalid) as error:
            if name not in self.declaration.mentioned.get(table, ()):
                self.refuse(place, key, error.sentence, error.fix or "")
            elif all(problem.warning for problem in self.problems):  # no mistake of its own: it is another unit's
                self.refuse(place, key, error.sentence, "It is declared for another business unit.")
            return None
