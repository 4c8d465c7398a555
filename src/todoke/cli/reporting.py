"""`todoke report`: what became of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json, RunId
from todoke.cli.output import print_json, print_table, say, span

if TYPE_CHECKING:
    from todoke.pipeline.reports.run_report import RunReport


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(context: typer.Context, run: RunId, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """What became of a run: rows of the file, messages and segments, outcomes by reason, rate."""
    from todoke.model.clock import SystemClock
    from todoke.pipeline.reports.run_report import run_report
    from todoke.store.catalogue import reports, units
    from todoke.store.catalogue.reports import RunFacts

    async def work() -> RunFacts:
        async with session.of(context).store() as store, store.reading() as connection:
            return await reports.run_facts(connection, await units.only(connection, business_unit), run)

    made = run_report(session.run(work()), SystemClock().now(), rejection)
    if json:
        print_json(made)
    else:
        show(made)


def rejection(code: str) -> str:
    """Why a row of a file was refused, in words."""
    from todoke.pipeline.intake.reasons import SENTENCES, Reason

    return SENTENCES[Reason(code)] if code in set(Reason) else code.replace("_", " ")


def show(report: RunReport) -> None:
    """The report for people."""
    if report.standing:
        say(f"run {report.run}: {report.skill} ({report.business_unit}), {report.state}; it carries single messages")
    else:
        say(f"run {report.run}: {report.skill} over {report.calling_list} ({report.business_unit}), {report.state}")
        say(f"text: {report.text}")
        say(f"list: {report.accepted:,} contacts accepted, {report.rejected:,} rows rejected")
    if report.rejections:
        rejected = [(line.count, line.sentence, line.reason) for line in report.rejections]
        print_table(["rejected", "because", "code"], rejected, empty="")
    say(
        f"messages: {report.handed_over:,} of {report.contacts:,} handed over as {report.segments:,} segments"
        f" in {span(report.seconds)}, {report.rate:,.1f} messages/s"
        + (f"; {report.waiting:,} waiting" if report.waiting else "")
    )
    rows = [
        (outcome.state.replace("_", " "), outcome.messages, f"{outcome.share:.1%}", outcome.segments)
        for outcome in report.outcomes
        if outcome.messages
    ]
    print_table(["outcome", "messages", "of contacts", "segments"], rows, empty="Nothing has been sent yet.")
    reasons = [
        (outcome.state.replace("_", " "), line.count, line.sentence, line.reason)
        for outcome in report.outcomes
        for line in outcome.reasons
    ]
    if reasons:
        print_table(["outcome", "messages", "because", "code"], reasons, empty="")
