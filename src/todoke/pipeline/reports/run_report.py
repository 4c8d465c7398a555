"""The report on one run: from the rows of the file to what became of each message."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from todoke.model import reason
from todoke.model.clock import SECOND, Micros, to_datetime
from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.store.catalogue.reports import RunFacts

STATES = (
    State.DELIVERED,
    State.SENT,
    State.FAILED,
    State.IN_DOUBT,
    State.SKIPPED,
    State.STOPPED,
    State.EXPIRED,
)


class Line(Struct, frozen=True):
    """How many, and why: `reason` is the code, `sentence` what it means."""

    reason: str
    sentence: str
    count: int


class Outcome(Struct, frozen=True):
    """What became of messages; `reasons` is empty where there is none to tell."""

    state: str
    messages: int
    segments: int
    share: float  # of the contacts, 0 to 1
    reasons: tuple[Line, ...]


class RunReport(Struct, frozen=True):
    """Moments in ISO 8601, UTC. `rate` and `segment_rate` are what was handed over a second, over `seconds`: from the
    start to the end, or to now. contacts = waiting + all outcomes.
    """

    run: int
    business_unit: str
    skill: str
    campaign: str
    calling_list: str
    transport_code: str
    state: str
    text: str
    source: str
    started_at: str
    ended_at: str | None
    seconds: float
    accepted: int
    rejected: int
    rejections: tuple[Line, ...]
    contacts: int
    waiting: int
    handed_over: int
    segments: int
    rate: float
    segment_rate: float
    outcomes: tuple[Outcome, ...]
    final: bool  # nothing here changes any more but by late receipts
    standing: bool = False  # it carries single messages: each is a contact, and it does not end by itself


def run_report(facts: RunFacts, now: Micros, rejection: Callable[[str], str]) -> RunReport:
    """The report; `rejection` says in words why a row of a file was refused."""
    run, progress = facts.run, facts.progress
    seconds = max(((run.ended_at or now) - run.started_at) / SECOND, 0.001)
    return RunReport(
        run=run.id,
        business_unit=facts.unit,
        skill=run.skill,
        campaign=run.campaign,
        calling_list=run.calling_list,
        transport_code=run.transport_code,
        state=run.state.value,
        text=run.body,
        source=facts.source,
        started_at=moment(run.started_at),
        ended_at=None if run.ended_at is None else moment(run.ended_at),
        seconds=round(seconds, 3),
        accepted=facts.accepted,
        rejected=facts.rejected,
        rejections=tuple(Line(code, rejection(code), count) for code, count in facts.rejections.items()),
        contacts=run.contacts,
        waiting=progress.waiting,
        handed_over=progress.handed_over,
        segments=progress.segments,
        rate=round(progress.handed_over / seconds, 1),
        segment_rate=round(progress.segments / seconds, 1),
        outcomes=tuple(_outcome(facts, state) for state in STATES),
        final=run.state not in OPEN,
        standing=run.standing,
    )


def _outcome(facts: RunFacts, state: State) -> Outcome:
    counts = [count for count in facts.progress.counts if count.state is state]
    messages = sum(count.messages for count in counts)
    return Outcome(
        state=state.value,
        messages=messages,
        segments=sum(count.segments for count in counts),
        share=round(messages / facts.run.contacts, 6) if facts.run.contacts else 0.0,
        reasons=tuple(
            Line(count.reason, reason.sentence(count.reason), count.messages) for count in counts if count.reason
        ),
    )


def moment(at: Micros) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
