"""A whole file judged without making a list of it: how many rows would be contacts, why the others would not, and what
a skill would take over it.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from todoke.compliance.rulebook import Rulebook, standard
from todoke.model.clock import Micros
from todoke.model.errors import Invalid
from todoke.model.estimate import Estimate
from todoke.model.list_mapping import Reading
from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.foreseeing import Foreseeing, intended
from todoke.pipeline.intake.importing import column_parser
from todoke.pipeline.intake.mapping import Layout, require
from todoke.pipeline.intake.opening import OpenList, open_list
from todoke.pipeline.intake.progress import Progress
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rules import HOLD, Channel, Rules, read_no_time_zone
from todoke.pipeline.intake.validation import Judge
from todoke.pipeline.intake.writing import Sorting
from todoke.pipeline.intake.zones import ZoneSets
from todoke.store.catalogue import mappings, units
from todoke.store.store import Store


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an import would make. Rows of the file = `contacts` + `rejected`. `rejects_path`: the rows that would be
    rejected, to be corrected, if there are any. `zone_groups`: candidate zones with how many contacts have them.
    `estimate` is None where no text was named.
    """

    contacts: int
    rejected: int
    blank: int
    reasons: dict[str, int]
    rejects_path: Path | None
    layout: Layout
    zone_groups: list[tuple[list[str], int]]
    estimate: Estimate | None


async def dry_run(
    store: Store,
    *,
    business_unit: str,
    name: str,
    path: Path,
    rejects_dir: Path,
    reading: Reading,
    saved_mapping: str | None = None,
    skill: str | None = None,
    text: str | None = None,
    now: Micros = 0,
    channel: Channel = Channel.SMS,
    no_time_zone: str = HOLD,
    rulebook: Rulebook | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> DryRun:
    """Read the file as an import as the list `name` would; nothing is written but the file of rejected rows.

    With a skill, or a `text` (in place of the skill's, or by itself), it is estimated who would get it from a run that
    starts at `now`, and the segments, cost and time of that. `now`, `channel` and `no_time_zone` as in an import;
    `rulebook` None: the built-in rules of places. Raises `Invalid`, `NotFound` or `Conflict` with a sentence.
    """
    async with store.reading() as connection:
        unit = await units.find(connection, business_unit)
        saved = await mappings.find(connection, unit, saved_mapping) if saved_mapping else None
    sent = await intended(store, unit, skill, text, rulebook or standard())
    opened = await asyncio.to_thread(open_list, path, reading, saved)
    require(opened.layout, generate_external_ids=opened.reading.generate_external_ids, where=opened.where)
    foreseeing = None
    if sent is not None:
        foreseeing = Foreseeing(store, sent, opened.layout.names, name, now)
    source = opened.source
    stem = "-".join(re.sub(r"[^\w.-]+", "-", part).strip("-.")[:60] or "list" for part in (unit.name, name))
    rejects = RejectsFile(rejects_dir / f"{stem}-dry-run-rejected{source.form.suffix}", source.header, source.form)
    rules = Rules(now, opened.reading.generate_external_ids, channel, read_no_time_zone(no_time_zone))
    work = _Work(opened, opened.reading.region or unit.default_region, rules, rejects, foreseeing)
    try:
        await _in_thread(work.steps(), progress)
    except BaseException:
        rejects.discard()
        raise
    checked = work.checked
    return DryRun(
        checked.contacts,
        checked.rejected,
        checked.blank,
        dict(sorted(checked.reasons.items(), key=lambda found: (-found[1], found[0]))),
        rejects.path if rejects.kept else None,
        opened.layout,
        checked.zone_groups,
        None if foreseeing is None else foreseeing.estimate(),
    )


class _Work:
    """The two readings; only who would be texted is asked of the database."""

    def __init__(
        self, opened: OpenList, region: str, rules: Rules, rejects: RejectsFile, foreseeing: Foreseeing | None
    ) -> None:
        phones = column_parser(region)
        zone_sets = ZoneSets()
        judge = Judge(opened.layout, phones, zone_sets, rules)
        self.checked = Checked(opened.source, judge, zone_sets, rejects.path.parent)
        self._sorting = Sorting(opened.source, opened.layout, self.checked, judge, rejects, phones)
        self._rejects = rejects
        self._foreseeing = foreseeing

    def steps(self) -> Iterator[Progress]:
        yield from self.checked.steps()
        if not self.checked.rows:
            raise Invalid("The file has a header but no rows.", where=str(self.checked.path), fix="Export it again.")
        if self._foreseeing is not None:
            self._foreseeing.begin(self.checked.zone_sets)
        for piece in self._sorting.pieces():
            if self._foreseeing is not None:
                self._foreseeing.count(piece.contacts)
            yield piece.progress
        self._rejects.keep()


async def _in_thread(steps: Iterator[Progress], report: Callable[[Progress], None] | None) -> None:
    """All of the steps, beside the event loop; they end at the next one when this is cancelled."""
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def work() -> None:
        for progress in steps:
            if stopped.is_set():
                return
            if report is not None:
                loop.call_soon_threadsafe(report, progress)

    running = loop.run_in_executor(None, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait([running])
        raise
