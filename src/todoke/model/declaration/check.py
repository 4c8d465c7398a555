"""One table of a declaration against the class that says what it may hold: every mistake in it, not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from todoke.model.closest import suggestion
from todoke.model.declaration.place import Place, Problem

T = TypeVar("T", bound=Struct)


def check(kind: type[T], table: Mapping[str, object], place: Place) -> tuple[T | None, list[Problem]]:
    """The table as `kind`, None where it has a mistake; and its mistakes."""
    fields = msgspec.structs.fields(kind)
    values: dict[str, Any] = {}
    problems = list(unknown(table, [field.name for field in fields], place))
    for field in fields:
        if field.name in table:
            try:
                values[field.name] = msgspec.convert(table[field.name], field.type)
            except msgspec.ValidationError as error:
                problems.append(_refused(place, field.name, table[field.name], field.type, str(error)))
        elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
            fix = f"Add {field.name} = ..., {described(field.type)}."
            problems.append(place.problem(field.name, "It is missing.", fix))
    if problems:
        return None, problems
    try:
        return kind(**values), []
    except ValueError as error:  # the class has rules of its own; the first key that it names is to blame
        named = re.search(r"`(\w+)`", str(error))
        key = named[1] if named and named[1] in table else None
        return None, [place.problem(key, f"{_capital(str(error).replace('`', ''))}.", "")]


def unknown(table: Iterable[str], known: list[str], place: Place) -> Iterator[Problem]:
    """A problem for every key that is not known."""
    for key in table:
        if key not in known:
            fix = suggestion(key, known, f"The keys are: {', '.join(known)}.")
            yield place.problem(key, "There is no such key.", fix)


def _refused(place: Place, key: str, value: object, kind: object, error: str) -> Problem:
    options = _options(kind)
    if options and isinstance(value, str):
        return place.problem(key, f"{value!r} is not possible.", suggestion(value, [str(option) for option in options]))
    if isinstance(value, str) and "Expected `str`" in error:
        sentence = f"{_short(value)!r} does not fit."
    else:
        sentence = error.replace("`", "").partition(" - at")[0] + "."
    return place.problem(key, sentence, f"Write {described(kind)}.")


def described(kind: object) -> str:
    """What a value of the type must be, in words."""
    for part in (kind, *get_args(kind)):
        for meta in cast("tuple[Any, ...]", getattr(part, "__metadata__", ())):
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    if options := _options(kind):
        return " or ".join(f'"{option}"' if isinstance(option, str) else str(option) for option in options)
    words = {str: "a text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
    return words.get(cast(Any, kind), "a value")


def _options(kind: object) -> tuple[object, ...]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(member.value for member in kind)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:57]}..."
