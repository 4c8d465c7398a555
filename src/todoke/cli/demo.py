"""`todoke demo`: the main job, end to end, with nothing but this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from todoke.cli import session
from todoke.cli.output import say


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path | None, typer.Option(help="Where its files go; else a new temporary folder.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="An empty PostgreSQL database, in place of a SQLite file.")
    ] = None,
) -> None:
    """The main job, end to end: a sample list through a real SMPP socket to the simulator, and a report.

    The exit status is 0 only when what the store says and what the simulator saw agree.
    """
    from todoke.cli.logs import start_logging

    start_logging("warning", "text")
    if not session.run(_demo(folder, database)):
        raise typer.Exit(1)


async def _demo(folder: Path | None, database: str | None) -> bool:
    from todoke.cli import applying, files, importing, reporting
    from todoke.cli.watching import watch_run
    from todoke.model.declaration import read
    from todoke.pipeline.intake.importing import import_list
    from todoke.pipeline.reports.run_report import run_report
    from todoke.providers.kinds import KINDS
    from todoke.service.demo import LIST, UNIT, Demo, sample_list
    from todoke.store.catalogue import provision, reports, units

    sample = sample_list()
    async with Demo(folder, database) as running:
        say(f"files are in {running.directory}; the simulator is process {running.simulator.pid}")

        say("\n1. declare a business unit, a transport code, a template and a skill")
        declaration, problems = read("demo.toml", running.declaration, KINDS)
        done = await provision.apply(running.store, declaration, problems, running.clock.now())
        for change in done.changes:
            say(applying.line(change))
        async with running.store.reading() as connection:
            unit = await units.find(connection, UNIT)

        say(f"\n2. import {sample.name}")
        with files.progress_shown() as progress:
            imported = await import_list(
                running.store,
                business_unit=UNIT,
                name=LIST,
                path=sample,
                rejects_dir=running.directory / files.REJECTED,
                now=running.clock.now(),
                progress=progress,
            )
        importing.show(LIST, imported)

        engine = await running.start_engine()
        say(f"\n3. three phones send STOP to the code; the engine is process {engine.pid}")
        listed = await running.stops(3)
        say(f"{listed} numbers are on the do-not-call list, each stored before its reply was acknowledged")

        say("\n4. start the skill")
        started = await running.start()
        for sentence in started.warnings:
            say(f"warning: {sentence}")
        counted = await watch_run(running.store, unit, started.run_id, receipts=60.0)

        say("\n5. report")
        async with running.store.reading() as connection:
            facts = await reports.run_facts(connection, unit, started.run_id)
        reporting.show(run_report(facts, running.clock.now(), reporting.rejection))

        verdict = await running.verdict(started, counted)
        say("")
        for sentence in verdict.disagreements:
            say(f"disagreement: {sentence}")
        say(str(verdict))
        return verdict.right
