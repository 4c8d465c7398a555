"""`todoke doctor`: is this installation as it should be?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from todoke.cli import session
from todoke.cli.options import Json
from todoke.cli.output import print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from todoke.service.doctor.finding import Finding


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(context: typer.Context, json: Json = False) -> None:
    """Look at the database, its replication, disks, engines and providers. Status 1 where something is wrong."""
    from todoke.model.clock import SystemClock
    from todoke.service.doctor.examine import examine
    from todoke.service.doctor.finding import Level

    found = session.run(examine(session.of(context).settings, SystemClock(), os.environ))
    errors = sum(finding.level is Level.ERROR for finding in found)
    warnings = sum(finding.level is Level.WARNING for finding in found)
    if json:
        print_json({"findings": [_plain(finding) for finding in found], "errors": errors, "warnings": warnings})
    else:
        show(found)
        say(f"{errors} wrong, {warnings} to look at, {len(found) - errors - warnings} as it should be")
    raise typer.Exit(1 if errors else 0)


def _plain(finding: Finding) -> dict[str, str]:
    return {**finding._asdict(), "level": finding.level.value}


def show(found: Sequence[Finding]) -> None:
    """A line a finding, and below it what to do."""
    width = max(len(finding.check) for finding in found)
    for finding in found:
        say(f"{finding.level.value:<7}  {finding.check:<{width}}  {finding.sentence}")
        if finding.fix:
            say(f"{'':<7}  {'':<{width}}  -> {finding.fix}")
