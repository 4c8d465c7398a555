"""Skill runs and how far they are, from the tallies: the same work whatever the size of the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import NotFound
from todoke.model.event import HANDED_OVER, State
from todoke.model.run import OPEN, RunState
from todoke.model.stream import Stream
from todoke.store.catalogue.units import Unit
from todoke.store.schema import (
    calling_list,
    campaign,
    run_selection,
    run_transition,
    skill,
    skill_run,
    tally,
    transport_code,
)


class RunRow(NamedTuple):
    """A run with the names of what it was started from. `ended_at` is None while it is open."""

    bucket: int
    id: int
    skill: str
    campaign: str
    calling_list: str
    list_id: int
    transport_code: str
    rate: float
    state: RunState
    body: str
    contacts: int
    started_at: Micros
    expires_at: Micros
    ended_at: Micros | None
    stream: Stream = Stream.BULK
    standing: bool = False


class Transition(NamedTuple):
    old: str
    new: str
    reason: str
    at: Micros


class Count(NamedTuple):
    """What one state and reason hold."""

    state: State
    reason: str
    messages: int
    segments: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Every contact is in exactly one state; `counts` has them by reason, the largest first."""

    contacts: int
    counts: tuple[Count, ...] = field(default=())

    def messages(self, *states: State) -> int:
        """Messages in these states."""
        return sum(count.messages for count in self.counts if count.state in states)

    @property
    def waiting(self) -> int:
        return self.contacts - sum(count.messages for count in self.counts)

    @property
    def handed_over(self) -> int:
        """Messages that a provider has or may have."""
        return self.messages(*HANDED_OVER)

    @property
    def segments(self) -> int:
        """Segments of the messages that were handed over."""
        return sum(count.segments for count in self.counts if count.state in HANDED_OVER)


async def every(
    connection: AsyncConnection,
    unit: Unit,
    *,
    states: frozenset[RunState] | None = None,
    limit: int = 50,
    standing: bool = False,
) -> list[RunRow]:
    """The unit's runs, the newest first; with `standing` those that carry single messages, and no other."""
    query = _runs(unit).where(skill_run.c.standing == standing).order_by(skill_run.c.id.desc()).limit(limit)
    if states is not None:
        query = query.where(skill_run.c.state.in_([state.value for state in states]))
    return [_row(*row) for row in await connection.execute(query)]


async def find(connection: AsyncConnection, unit: Unit, run_id: int) -> RunRow:
    """The unit's run; NotFound."""
    row = (await connection.execute(_runs(unit).where(skill_run.c.id == run_id))).first()
    if row is None:
        raise NotFound(f"There is no run {run_id}.", fix="See the runs with todoke run list.")
    return _row(*row)


async def started_with(connection: AsyncConnection, unit: Unit, start_key: str) -> RunRow | None:
    """The unit's run that was started with that key, if there is one."""
    row = (await connection.execute(_runs(unit).where(skill_run.c.start_key == start_key))).first()
    return None if row is None else _row(*row)


async def of_skill(connection: AsyncConnection, unit: Unit, skill_id: int) -> list[tuple[int, list[str]]]:
    """The open runs of the unit's skill, each with the fields of its contacts."""
    r = skill_run.c
    rows = await connection.execute(
        select(r.id, r.fields)
        .where(r.bucket == unit.bucket, r.business_unit_id == unit.id, r.skill_id == skill_id)
        .where(r.state.in_([state.value for state in OPEN]))
        .order_by(r.id)
    )
    return [(row[0], list(row[1])) for row in rows]


class Selected(NamedTuple):
    """The last selection of a run. `read`: the share of the list that was looked at (with an order: 0 until it is
    made).
    """

    filter: str | None
    order: tuple[str, ...]
    state: str  # making | made | cut
    read: float


async def selection_of(connection: AsyncConnection, run: RunRow) -> Selected | None:
    """What the run has selected, or selects; None where it takes the list as it is."""
    s = run_selection.c
    rows = await connection.execute(
        select(s.filter, s.ordering, s.state, s.read_to, s.size)
        .where(s.bucket == run.bucket, s.run_id == run.id)
        .order_by(s.number.desc())
        .limit(1)
    )
    row = rows.first()
    if row is None:
        return None
    wanted, ordering, state, read_to, size = row
    return Selected(wanted, tuple(ordering.split("\n")) if ordering else (), state, read_to / max(1, size))


async def stay_paused(connection: AsyncConnection, unit: Unit) -> None:
    """Runs that were paused until a filter is applied do not go on by themselves when it is."""
    s, r = run_selection.c, skill_run.c
    own = select(r.id).where(r.bucket == unit.bucket, r.business_unit_id == unit.id)
    await connection.execute(
        update(run_selection)
        .where(s.bucket == unit.bucket, s.run_id.in_(own), s.state == "making", s.resumes)
        .values(resumes=False)
    )


async def transitions(connection: AsyncConnection, unit: Unit, run_id: int) -> list[Transition]:
    """What happened to the run, in order."""
    t = run_transition.c
    run = await find(connection, unit, run_id)
    rows = await connection.execute(
        select(t.old, t.new, t.reason, t.at).where(t.bucket == run.bucket, t.run_id == run.id).order_by(t.id)
    )
    return [Transition(*row) for row in rows]


async def progress(connection: AsyncConnection, unit: Unit, run_id: int) -> Progress:
    """How far the run is; NotFound."""
    c = tally.c
    run = await find(connection, unit, run_id)
    rows = await connection.execute(
        select(c.outcome, c.reason, func.sum(c.messages), func.sum(c.segments))
        .where(c.bucket == run.bucket, c.run_id == run.id)
        .group_by(c.outcome, c.reason)
    )
    counts = [Count(State(state), reason, int(messages), int(segments)) for state, reason, messages, segments in rows]
    counts.sort(key=lambda count: (-count.messages, count.state, count.reason))
    return Progress(run.contacts, tuple(count for count in counts if count.messages or count.segments))


def _runs(unit: Unit) -> Select[*tuple[object, ...]]:
    r = skill_run.c
    return (
        select(
            r.bucket,
            r.id,
            skill.c.name,
            campaign.c.name,
            calling_list.c.name,
            r.list_id,
            transport_code.c.code,
            transport_code.c.rate,
            r.state,
            r.body,
            r.contacts,
            r.started_at,
            r.expires_at,
            r.ended_at,
            r.stream,
            r.standing,
        )
        .join(skill, skill.c.id == r.skill_id)
        .join(campaign, campaign.c.id == skill.c.campaign_id)
        .join(calling_list, calling_list.c.id == r.list_id)
        .join(transport_code, transport_code.c.id == r.transport_code_id)
        .where(r.bucket == unit.bucket, r.business_unit_id == unit.id)
    )


def _row(*values: object) -> RunRow:
    row = RunRow(*values)  # pyright: ignore[reportArgumentType]  # the columns of _runs in their order
    return row._replace(state=RunState(row.state), stream=Stream(row.stream))
