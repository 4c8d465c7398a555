"""The judge of every fault test: three books are held against each other, segment by segment.

The *store* says what became of each message, the simulator's *ledger* what arrived, the *tap* what engines noted and
wrote. The ledger alone says what was doubled; the tap alone says how fast an engine wrote (see `tap.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from tests.faults import tap
from tests.faults.tap import Tapped, fastest_second
from tests.world import BUCKET, World

from todoke.model.event import Event, Kind
from todoke.model.ids import base
from todoke.providers.simulator import Entry
from todoke.store import schema
from todoke.store.store import Store

Segment = tuple[int, int]  # message id, segment

_TAKEN = frozenset({Kind.ACCEPTED, Kind.DELIVERED, Kind.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say where nothing is wrong. Segments in `doubts` by reason; `doubts_sent`: how many of them the
    simulator had taken. `fastest`: most segments of a code written in a second; `fastest_read`: most that the simulator
    read in one.
    """

    counts: Counter[str]
    doubts: Counter[str]
    doubts_sent: int
    fastest: int
    fastest_read: int
    written: int

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items()))
        return (
            f"{counts}; {self.doubts.total()} segments in doubt, {self.doubts_sent} of them sent; fastest second "
            f"{self.fastest} written, {self.fastest_read} read"
        )


async def judge(
    world: World, tapped: Path, run: int, contacts: int, *, rate: float, at_least_once: bool = False
) -> Verdict:
    """AssertionError, saying what, where a promise is broken. Call it when the run has ended."""
    counts = await world.counts(run)
    events = await _events(world.store, run, contacts)
    for answers, messages in await world.standing():
        events += await _events(world.store, answers, messages) if messages else []
    entries = world.entries()
    taps = tap.read(tapped)
    written = [one for one in taps if one.kind == tap.WRITTEN]
    await world.judge(run, contacts, doubled=at_least_once)
    sent = Counter(_segment(entry) for entry in entries if entry.status == 0)
    known, doubts = _told(events)
    _agree(events, entries, sent, known, doubts)
    _not_twice(sent, written, entries, events, at_least_once=at_least_once)
    _undecidable(doubts, taps)
    fastest = max((fastest_second(moments) for moments in _by_code(written)), default=0)
    assert fastest <= rate, f"{fastest} segments were written in one second on a code of {rate:g}"
    read = fastest_second(sorted(entry.monotonic / 1e6 for entry in entries))
    reasons = Counter(doubt.reason for doubt in doubts)
    return Verdict(counts, reasons, sum((d.message_id, d.segment) in sent for d in doubts), fastest, read, len(written))


async def nothing_left(store: Store, data_dir: Path, run: int) -> None:
    """Nothing of the run is open, and no engine has anything to be recovered. Call it when every engine has ended."""
    async with store.reading() as connection:
        for table in (schema.block, schema.due, schema.intent):
            query = select(func.count()).select_from(table).where(table.c.run_id == run)
            if table is schema.block:
                query = query.where(table.c.state != "closed")
            left = (await connection.execute(query)).scalar_one()
            assert left == 0, f"{left} rows of {table.name} are left open"
        engine = schema.engine.c
        rows = (await connection.execute(select(engine.id, engine.state).where(engine.state != "recovered"))).all()
        assert not rows, f"engines are not recovered: {rows}"
    journals = [path.name for path in (data_dir / "journals").glob("*") if path.suffix != ".mark"]
    assert not journals, f"journals are left: {journals}"


async def _events(store: Store, run: int, contacts: int) -> list[Event]:
    start = base(BUCKET, run)
    return await store.hot.events_between(start, start + contacts - 1)


def _segment(entry: Entry) -> Segment:
    assert entry.mark is not None, "a submission carries no message id"
    return entry.mark.message_id, entry.mark.segment


def _told(events: Iterable[Event]) -> tuple[set[Segment], list[Event]]:
    """Segments that a provider certainly took, and the doubts that are still open."""
    known: set[Segment] = set()
    best: dict[tuple[int, int, int], Event] = {}
    for event in events:
        if event.segment == 0:
            continue
        if event.kind in _TAKEN:
            known.add((event.message_id, event.segment))
        key = (event.message_id, event.segment, event.attempt)
        if key not in best or event.kind > best[key].kind:
            best[key] = event
    return known, [event for event in best.values() if event.kind == Kind.IN_DOUBT]


def _agree(
    events: list[Event],
    entries: list[Entry],
    sent: Mapping[Segment, int],
    known: set[Segment],
    doubts: list[Event],
) -> None:
    """Store and ledger say the same, but for what the store doubts."""
    made_up = known - sent.keys()
    assert not made_up, f"the store has as sent what the simulator never took: {sorted(made_up)[:5]}"
    doubted = {(doubt.message_id, doubt.segment) for doubt in doubts}
    lost_track = sent.keys() - known - doubted
    assert not lost_track, f"the simulator took what the store knows nothing of: {sorted(lost_track)[:5]}"
    given: dict[Segment, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.status == 0:
            given[_segment(entry)].add(entry.given)
    wrong = [
        event
        for event in events
        if event.kind == Kind.ACCEPTED and event.provider_message_id not in given[event.message_id, event.segment]
    ]
    assert not wrong, f"the store has another message id than the simulator gave: {wrong[:3]}"


def _not_twice(
    sent: Mapping[Segment, int],
    written: list[Tapped],
    entries: list[Entry],
    events: list[Event],
    *,
    at_least_once: bool,
) -> None:
    """Nothing was written again that was not refused. Under at_least_once: only what was in doubt before."""
    again = Counter(_segment(entry) for entry in entries if entry.status != 0)
    if at_least_once:
        again += Counter((e.message_id, e.segment) for e in events if e.kind == Kind.IN_DOUBT)
    for what, times in (("sent", Counter(sent)), ("written", Counter(one.key for one in written))):
        wrong = {key: n for key, n in times.items() if n > 1 + again[key]}
        assert not wrong, f"{what} once too often: {dict(list(wrong.items())[:5])}"


def _undecidable(doubts: list[Event], taps: list[Tapped]) -> None:
    """Each doubt is about a segment that an engine noted; after a link's failure, one that it wrote."""
    noted = {(*one.key, one.attempt) for one in taps if one.kind == tap.NOTED}
    written = {(*one.key, one.attempt) for one in taps if one.kind == tap.WRITTEN}
    for doubt in doubts:
        wanted = noted if doubt.reason in ("engine_crashed", "journal_lost") else written
        if doubt.reason != "journal_lost":  # without a journal all that was reserved is in doubt
            key = (doubt.message_id, doubt.segment, doubt.attempt)
            assert key in wanted, f"in doubt ({doubt.reason}), but no engine ever had it in hand: {key}"


def _by_code(written: list[Tapped]) -> Iterable[list[float]]:
    moments: dict[int, list[float]] = defaultdict(list)
    for one in written:
        moments[one.code].append(one.at)
    return moments.values()
