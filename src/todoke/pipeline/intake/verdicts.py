"""A verdict on a row in two bytes: lists of millions keep one a row between the two readings of a file."""

from __future__ import annotations

from todoke.pipeline.intake.mapping import MAX_COLUMNS
from todoke.pipeline.intake.reasons import Reason

ACCEPTED = 0
BLANK = 1  # an empty line written as separators: not counted as a row

_COLUMN_BITS = 10
_NO_COLUMN = (1 << _COLUMN_BITS) - 1
_REASONS = tuple(Reason)
_NUMBERS = {reason: number for number, reason in enumerate(_REASONS, 1)}

assert MAX_COLUMNS < _NO_COLUMN
assert len(_REASONS) < 1 << (16 - _COLUMN_BITS)


def verdict(reason: Reason, column: int | None = None) -> int:
    """The row is rejected for what stands in that column (by its place in the row), or as a whole."""
    return _NUMBERS[reason] << _COLUMN_BITS | (_NO_COLUMN if column is None else column)


def read_verdict(code: int) -> tuple[Reason, int | None]:
    """Reason and column of a rejection."""
    column = code & _NO_COLUMN
    return _REASONS[(code >> _COLUMN_BITS) - 1], None if column == _NO_COLUMN else column
