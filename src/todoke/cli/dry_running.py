"""`todoke import --dry-run`: a file judged as a whole, and no list made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from todoke.cli import estimates, session
from todoke.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from todoke.model.list_mapping import Reading
    from todoke.pipeline.intake.dry_run import DryRun

_ZONES = 12  # sets of zones that are shown


def show_dry_run(
    context: typer.Context,
    file: Path,
    name: str,
    reading: Reading,
    saved_mapping: str | None,
    business_unit: str | None,
    *,
    skill: str | None,
    text: str | None,
    channel: str,
    no_time_zone: str,
    json: bool,
) -> None:
    from todoke.cli.files import REJECTED, progress_shown
    from todoke.model.clock import SystemClock
    from todoke.pipeline.intake.dry_run import dry_run
    from todoke.pipeline.intake.rules import read_channel
    from todoke.service.rules import load
    from todoke.store.catalogue import units

    here = session.of(context)

    async def work() -> DryRun:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            with progress_shown() as progress:
                return await dry_run(
                    store,
                    business_unit=unit.name,
                    name=name,
                    path=file,
                    rejects_dir=here.settings.data_dir / REJECTED,
                    reading=reading,
                    saved_mapping=saved_mapping,
                    skill=skill,
                    text=text,
                    now=SystemClock().now(),
                    channel=read_channel(channel),
                    no_time_zone=no_time_zone,
                    rulebook=load(here.settings.rules_dir),
                    progress=progress,
                )

    found = session.run(work())
    if json:
        print_json(
            {
                "list": name,
                "dry_run": True,
                "contacts": found.contacts,
                "rejected": found.rejected,
                "blank": found.blank,
                "reasons": found.reasons,
                "rejects_path": found.rejects_path,
                "mapping": found.layout.mapping,
                "zone_groups": [{"zones": zones, "contacts": contacts} for zones, contacts in found.zone_groups],
                "estimate": None if found.estimate is None else estimates.as_json(found.estimate),
            }
        )
    else:
        _show(name, found)


def _show(name: str, found: DryRun) -> None:
    from todoke.cli.reporting import rejection

    say(f"{name}: {found.contacts:,} contacts would be accepted, {found.rejected:,} rows rejected; nothing is imported")
    known = [(contacts, ", ".join(zones)) for zones, contacts in found.zone_groups if zones]
    if known:
        print_table(["contacts", "may be in"], known[:_ZONES], empty="")
    if len(known) > _ZONES:
        others = sum(contacts for contacts, _ in known[_ZONES:])
        say(f"{others:,} more contacts in {len(known) - _ZONES:,} other sets of time zones")
    unknown = sum(contacts for zones, contacts in found.zone_groups if not zones)
    if unknown:
        say(f"{unknown:,} contacts would have no time zone: they are held unless the window is the whole day")
    if found.reasons:
        rows = [(count, rejection(code), code) for code, count in found.reasons.items()]
        print_table(["rejected", "because", "code"], rows, empty="")
    if found.rejects_path is not None:
        say(f"rejected rows, to be corrected: {found.rejects_path}")
    if found.estimate is not None:
        estimates.show(found.estimate)
