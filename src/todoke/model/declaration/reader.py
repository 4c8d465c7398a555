"""From the text of a declaration to its entries, with every mistake that can be seen without a database."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import cast

from todoke.model.closest import suggestion
from todoke.model.declaration import rules
from todoke.model.declaration.check import check
from todoke.model.declaration.declared import Declaration
from todoke.model.declaration.entries import (
    DEFAULT_DNC_GROUP,
    Brand,
    BusinessUnit,
    Campaign,
    DncGroup,
    Entry,
    Provider,
    ProviderHead,
    Registration,
    Retention,
    Skill,
    Template,
    TransportCode,
)
from todoke.model.declaration.place import Place, Problem, locate
from todoke.model.provider_kind import Kinds

_KINDS: dict[
    str, type[BusinessUnit | Brand | TransportCode | Registration | DncGroup | Campaign | Template | Skill | Retention]
] = {
    "business_unit": BusinessUnit,
    "brand": Brand,
    "transport_code": TransportCode,
    "registration": Registration,
    "dnc_group": DncGroup,
    "campaign": Campaign,
    "template": Template,
    "skill": Skill,
    "retention": Retention,
}
TABLES = (
    "business_unit",
    "provider",
    "brand",
    "transport_code",
    "registration",
    "dnc_group",
    "campaign",
    "template",
    "skill",
    "retention",
)


def read(file: str, text: str, kinds: Kinds) -> tuple[Declaration, list[Problem]]:
    """What the text declares, without the entries that have a mistake, and the problems in order of their lines.

    `kinds` are the kinds of provider that may be named.
    """
    declaration = Declaration(file)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return declaration, [_not_toml(file, text, str(error))]
    places = locate(file, text)
    top = places[""][0]
    seen: dict[tuple[object, ...], Place] = {}
    problems: list[Problem] = []
    for table, value in tables.items():
        found = places.get(table, [])
        first = found[0] if found else Place(file, table, top.keys.get(table, 1))
        if table not in TABLES:
            fix = suggestion(table, TABLES, f"The tables are: {', '.join(TABLES)}.")
            problems.append(first.problem(None, "There is no such table.", fix))
            continue
        entries = _entries(value)
        if entries is None:
            problems.append(first.problem(None, "It is not a list of tables.", f"Write [[{table}]] above it."))
            continue
        if len(found) != len(entries):  # written inline: every entry has the line of the whole
            found = [first] * len(entries)
        for raw, place in zip(entries, found, strict=True):
            _mention(declaration, table, raw)
            entry, wrong = _provider(raw, place, kinds) if table == "provider" else check(_KINDS[table], raw, place)
            problems += wrong
            if entry is None:
                continue
            entry = rules.tidied(entry)
            wrong = [*rules.check(entry, place), *_repeated(seen, entry, place)]
            problems += wrong
            if all(problem.warning for problem in wrong):
                declaration.add(entry, place)
    return declaration, sorted(problems, key=lambda problem: problem.line)


def _entries(value: object) -> list[dict[str, object]] | None:
    if not isinstance(value, list):
        return None
    entries = cast(list[object], value)
    return cast(list[dict[str, object]], entries) if all(isinstance(entry, dict) for entry in entries) else None


def _provider(raw: Mapping[str, object], place: Place, kinds: Kinds) -> tuple[Entry | None, list[Problem]]:
    """A provider's own keys and its kind's stand side by side."""
    own = ProviderHead.__struct_fields__
    head, problems = check(ProviderHead, {key: raw[key] for key in own if key in raw}, place)
    kind = raw.get("kind")
    if not isinstance(kind, str):
        return None, problems
    if kind not in kinds:
        return None, [*problems, place.problem("kind", f"There is no kind {kind!r}.", suggestion(kind, kinds))]
    settings, wrong = check(kinds[kind], {key: raw[key] for key in raw if key not in own}, place)
    problems += wrong
    secret = raw.get("password")
    if settings is not None and isinstance(secret, str):
        problems += rules.password(secret, place)
    if head is None or settings is None or not all(problem.warning for problem in problems):
        return None, problems
    entry = Provider(name=head.name, kind=kind, settings=settings, price=head.price, currency=head.currency)
    return entry, problems


def _repeated(seen: dict[tuple[object, ...], Place], entry: Entry, place: Place) -> list[Problem]:
    """A second entry of the same name, where that is not two things."""
    key = rules.identity(entry)
    first = seen.setdefault(key, place)
    if first is place:
        return []
    if place.table == "retention":
        return [
            place.problem("business_unit", "Its retention is declared twice.", f"The first is at line {first.line}.")
        ]
    named = "code" if place.table in ("transport_code", "registration") else "name"
    return [place.problem(named, f"{key[-1]!r} is declared twice.", f"The first is at line {first.line}; remove one.")]


def _mention(declaration: Declaration, table: str, raw: Mapping[str, object]) -> None:
    name = raw.get("code" if table == "transport_code" else "name")
    if isinstance(name, str):
        declaration.mentioned.setdefault(table, set()).add(rules.plain_code(name))
    if table == "business_unit":
        group = raw.get("default_dnc_group", DEFAULT_DNC_GROUP)
        declaration.mentioned.setdefault("dnc_group", set()).add(str(group))


def _not_toml(file: str, text: str, error: str) -> Problem:
    what, _, at = error.partition(" (at ")
    match = re.match(r"line (\d+), column (\d+)", at)
    line = int(match[1]) if match else text.count("\n") + 1
    column = f", at column {match[2]}" if match else ""
    return Problem(line, f"{file}:{line}", f"This is not TOML: {what}{column}.", "A text stands in quotes.")
