"""The rule packs of an installation together: what hours hold in a jurisdiction, and which days a calendar has.

Built-in packs come first; a file of the installation's own that names a jurisdiction or a calendar again takes its
place, whole. In a state both its own hours and its country's hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple, TypeVar, cast

from msgspec import Struct

from todoke.compliance.jurisdiction import Calendar, Cap, Jurisdiction, PackHead
from todoke.model import holidays, schedule
from todoke.model.declaration import Place, Problem
from todoke.model.declaration.check import check
from todoke.model.declaration.place import locate
from todoke.model.errors import Invalid, NotFound
from todoke.model.holidays import Days
from todoke.model.schedule import Schedule
from todoke.sms.territories import country_of

BUILT_IN = "built-in"
_SOME_STATE = "*"
_HEAD = ("version",)
T = TypeVar("T", bound=Struct)


class PackFile(NamedTuple):
    """A rule pack as it was read; `name` is how messages call it."""

    name: str
    text: str


class Rule(NamedTuple):
    """A jurisdiction's rule. `schedule` is None where it says no hours."""

    jurisdiction: Jurisdiction
    schedule: Schedule | None
    file: str
    version: str

    @property
    def cited(self) -> str:
        """Where it is from, for people."""
        return f"{self.jurisdiction.source} ({self.jurisdiction.basis}; {self.file}, version {self.version})"


class PackInvalid(Invalid):
    """A rule pack has mistakes."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class Rulebook:
    """Never changes: another set of packs is another rulebook. Equal only to itself, so that it is a key of caches."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]], calendars: Mapping[str, Days]) -> None:
        self._rules = {code: tuple(of) for code, of in rules.items()}
        self.calendars = dict(calendars)
        self._schedules: dict[str, tuple[Schedule, ...]] = {}

    def __iter__(self) -> Iterator[Rule]:
        """All rules, by code."""
        return (rule for code in sorted(self._rules) for rule in self._rules[code])

    def of(self, jurisdiction: str) -> tuple[Rule, ...]:
        """What holds in `US-FL`, `JP` or, for some state of a country, `US-*`: then the rules of all its states."""
        country, _, state = jurisdiction.partition("-")
        if state == _SOME_STATE:
            return tuple(rule for rule in self if rule.jurisdiction.code.partition("-")[0] == country)
        own = self._rules.get(jurisdiction, ()) if state else ()
        return (*self._rules.get(country, ()), *own)

    def schedules(self, jurisdiction: str) -> tuple[Schedule, ...]:
        """The hours of it, in each of which a text must fall; none where no rule is known."""
        found = self._schedules.get(jurisdiction)
        if found is None:
            distinct = dict.fromkeys(rule.schedule for rule in self.of(jurisdiction) if rule.schedule is not None)
            found = self._schedules[jurisdiction] = tuple(distinct)
        return found

    def caps(self, jurisdiction: str) -> tuple[Cap, ...]:
        """How often a person may be texted there: data for whoever counts."""
        return tuple(dict.fromkeys(cap for rule in self.of(jurisdiction) for cap in rule.jurisdiction.caps))

    def of_zone(self, zone: str) -> str | None:
        """The jurisdiction of a contact of whom only the zone is known: the country."""
        return country_of(zone)

    def days(self, names: Iterable[str]) -> Days:
        """The holidays of these calendars, rules and days; NotFound for a calendar that is not there."""
        found: dict[str, None] = {}
        for name in names:
            if _is_calendar(name):
                if name not in self.calendars:
                    fix = f"The calendars are: {', '.join(sorted(self.calendars))}."
                    raise NotFound(f"There is no calendar of holidays {name!r}.", fix=fix)
                found.update(dict.fromkeys(self.calendars[name]))
            else:
                found[holidays.check(name)] = None
        return tuple(found)


def _is_calendar(name: str) -> bool:
    return name.isascii() and name[:2].isalpha() and name[:2].isupper()


@lru_cache(maxsize=1)
def built_in() -> tuple[PackFile, ...]:
    """The packs that come with Todoke."""
    folder = resources.files("todoke.compliance").joinpath("packs")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    return tuple(PackFile(f"{BUILT_IN} {n}", folder.joinpath(n).read_text(encoding="utf-8")) for n in names)


@lru_cache(maxsize=1)
def standard() -> Rulebook:
    """The rulebook of an installation that has no packs of its own."""
    return read(())


def read(own: Sequence[PackFile]) -> Rulebook:
    """The built-in packs and these, later ones first in force. PackInvalid, with every mistake and its line."""
    rules: dict[str, list[Rule]] = {}
    calendars: dict[str, Days] = {}
    problems: list[Problem] = []
    packs = [_parsed(file, problems) for file in (*built_in(), *own)]
    for pack in packs:
        for entry, place in pack.calendars:
            calendars[entry.name] = tuple(_days(entry.days, place, "days", problems))
    book = Rulebook({}, calendars)
    for pack in packs:
        for code in {entry.code for entry, _ in pack.jurisdictions}:
            rules[code] = []
        for entry, place in pack.jurisdictions:
            hours = _schedule(entry, place, book, problems)
            rules[entry.code].append(Rule(entry, hours, pack.file.name, pack.version))
    if problems:
        raise PackInvalid(sorted(problems, key=lambda problem: (problem.where.partition(":")[0], problem.line)))
    return Rulebook(rules, calendars)


class _Pack(NamedTuple):
    file: PackFile
    version: str
    jurisdictions: list[tuple[Jurisdiction, Place]]
    calendars: list[tuple[Calendar, Place]]


def _parsed(file: PackFile, problems: list[Problem]) -> _Pack:
    pack = _Pack(file, "", [], [])
    try:
        tables = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(1, file.name, f"This is not TOML: {error}.", "A text stands in quotes."))
        return pack
    places = locate(file.name, file.text)
    top = places[""][0]
    head, wrong = check(PackHead, {key: value for key, value in tables.items() if key in _HEAD}, top)
    problems += wrong
    for key in tables:
        if key not in (*_HEAD, "jurisdiction", "calendar"):
            problems.append(top.problem(key, "There is no such key or table.", "Use version, jurisdiction, calendar."))
    pack.jurisdictions.extend(_entries(tables, "jurisdiction", Jurisdiction, places, problems))
    pack.calendars.extend(_entries(tables, "calendar", Calendar, places, problems))
    return pack._replace(version=head.version if head is not None else "")


def _entries(
    tables: Mapping[str, object], table: str, kind: type[T], places: Mapping[str, list[Place]], problems: list[Problem]
) -> Iterator[tuple[T, Place]]:
    raws = tables.get(table, [])
    found = places.get(table, [])
    first = found[0] if found else places[""][0]
    if not isinstance(raws, list) or not all(isinstance(raw, dict) for raw in cast(list[object], raws)):
        problems.append(first.problem(None, "It is not a list of tables.", f"Write [[{table}]] above it."))
        return
    entries = cast(list[dict[str, Any]], raws)
    for raw, place in zip(entries, found if len(found) == len(entries) else [first] * len(entries), strict=True):
        entry, wrong = check(kind, raw, place)
        problems += wrong
        if entry is not None:
            yield entry, place


def _schedule(entry: Jurisdiction, place: Place, book: Rulebook, problems: list[Problem]) -> Schedule | None:
    days = _days(entry.holidays, place, "holidays", problems, book)
    if entry.hours is None:
        return None
    try:
        hours = schedule.parse(entry.hours)
    except Invalid as error:
        problems.append(place.problem("hours", error.sentence, error.fix or ""))
        return None
    if (hours.holiday is None) == bool(days):
        sentence = "Hours of holidays and the days that are holidays belong together."
        problems.append(place.problem("hours", sentence, "Write hours = '...; holidays closed' and holidays = [...]."))
    return hours._replace(days=days, since=entry.since, until=entry.until)


def _days(
    names: Iterable[str], place: Place, key: str, problems: list[Problem], book: Rulebook | None = None
) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        try:
            found.extend([holidays.check(name)] if book is None else book.days([name]))
        except (Invalid, NotFound) as error:
            problems.append(place.problem(key, error.sentence, error.fix or ""))
    return tuple(dict.fromkeys(found))
