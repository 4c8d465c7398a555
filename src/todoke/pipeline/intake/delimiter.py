"""Which character separates the fields of a text file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from todoke.model.errors import Invalid

DELIMITERS = (",", "\t", ";", "|")
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_ROWS = 50


def given(name: str) -> str:
    """The delimiter that a person names: the character itself, or `tab`, `comma`, `semicolon`, `pipe`."""
    delimiter = _NAMES.get(name.strip().lower() or name, name)
    if len(delimiter) != 1 or delimiter in '\r\n"' or delimiter.isalnum():
        raise Invalid(
            f"{name!r} cannot separate fields.", where="delimiter", fix="Give one character, such as , ; or tab."
        )
    return delimiter


def sniff(lines: Sequence[str], path: Path) -> str:
    """The delimiter of the first lines: the one that cuts most rows into as many fields as the first row has.

    The name helps with a draw: `.tsv` and `.tab` are cut by tabs. A comma where nothing separates anything.
    """
    preferred = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    scores = {delimiter: _score(lines, delimiter) for delimiter in DELIMITERS}
    best = max(scores.values())
    return preferred if scores[preferred] == best else max(DELIMITERS, key=scores.__getitem__)


def _score(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    widths: list[int] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            if row:
                widths.append(len(row))
            if len(widths) == _ROWS:
                break
    except csv.Error:
        pass
    if not widths or widths[0] < 2:
        return 0.0, 0
    return Counter(widths)[widths[0]] / len(widths), widths[0]
