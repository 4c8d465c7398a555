"""Files of rejected rows hold numbers as people wrote them: which of them have a given one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_NOT_DIGITS = re.compile(r"\D+")
_LAST = 9  # digits by which a number is recognised, whatever stands before them


def mentions(files: Sequence[Path], phone: int) -> list[Path]:
    """The files in which a cell has the number, or one that ends alike. Read a line at a time."""
    wanted = str(phone)[-_LAST:]
    return [file for file in files if _has(file, wanted)]


def _has(file: Path, wanted: str) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return any(wanted in _NOT_DIGITS.sub("", cell) for line in lines for cell in line.split(","))
    except OSError:
        return False  # gone meanwhile
