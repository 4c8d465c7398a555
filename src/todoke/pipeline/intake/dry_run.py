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

from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import Micros
from todoke.model.compiled_text import compiled
from todoke.model.errors import Invalid
from todoke.model.estimate import Estimate, Terms, estimate, stride
from todoke.model.list_mapping import Reading
from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.importing import column_parser
from todoke.pipeline.intake.mapping import Layout, require
from todoke.pipeline.intake.opening import OpenList, open_list
from todoke.pipeline.intake.progress import Progress
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rules import HOLD, Channel, Rules, read_no_time_zone
from todoke.pipeline.intake.validation import Judge
from todoke.pipeline.intake.writing import Sorting
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms.measuring import Meter
from todoke.store.catalogue import codes, mappings, skills, templates, terms, units
from todoke.store.hot.base import SEPARATOR
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


@dataclass(frozen=True, slots=True)
class _Text:
    body: str
    smart: bool
    terms: Terms | None


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
    progress: Callable[[Progress], None] | None = None,
) -> DryRun:
    """Read the file as an import as the list `name` would; nothing is written but the file of rejected rows.

    With a skill, or a `text` (in place of the skill's, or by itself), the segments, cost and time to send are
    estimated. `now`, `channel` and `no_time_zone` as in an import. Raises `Invalid`, `NotFound` or
    `Conflict` with a sentence.
    """
    async with store.reading() as connection:
        unit = await units.find(connection, business_unit)
        saved = await mappings.find(connection, unit, saved_mapping) if saved_mapping else None
    chosen = await _text(store, unit, skill, text)
    opened = await asyncio.to_thread(open_list, path, reading, saved)
    require(opened.layout, generate_external_ids=opened.reading.generate_external_ids, where=opened.where)
    meter = None
    if chosen is not None:
        _, renderer = compiled(chosen.body, opened.layout.names, name)
        meter = Meter(renderer, smart=chosen.smart)
    source = opened.source
    stem = "-".join(re.sub(r"[^\w.-]+", "-", part).strip("-.")[:60] or "list" for part in (unit.name, name))
    rejects = RejectsFile(rejects_dir / f"{stem}-dry-run-rejected{source.form.suffix}", source.header, source.form)
    rules = Rules(now, opened.reading.generate_external_ids, channel, read_no_time_zone(no_time_zone))
    work = _Work(opened, opened.reading.region or unit.default_region, rules, rejects, meter)
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
        None if meter is None or chosen is None else estimate(meter.measured, checked.contacts, chosen.terms),
    )


class _Work:
    """The two readings, without a database."""

    def __init__(self, opened: OpenList, region: str, rules: Rules, rejects: RejectsFile, meter: Meter | None) -> None:
        phones = column_parser(region)
        zone_sets = ZoneSets()
        judge = Judge(opened.layout, phones, zone_sets, rules)
        self.checked = Checked(opened.source, judge, zone_sets, rejects.path.parent)
        self._sorting = Sorting(opened.source, opened.layout, self.checked, judge, rejects, phones)
        self._rejects = rejects
        self._meter = meter

    def steps(self) -> Iterator[Progress]:
        yield from self.checked.steps()
        if not self.checked.rows:
            raise Invalid("The file has a header but no rows.", where=str(self.checked.path), fix="Export it again.")
        every = stride(self.checked.contacts)
        seen = 0
        for piece in self._sorting.pieces():
            if self._meter is not None:
                every_nth = piece.contacts[["destination", "fields"]].gather_every(every, -seen % every)
                for destination, packed in every_nth.iter_rows():
                    if destination:
                        self._meter.add(packed.split(SEPARATOR))
                    else:
                        self._meter.skip("no_mobile")
            seen += piece.contacts.height
            yield piece.progress
        self._rejects.keep()


async def _text(store: Store, unit: units.Unit, skill: str | None, text: str | None) -> _Text | None:
    """What is to be sent, and on what terms. A text by itself goes from the only code, where there is only one."""
    if skill is None and text is None:
        return None
    async with store.reading() as connection:
        if skill is None:
            own = await codes.every(connection, unit)
            whole = Window(0, WHOLE_DAY)
            on_terms = await terms.of_code(connection, unit, own[0].id, whole) if len(own) == 1 else None
            return _Text(text or "", False, on_terms)
        row = await skills.find(connection, unit, skill)
        body = text if text is not None else (await templates.find(connection, unit, row.template)).body
        on_terms = await terms.of_code(connection, unit, row.transport_code_id, row.window, row.expiry_hours)
        return _Text(body, row.smart_encoding, on_terms)


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
