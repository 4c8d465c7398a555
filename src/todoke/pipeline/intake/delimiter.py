"""Which character separates the fields of a text file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

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


def sniff(lines: Sequence[str], suffix: str, quote: str | None = '"') -> str:
    """The delimiter of the first lines: the one that cuts most rows into as many fields as the first row has.

    The name's suffix helps with a draw: `.tsv` and `.tab` are cut by tabs. A comma where nothing separates anything.
    """
    preferred = "\t" if suffix in (".tsv", ".tab") else ","
    scores = {delimiter: score(lines, delimiter, quote) for delimiter in DELIMITERS}
    best = max(scores.values())
    return preferred if scores[preferred] == best else max(DELIMITERS, key=scores.__getitem__)


def score(lines: Sequence[str], delimiter: str, quote: str | None) -> tuple[float, int]:
    """What share of the rows has as many fields as the first one, and how many these are."""
    widths: list[int] = []
    quoting = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    try:
        for row in csv.reader(
            lines, delimiter=delimiter, quotechar=quote or '"', quoting=quoting, skipinitialspace=True
        ):
            if row:
                widths.append(len(row))
            if len(widths) == _ROWS:
                break
    except csv.Error:
        pass
    if not widths or widths[0] < 2:
        return 0.0, 0
    return Counter(widths)[widths[0]] / len(widths), widths[0]
