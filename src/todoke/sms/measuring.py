"""What a template makes of rows, counted: segments, encodings, and the rows that get no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from todoke.sms.compose import EmptyText, MissingField, TooLong, compose
from todoke.sms.rendering import Renderer
from todoke.sms.segments import Encoding

_OF_ERRORS = {MissingField: "missing_field", EmptyText: "empty_text", TooLong: "too_long"}
REASONS = frozenset(_OF_ERRORS.values())
"""Why a row gets no text."""


@dataclass(slots=True)
class Measured:
    """`segments`: how many texts have how many. `skipped`: rows that get no text, by reason; those of them that would
    have had to wait are in `unwaited`, by what for.
    """

    segments: Counter[int] = field(default_factory=Counter[int])
    ucs2: int = 0  # texts
    skipped: Counter[str] = field(default_factory=Counter[str])
    unwaited: Counter[str] = field(default_factory=Counter[str])

    @property
    def texts(self) -> int:
        return self.segments.total()

    @property
    def rows(self) -> int:
        return self.texts + self.skipped.total()

    @property
    def total(self) -> int:
        """Segments of all texts."""
        return sum(segments * texts for segments, texts in self.segments.items())


class Meter:
    """Composes rows as an engine would, and counts. `smart`: with smart encoding."""

    def __init__(self, renderer: Renderer, *, smart: bool = False) -> None:
        self._renderer = renderer
        self._smart = smart
        self.measured = Measured()

    def add(self, row: Sequence[str], waits: str = "") -> None:
        """One row, its values in the order of the columns for which the renderer was compiled. `waits`: what its text
        would have to wait for.
        """
        measured = self.measured
        try:
            on_air = compose(self._renderer, row, smart=self._smart).split
        except (MissingField, EmptyText, TooLong) as error:
            measured.skipped[_OF_ERRORS[type(error)]] += 1
            if waits:
                measured.unwaited[waits] += 1
            return
        measured.segments[len(on_air.parts)] += 1
        measured.ucs2 += on_air.encoding is Encoding.UCS2
