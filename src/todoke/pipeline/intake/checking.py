"""The first reading of a list: every row judged, duplicates found, zones counted."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from todoke.pipeline.intake.ahead import ahead
from todoke.pipeline.intake.dedupe import REPEATED, Candidates
from todoke.pipeline.intake.key_frames import Sample
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.spool import Spool
from todoke.pipeline.intake.validation import ACCEPTED_SCHEMA, Judge
from todoke.pipeline.intake.verdicts import BLANK, read_verdict
from todoke.pipeline.intake.zones import ZoneRange, ZoneSets, group
from todoke.sms.phone_type import places_of
from todoke.sms.places import Places

SHARE = 0.5  # of an import's time, about
_KEPT = 192 << 20  # bytes of what is known of the rows that stay in memory

_KEPT_COLUMNS = [column for column in ACCEPTED_SCHEMA.names() if column != "check"]


class Checked:
    """What the file holds, as the judge sees it, who numbers its zones in `zone_sets`. What does not fit into memory
    goes into files without a name in `folder`.

    `steps` must have ended before anything else is read.
    """

    def __init__(self, source: Source, judge: Judge, zone_sets: ZoneSets, folder: Path) -> None:
        self._source = source
        self._judge = judge
        self._zone_sets = zone_sets
        self._candidates = Candidates(folder)
        self._accepted = Spool(folder, _KEPT)
        self._rejected = Spool(folder, _KEPT // 4)
        self.repeated: pl.DataFrame = REPEATED.to_frame()  # rows that repeat a contact, in the order of the file
        self.sample = Sample()  # of the contacts' numbers
        self.contacts = 0
        self.blank = 0  # lines of nothing but separators
        self.reasons: Counter[str] = Counter()
        self.unusable: Counter[int] = Counter()  # values that are no numbers beside one that is, by column
        self.zone_ranges: list[ZoneRange] = []
        self.starts: list[int] = []  # the first position by zone set number
        self.zone_counts: list[int] = []  # contacts by zone set number

    def steps(self) -> Iterator[Progress]:
        """Do it, a part a step."""
        size = max(1, self._source.size)
        codes: Counter[int] = Counter()
        zones: Counter[int] = Counter()
        for part in ahead(self._source.parts()):
            judged = self._judge.judge(part)
            self._accepted.append(judged.accepted.select(_KEPT_COLUMNS))
            self._rejected.append(judged.rejected)
            self._candidates.add(judged.accepted)
            self.sample.add(judged.accepted["phone"])
            codes.update(dict(judged.rejected["code"].value_counts().iter_rows()))
            codes.update(refused.code for refused in part.refused)
            zones.update(dict(judged.accepted["zone_set"].value_counts().iter_rows()))
            self.unusable.update(judged.unusable)
            if part.height or part.refused:
                rows = self._accepted.rows + codes.total()
                yield Progress(Stage.CHECKING, SHARE * min(1.0, part.consumed / size), rows, codes.total())
        self.repeated = self._candidates.repeated()
        codes.update(dict(self.repeated["code"].value_counts().iter_rows()))
        zones.subtract(dict(self.repeated["zone_set"].value_counts().iter_rows()))
        self.contacts = self._accepted.rows - self.repeated.height
        self.blank = codes.pop(BLANK, 0)
        for code, count in codes.items():
            self.reasons[read_verdict(code)[0].value] += count
        self.zone_counts = [zones[number] for number in range(len(self.zone_sets))]
        self.zone_ranges, self.starts = group(self.zone_counts)
        yield Progress(Stage.CHECKING, SHARE, self.rows, self.rejected)

    def parts(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Of each part again: its accepted rows (with those that repeat one), and its rejected ones."""
        yield from zip(self._accepted.frames(), self._rejected.frames(), strict=True)

    def close(self) -> None:
        """Forget the rows."""
        self._candidates.close()
        self._accepted.close()
        self._rejected.close()

    @property
    def path(self) -> Path:
        return self._source.path

    @property
    def rows(self) -> int:
        """Rows of the file, blank ones aside."""
        return self.contacts + self.rejected

    @property
    def rejected(self) -> int:
        return self.reasons.total()

    @property
    def zone_sets(self) -> list[list[str]]:
        """Candidate places by zone set number, with the phone type that is texted."""
        return self._zone_sets.sets

    @property
    def zone_groups(self) -> list[tuple[list[str], int]]:
        """Candidate places, of whatever phone type, with how many contacts have them; most of them first."""
        groups: Counter[Places] = Counter()
        for zones, count in zip(self.zone_sets, self.zone_counts, strict=True):
            groups[places_of(zones)] += count
        return [(list(places), count) for places, count in groups.most_common() if count]
