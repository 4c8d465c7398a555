"""What somebody may have meant by a name that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most resembles, letter case and separators aside."""
    plain = {_plain(candidate): candidate for candidate in reversed(list(known))}
    match = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    return plain[match[0]] if match else None


def suggestion(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence for an error's `fix`: the closest name, else what there is, else `otherwise`."""
    names = list(known)
    meant = closest(name, names)
    if meant is not None:
        return f"Did you mean {meant!r}?"
    if names and len(names) <= 12:
        return f"There is: {', '.join(repr(known) for known in names)}."
    return otherwise


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())
