from __future__ import annotations

from todoke.model.clock import SECOND
from todoke.model.event import State
from todoke.model.run import RunState
from todoke.pipeline.reports.run_report import run_report
from todoke.store.catalogue.reports import RunFacts
from todoke.store.catalogue.runs import Count, Progress, RunRow

START = 1_700_000_000 * SECOND

COUNTS = (
    Count(State.DELIVERED, "", 60, 120),
    Count(State.SKIPPED, "dnc", 10, 0),
    Count(State.FAILED, "receipt:UNDELIV:027", 4, 8),
    Count(State.FAILED, "smpp:0x0000000b", 6, 6),
    Count(State.IN_DOUBT, "link_dropped", 2, 4),
)


def facts(state: RunState, ended_at: int | None, contacts: int = 100, counts: tuple[Count, ...] = COUNTS) -> RunFacts:
    run = RunRow(0, 7, "shift", "ops", "agents", 3, "72345", 100.0, state, "Hi", contacts, START, START, ended_at)
    return RunFacts("Acme", run, Progress(contacts, counts), "agents.csv", contacts, 5, {"landline": 4, "too_long": 1})


def test_every_contact_is_accounted_for() -> None:
    report = run_report(facts(RunState.FINISHED, START + 10 * SECOND), START + 99 * SECOND, lambda code: f"<{code}>")
    assert report.waiting + sum(outcome.messages for outcome in report.outcomes) == report.contacts
    assert (report.waiting, report.handed_over, report.segments) == (18, 72, 138)
    assert (report.seconds, report.rate, report.segment_rate) == (10.0, 7.2, 13.8)
    assert (report.started_at, report.ended_at) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:13:30.000Z")
    assert report.final
    assert [(line.reason, line.sentence, line.count) for line in report.rejections] == [
        ("landline", "<landline>", 4),
        ("too_long", "<too_long>", 1),
    ]


def test_reasons_are_sentences() -> None:
    report = run_report(facts(RunState.FINISHED, START + SECOND), START, str)
    outcomes = {outcome.state: outcome for outcome in report.outcomes}
    assert outcomes["delivered"].reasons == ()
    assert [line.sentence for line in outcomes["failed"].reasons] == [
        "the provider reports UNDELIV (error 027)",
        "the provider refused it with SMPP status 0x0000000b",
    ]
    assert outcomes["skipped"].reasons[0].sentence == "the number is on a do-not-call list"
    assert outcomes["failed"].share == 0.1


def test_an_open_run_is_measured_until_now() -> None:
    report = run_report(facts(RunState.RUNNING, None), START + 20 * SECOND, str)
    assert (report.rate, report.ended_at, report.final) == (3.6, None, False)


def test_a_run_of_nobody_has_no_shares() -> None:
    report = run_report(facts(RunState.FINISHED, START, 0, ()), START, str)
    assert {outcome.share for outcome in report.outcomes} == {0.0}
    assert report.rate == 0
