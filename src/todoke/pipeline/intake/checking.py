"""The first reading of a list: every row judged, duplicates found, zones counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from todoke.pipeline.intake.dedupe import Accepted
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.validation import Judge
from todoke.pipeline.intake.verdicts import ACCEPTED, BLANK, read_verdict
from todoke.pipeline.intake.zones import ZoneRange, ZoneSets, group

SHARE = 0.6  # of an import's time, about
_STEP = 8000  # rows


class Checked:
    """What the file holds, as the judge sees it, who numbers its zones in `zone_sets`.

    `steps` must have ended before anything else is read.
    """

    def __init__(self, source: Source, judge: Judge, zone_sets: ZoneSets) -> None:
        self._source = source
        self._judge = judge
        self._zone_sets = zone_sets
        self.accepted = Accepted()
        self.blank = 0  # lines of nothing but separators
        self.reasons: Counter[str] = Counter()
        self.zone_ranges: list[ZoneRange] = []
        self.starts: list[int] = []  # the first position by zone set number
        self.zone_counts: list[int] = []  # contacts by zone set number

    def steps(self) -> Iterator[Progress]:
        """Do it, some thousand rows a step."""
        accepted = self.accepted
        size = max(1, self._source.size)
        told = 0
        for batch in self._source.batches():
            accepted.add(batch, self._judge.judge(batch))
            rows = len(accepted.verdicts)
            if rows >= told + _STEP:
                told = rows
                yield Progress(Stage.CHECKING, SHARE * batch.consumed / size, rows, rows - accepted.rows)
        accepted.resolve()
        counts = Counter(accepted.verdicts)
        self.blank = counts.pop(BLANK, 0)
        counts.pop(ACCEPTED, 0)
        for code, count in counts.items():
            self.reasons[read_verdict(code)[0].value] += count
        self.zone_counts = accepted.zone_counts(len(self.zone_sets))
        self.zone_ranges, self.starts = group(self.zone_counts)
        yield Progress(Stage.CHECKING, SHARE, self.rows, self.rejected)

    @property
    def path(self) -> Path:
        return self._source.path

    @property
    def rows(self) -> int:
        """Rows of the file, blank ones aside."""
        return len(self.accepted.verdicts) - self.blank

    @property
    def rejected(self) -> int:
        return self.reasons.total()

    @property
    def zone_sets(self) -> list[list[str]]:
        """Candidate zones by zone set number."""
        return self._zone_sets.sets
