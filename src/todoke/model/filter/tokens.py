"""The words of a filter's text, each with its place."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from todoke.model.errors import Invalid

LONGEST = 20_000  # characters of a filter


class Kind(Enum):
    WORD = "word"  # a field's name, or one of the words of the language
    FIELD = "field"  # {a field's name}
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """`text` is without quotation marks and braces; `at` counts from 1."""

    kind: Kind
    text: str
    at: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind is Kind.END else repr(self.text)


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<day>\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?(?![\w:-]))
    | (?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?![\w.]))
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<field>\{[^{}]+\})
    | (?P<word>@?[^\W\d][\w.#]*)
    | (?P<sign><=|>=|!=|<>|==|[=<>(),+-])
    """,
    re.VERBOSE | re.DOTALL,
)


def split(text: str, where: str) -> list[Token]:
    """The tokens, the end among them; Invalid."""
    if len(text) > LONGEST:
        raise Invalid(f"The text has {len(text):,} characters; {LONGEST:,} are possible.", where=where)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _stray(text, at, where)
        kind = found.lastgroup
        if kind != "space":
            tokens.append(Token(Kind(kind), _plain(Kind(kind), found[0]), at + 1))
        at = found.end()
    tokens.append(Token(Kind.END, "", len(text) + 1))
    return tokens


def _plain(kind: Kind, raw: str) -> str:
    match kind:
        case Kind.TEXT:
            return re.sub(r"\\(.)", r"\1", raw[1:-1], flags=re.DOTALL)
        case Kind.FIELD:
            return raw[1:-1].strip()
        case _:
            return raw


def _stray(text: str, at: int, where: str) -> Invalid:
    character = text[at]
    place = f"{where}, column {at + 1}"
    if character in "\"'":
        return Invalid("A quotation mark opens here and does not close.", where=place, fix=f"Add a {character}.")
    if character == "{":
        return Invalid("A brace opens here and does not close.", where=place, fix="Write a field as {Its Name}.")
    if character.isdigit():
        return Invalid(
            f"{text[at:].split()[0]!r} is neither a number nor a date.",
            where=place,
            fix='Write 1234.5 or 2026-11-27, or a text in quotes: "90210".',
        )
    return Invalid(
        f"{character!r} has no place here.", where=place, fix='Texts stand in quotes: State = "FL"; fields in braces.'
    )
