"""Templates: a text with merge fields, `{FirstName}` or `{FirstName|friend}`, compiled to a renderer of rows.

A name is the exact name of a mapped list field; it may hold spaces, digits and any script, but no brace, bar or line
break. White space around a name or a default does not count. `{{` and `}}` are literal braces. A value is inserted as
it is: braces in it mean nothing. Nothing of the body or of a value is ever evaluated.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from todoke.sms.rendering import Hole, Renderer

__all__ = ["Renderer", "Template", "TemplateError", "UnknownField", "literal", "parse"]

_TOKEN = re.compile(r"[{}]")
_FIELD_END = re.compile(r"[{}\n\r]")
_LITERAL_FIELD = re.compile(r"[{｛]([^{}｛｝\n\r]+)[}｝]")


class TemplateError(ValueError):
    """The body does not parse. `line` and `column` count from 1; `problem` says what is wrong, `fix` what to do."""

    def __init__(self, line: int, column: int, problem: str, fix: str) -> None:
        super().__init__(f"line {line}, column {column}: {problem}; {fix}")
        self.line = line
        self.column = column
        self.problem = problem
        self.fix = fix


class UnknownField(ValueError):
    """The template names fields that the list does not have. `closest` has the likely meant name where there is one."""

    def __init__(self, names: tuple[str, ...], known: tuple[str, ...], closest: dict[str, str]) -> None:
        named = ", ".join(
            f"{{{name}}} (did you mean {{{closest[name]}}}?)" if name in closest else f"{{{name}}}" for name in names
        )
        fields = ", ".join(known) if known else "none"
        super().__init__(f"the list has no field for {named}; its fields are: {fields}")
        self.names = names
        self.known = known
        self.closest = closest


class Field(NamedTuple):
    """A merge field in its place; without a default (None) an empty value is a missing field."""

    name: str
    default: str | None


class Template(NamedTuple):
    """A parsed body. `pieces` alternate as they stand: literal text or `Field`; `fields` are the names, each once, in
    order of first use."""

    body: str
    fields: tuple[str, ...]
    pieces: tuple[str | Field, ...]

    def unknown(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The merge fields that are not among `columns`."""
        return tuple(name for name in self.fields if name not in columns)

    def suspects(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Literal text that looks like a merge field of `columns` but is sent as it stands: `{{FirstName}}`,
        `｛氏名｝` in full-width braces. Nothing is wrong with it; whoever starts a skill should be asked."""
        text = "".join(piece if isinstance(piece, str) else "\n" for piece in self.pieces)
        return tuple(
            dict.fromkeys(
                match[0] for match in _LITERAL_FIELD.finditer(text) if match[1].partition("|")[0].strip() in columns
            )
        )

    def compile(self, columns: Sequence[str]) -> Renderer:
        """A renderer for rows in the order of `columns`; raises `UnknownField`."""
        if unknown := self.unknown(columns):
            raise UnknownField(unknown, tuple(columns), _closest(unknown, columns))
        return Renderer(
            [
                piece if isinstance(piece, str) else Hole(columns.index(piece.name), piece.name, piece.default)
                for piece in self.pieces
            ]
        )


def parse(body: str) -> Template:
    """Parse a template body; raises `TemplateError` at the first mistake."""
    pieces: list[str | Field] = []
    text: list[str] = []
    at = 0
    while token := _TOKEN.search(body, at):
        start = token.start()
        text.append(body[at:start])
        brace = token[0]
        if body.startswith(brace, start + 1):
            text.append(brace)
            at = start + 2
            continue
        if brace == "}":
            raise _error(body, start, "a } without its {", "remove it, or write }} for a literal brace")
        if literal_text := "".join(text):
            pieces.append(literal_text)
        text.clear()
        field, at = _parse_field(body, start)
        pieces.append(field)
    text.append(body[at:])
    if literal_text := "".join(text):
        pieces.append(literal_text)
    names = dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Field))
    return Template(body, tuple(names), tuple(pieces))


def literal(text: str) -> str:
    """The body of a template that renders exactly `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def _parse_field(body: str, start: int) -> tuple[Field, int]:
    """The field whose `{` stands at `start`, and the index after its `}`."""
    end = _FIELD_END.search(body, start + 1)
    if end is None or end[0] in "\n\r":
        raise _error(body, start, "the { is never closed", "add }, or write {{ for a literal brace")
    if end[0] == "{":
        raise _error(body, end.start(), "a { inside a merge field", "close the field before it with }")
    name, bar, default = body[start + 1 : end.start()].partition("|")
    if not (name := name.strip()):
        raise _error(body, start, "a merge field without a name", "name a field of the list, such as {FirstName}")
    return Field(name, default.strip() if bar else None), end.end()


def _error(body: str, index: int, problem: str, fix: str) -> TemplateError:
    line = body.count("\n", 0, index) + 1
    column = index - (body.rfind("\n", 0, index) + 1) + 1
    return TemplateError(line, column, problem, fix)


def _closest(names: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """For each name the column it most resembles, letter case and separators aside."""
    plain = {_plain(column): column for column in reversed(columns)}
    matches = {name: difflib.get_close_matches(_plain(name), plain, n=1) for name in names}
    return {name: plain[match[0]] for name, match in matches.items() if match}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())
