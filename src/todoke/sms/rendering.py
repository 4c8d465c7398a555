"""The renderer a template compiles to: literals and column indexes, nothing else.

It runs once a message, so the usual shapes (up to three merge fields) have a closure of their own that reads the row,
looks for blanks and concatenates; any other shape goes through a loop. Both are held to the same tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Render = Callable[[Sequence[str]], str]


class MissingField(ValueError):
    """A merge field without a default is empty (or only white space) in this row: the contact cannot be texted."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the field {{{field}}} is empty and has no default")
        self.field = field


class Hole(NamedTuple):
    """Where a value goes: its column in the row, its name, and what to write when it is blank (None: refuse)."""

    column: int
    name: str
    default: str | None

    def fallback(self) -> str:
        if self.default is None:
            raise MissingField(self.name)
        return self.default


class Renderer:
    """The text of a row: call it, or its `render`, which saves a call. Raises `MissingField`, nothing else.

    `indexes` are the columns it reads, each once, in order. A row that ends early has blanks there.
    """

    __slots__ = ("indexes", "render")

    render: Render
    indexes: tuple[int, ...]

    def __init__(self, pieces: Sequence[str | Hole]) -> None:
        literals, holes = _alternate(pieces)
        self.indexes = tuple(sorted({hole.column for hole in holes}))
        match holes:
            case []:
                self.render = _constant(literals[0])
            case [one]:
                self.render = _one(literals, one)
            case [one, two]:
                self.render = _two(literals, one, two)
            case [one, two, three]:
                self.render = _three(literals, one, two, three)
            case _:
                self.render = _many(literals, holes)

    def __call__(self, row: Sequence[str]) -> str:
        return self.render(row)


def _alternate(pieces: Sequence[str | Hole]) -> tuple[list[str], list[Hole]]:
    """The holes, and the literals around them: always one literal more than holes."""
    literals = [""]
    holes: list[Hole] = []
    for piece in pieces:
        if isinstance(piece, Hole):
            holes.append(piece)
            literals.append("")
        else:
            literals[-1] += piece
    return literals, holes


def _padded(row: Sequence[str], *holes: Hole) -> list[str]:
    width = max(hole.column for hole in holes) + 1
    return [*row, *[""] * (width - len(row))]


def _constant(text: str) -> Render:
    def render(_row: Sequence[str]) -> str:
        return text

    return render


def _one(literals: Sequence[str], one: Hole) -> Render:
    before, after = literals
    i = one.column

    def render(row: Sequence[str]) -> str:
        try:
            x = row[i]
        except IndexError:
            return render(_padded(row, one))
        if not x or x.isspace():
            x = one.fallback()
        return f"{before}{x}{after}"

    return render


def _two(literals: Sequence[str], one: Hole, two: Hole) -> Render:
    before, between, after = literals
    i, j = one.column, two.column

    def render(row: Sequence[str]) -> str:
        try:
            x = row[i]
            y = row[j]
        except IndexError:
            return render(_padded(row, one, two))
        if not x or x.isspace():
            x = one.fallback()
        if not y or y.isspace():
            y = two.fallback()
        return f"{before}{x}{between}{y}{after}"

    return render


def _three(literals: Sequence[str], one: Hole, two: Hole, three: Hole) -> Render:
    before, first, second, after = literals
    i, j, k = one.column, two.column, three.column

    def render(row: Sequence[str]) -> str:
        try:
            x = row[i]
            y = row[j]
            z = row[k]
        except IndexError:
            return render(_padded(row, one, two, three))
        if not x or x.isspace():
            x = one.fallback()
        if not y or y.isspace():
            y = two.fallback()
        if not z or z.isspace():
            z = three.fallback()
        return f"{before}{x}{first}{y}{second}{z}{after}"

    return render


def _many(literals: Sequence[str], holes: Sequence[Hole]) -> Render:
    blank = [""] * (len(literals) + len(holes))
    blank[::2] = literals
    slots = [(2 * number + 1, hole.column, hole) for number, hole in enumerate(holes)]
    join = "".join

    def render(row: Sequence[str]) -> str:
        pieces = blank.copy()
        try:
            for slot, column, hole in slots:
                value = row[column]
                if not value or value.isspace():
                    value = hole.fallback()
                pieces[slot] = value
        except IndexError:
            return render(_padded(row, *holes))
        return join(pieces)

    return render
