"""Which mark encloses fields that hold separators or line ends."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.errors import Invalid
from todoke.pipeline.intake.delimiter import score

_NAMES = {"double": '"', "single": "'"}
_NONE = "none"


def given(name: str, delimiter: str | None) -> str | None:
    """The quotation mark that a person names: the character itself, `double`, `single`, or `none` for none at all."""
    plain = name.strip().lower()
    if plain == _NONE:
        return None
    mark = _NAMES.get(plain, name.strip())
    if len(mark) != 1 or not mark.isprintable() or mark.isalnum() or mark == delimiter:
        raise Invalid(f"{name!r} cannot enclose fields.", where="quote", fix="Give \", ' or none.")
    return mark


def shown(mark: str | None) -> str:
    """The form that `given` takes."""
    return _NONE if mark is None else mark


def sniff(lines: Sequence[str], delimiter: str) -> str:
    """`'` where it cuts more rows into as many fields as the first row has than `"` does; or, where it makes no
    difference, where most lines have a field in single ones and none has one in double ones. Else `"`.
    """
    single, double = (score(lines, delimiter, mark) for mark in ("'", '"'))
    if single != double:
        return "'" if single > double else '"'
    ends = [_ends(line, delimiter) for line in lines]
    if any('""' in found for found in ends):
        return '"'
    return "'" if 2 * sum("''" in found for found in ends) > len(ends) else '"'


def _ends(line: str, delimiter: str) -> set[str]:
    return {field[0] + field[-1] for part in line.split(delimiter) if len(field := part.strip()) > 1}
