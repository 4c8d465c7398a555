"""Where in a declaration something stands, and what is wrong there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from todoke.model.errors import Invalid


class Problem(NamedTuple):
    """Something that a person should change, or (a warning) look at. `where` is `FILE:LINE: table.key`."""

    line: int
    where: str
    sentence: str
    fix: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence} {self.fix}".rstrip()

    @property
    def told(self) -> str:
        """For people, beside others: a warning says that it is one."""
        return f"warning: {self}" if self.warning else str(self)


class DeclarationInvalid(Invalid):
    """The declaration has mistakes; nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.told for problem in problems))


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of a file: the line of its header, and of each of its keys."""

    file: str
    table: str
    line: int
    keys: Mapping[str, int] = field(default_factory=dict[str, int])

    def problem(self, key: str | None, sentence: str, fix: str = "", *, warning: bool = False) -> Problem:
        """A problem with the key, or with the whole entry."""
        line = self.keys.get(key or "", self.line)
        name = f"{self.table}.{key}" if key else self.table
        return Problem(line, f"{self.file}:{line}: {name}", sentence, fix, warning)


_HEADER = re.compile(r"""\s*\[\[?\s*["']?([\w-]+)["']?\s*\]\]?\s*(?:#.*)?$""")
_TABLE_KEY = re.compile(r"""\s*\[\s*["']?[\w-]+["']?\s*\.\s*["']?([\w-]+)["']?\s*\]\s*(?:#.*)?$""")  # a key as a table
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=\s*(.*)$""")
_QUOTES = ('"""', "'''")


def locate(file: str, text: str) -> dict[str, list[Place]]:
    """The places of all tables of a TOML text, by table name in order. Keys at the top stand under the name "".

    A scan, not a parser: the text is known to be TOML; what is written in an unusual way gets the line of its header.
    """
    keys: dict[str, int] = {}
    places: dict[str, list[Place]] = {"": [Place(file, "", 1, keys)]}
    quote: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if quote is not None:
            if quote in line:
                quote = None
            continue
        if header := _HEADER.match(line):
            keys = {}
            places.setdefault(header[1], []).append(Place(file, header[1], number, keys))
        elif table := _TABLE_KEY.match(line):
            keys.setdefault(table[1], number)
            keys = {}
        elif key := _KEY.match(line):
            keys.setdefault(key[1], number)
            opened = next((mark for mark in _QUOTES if key[2].startswith(mark)), None)
            if opened is not None and opened not in key[2][3:]:
                quote = opened
    return places
