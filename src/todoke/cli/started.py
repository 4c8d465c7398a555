"""What is said of a run that was just started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from todoke.cli.output import iso, local, print_json, say, warn
from todoke.model.ids import public_id

if TYPE_CHECKING:
    from todoke.pipeline.planner.single import Posted
    from todoke.pipeline.planner.start import StartedRun
    from todoke.store.store import Store


def tell_one(posted: Posted, *, json: bool) -> None:
    """Its id, and when it goes if not now."""
    name = public_id(posted.message_id)
    if json:
        told = {"message": name, "run": posted.run_id, "segments": posted.segments, "opens_at": iso(posted.opens_at)}
        print_json(told)
        return
    when = "" if posted.opens_at is None else f"; its calling window opens {local(posted.opens_at)}"
    say(f"message {name}: {posted.segments} segment{'s' if posted.segments > 1 else ''}, in run {posted.run_id}{when}")


async def tell(store: Store, started: StartedRun, business_unit: str | None, *, watch: bool, json: bool) -> None:
    """Its number and its size; then, if asked, its progress until it ends."""
    for sentence in started.warnings:
        warn(f"warning: {sentence}")
    if json:
        print_json(
            {
                "run": started.run_id,
                "contacts": started.contacts,
                "selecting": started.selecting,
                "warnings": list(started.warnings),
            }
        )
    elif started.selecting:
        say(f"run {started.run_id}: selected from {started.contacts:,} contacts while it is sent")
    else:
        say(f"run {started.run_id}: {started.contacts:,} contacts")
    if watch:
        from todoke.cli.watching import watch_run
        from todoke.store.catalogue import units

        async with store.reading() as connection:
            unit = await units.only(connection, business_unit)
        await watch_run(store, unit, started.run_id)
