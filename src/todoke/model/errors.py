"""Errors that carry what a person should read and do."""

from __future__ import annotations

import inspect


class TodokeError(Exception):
    """Something went wrong.

    A subclass's docstring is its default sentence. `fix` says what to do about it; `where` names the place (a file
    and line, a key, a column). The command line prints `where: sentence. fix` and exits with status 1.
    """

    def __init__(self, sentence: str | None = None, *, where: str | None = None, fix: str | None = None) -> None:
        self.sentence = sentence or (inspect.getdoc(type(self)) or "Something went wrong.").splitlines()[0]
        self.where = where
        self.fix = fix
        super().__init__(self.sentence)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.fix}" if self.fix else ""
        return f"{place}{self.sentence}{remedy}"


class NotFound(TodokeError):
    """There is no such thing."""


class Conflict(TodokeError):
    """The state of things does not allow this."""


class Invalid(TodokeError):
    """What was given cannot be used."""


class Unavailable(TodokeError):
    """Something that is needed does not answer."""


def sentence_of(clause: str) -> str:
    """A clause as a sentence: with a capital letter, and a full stop unless it ends in a mark of its own."""
    return f"{clause[:1].upper()}{clause[1:]}{'' if clause.endswith(('.', '?', '!')) else '.'}"
