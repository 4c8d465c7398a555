"""The rulebook of an installation: the built-in rule packs, and the files of a folder of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from todoke.compliance.rulebook import PackFile, Rulebook, read, standard
from todoke.model.clock import Clock
from todoke.model.declaration import Declaration, Place, Problem
from todoke.model.declared_hours import BY_PLACE, NO_RULES
from todoke.model.errors import Invalid, NotFound, TodokeError

_log = logging.getLogger(__name__)

_LOOK = 10.0  # seconds
_State: TypeAlias = tuple[tuple[str, int, int], ...]


def load(folder: Path) -> Rulebook:
    """All packs; PackInvalid with every mistake, Invalid for a file that cannot be read."""
    files = _files(folder)
    return read([_pack(file) for file in files]) if files else standard()


def read_pack(file: Path) -> Rulebook:
    """The built-in packs and this one, without the folder's: to look at a pack before it is put there."""
    return read([_pack(file)])


def missing(declaration: Declaration, book: Rulebook) -> Iterator[Problem]:
    """What a declaration names and no rule pack has: it would be never open."""
    for unit, place in declaration.units:
        for name in unit.holidays:
            try:
                book.days([name])
            except NotFound as error:
                yield place.problem("holidays", error.sentence, error.fix or "")
        yield from _pack_missing(unit.rule_pack, book, place)
    for skill, place in declaration.skills:
        yield from _pack_missing(skill.rule_pack, book, place)


def _pack_missing(name: str | None, book: Rulebook, place: Place) -> Iterator[Problem]:
    if name is not None and name not in (BY_PLACE, NO_RULES) and not book.of(name):
        yield place.problem(
            "rule_pack", f"No rule pack knows {name!r}.", "todoke rules list shows those that are known."
        )


class Rules:
    """What an engine goes by: read at the start, and again when a file has changed. `load` errors come from the first
    reading only; later a pack that is broken is logged, and the rules that were there stay.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._state = _state(folder)
        self._book = load(folder)
        self._looked = clock.monotonic()

    def current(self) -> Rulebook:
        """The rulebook of now; the same object as long as nothing changed."""
        now = self._clock.monotonic()
        if now - self._looked < _LOOK:
            return self._book
        self._looked = now
        try:
            state = _state(self._folder)
            if state != self._state:
                self._state = state
                self._book = load(self._folder)
                _log.info("the rule packs were read again", extra={"action": "rules_read"})
        except (TodokeError, OSError) as error:
            _log.error("the rule packs cannot be used, the old rules stay: %s", error, extra={"action": "rules_faulty"})
        return self._book


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml")) if folder.is_dir() else []


def _state(folder: Path) -> _State:
    found = ((file, file.stat()) for file in _files(folder))
    return tuple((file.name, stat.st_mtime_ns, stat.st_size) for file, stat in found)


def _pack(file: Path) -> PackFile:
    try:
        return PackFile(str(file), file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise Invalid("There is no such file.", where=str(file)) from None
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8.", where=str(file), fix="Save it as UTF-8.") from None
