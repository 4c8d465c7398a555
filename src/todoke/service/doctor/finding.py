"""What a check found."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Level(Enum):
    """An ERROR loses, doubles or hangs; a WARNING may, or a person should know."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """`check` names what was looked at; `fix` says what to do about it, and is empty where all is well."""

    check: str
    level: Level
    sentence: str
    fix: str = ""


def ok(check: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, sentence)


def warning(check: str, sentence: str, fix: str) -> Finding:
    """Something that may do harm."""
    return Finding(check, Level.WARNING, sentence, fix)


def error(check: str, sentence: str, fix: str) -> Finding:
    """Something that does harm."""
    return Finding(check, Level.ERROR, sentence, fix)


def count(n: int, one: str, many: str = "") -> str:
    """`1 standby`, `2 standbys`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
