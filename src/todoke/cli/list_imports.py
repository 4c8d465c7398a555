"""`todoke imports`: files on their way into lists: see them, cancel them, go on with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import files, importing, session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, iso, local, print_json, print_table, say

if TYPE_CHECKING:
    from todoke.service.list_imports import Ended
    from todoke.store.lists.imports import ImportRow

app = typer.Typer(help="Imports: files on their way into lists.", no_args_is_help=True)
Id = Annotated[int, typer.Argument(metavar="IMPORT", help="The import's number; see todoke imports list.")]

INTERRUPTED = "interrupted"  # shown for one that is running, but by nobody
_WAIT = 30.0  # seconds for a living importer to leave nothing of its list
_LOOK = 0.2


@app.command("list")
def every(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most, the newest first.")] = 50,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """The imports of a business unit, the newest first."""
    from todoke.store.catalogue import units
    from todoke.store.lists import imports

    async def work() -> list[ImportRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            return await imports.every(connection, await units.only(connection, business_unit), limit=limit)

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    print_table(
        ["import", "list", "state", "stage", "rows", "rejected", "done", "run", "began"],
        [
            (
                row.id,
                row.name,
                _state(row),
                row.stage,
                row.rows,
                row.rejected,
                f"{row.fraction:.0%}",
                row.run_id,
                local(row.created_at),
            )
            for row in rows
        ],
        empty="There is no import. Begin one with todoke import FILE --list NAME.",
    )


@app.command("show")
def show(context: typer.Context, number: Id, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """An import: how far it is, what came out, what went wrong."""
    from todoke.model.list_import import ImportState

    row = _find(context, number, business_unit)
    if json:
        print_json(_as_json(row))
        return
    source = row.options.get("source_name") or row.source
    say(f"import {row.id}: {source} into the list {row.name}, {_state(row)}")
    if row.state is ImportState.DONE:
        say(f"{row.rows:,} rows, {row.rejected:,} of them rejected; todoke list show {row.name!r} tells of the list")
    else:
        say(f"{row.stage or 'beginning'}: {row.rows:,} rows, {row.rejected:,} rejected, {row.fraction:.0%} of the work")
    for error in (row.error, row.start_error):
        if error is not None:
            say(" ".join(part for part in (error["sentence"], error["fix"]) if part))
    if row.start_skill is not None:
        say(f"starts {row.start_skill}" + (f": run {row.run_id}" if row.run_id is not None else ""))
    if _state(row) == INTERRUPTED or row.to_start:
        say(f"nobody works on it: todoke imports resume {row.id}")


@app.command("resume")
def resume(context: typer.Context, number: Id, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """Go on with an import that was killed or failed: with the same file and options, from the beginning."""
    from todoke.model.clock import SystemClock
    from todoke.service.list_imports import ListImports
    from todoke.store.catalogue import units
    from todoke.store.lists import imports

    here = session.of(context)

    async def work() -> tuple[str, Ended]:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
                row = await imports.find(connection, unit, number)
            again = ListImports(store, unit, here.settings.data_dir / files.REJECTED, SystemClock())
            with files.progress_shown() as progress:
                return row.name, await again.resume(number, progress=progress)

    name, ended = session.run(work())
    importing.tell(name, ended, json=json)


@app.command("cancel")
def cancel(context: typer.Context, number: Id, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """End an import: nothing of its list is left."""
    import asyncio
    import time

    from todoke.model.clock import SystemClock
    from todoke.model.list_import import ImportState
    from todoke.service.list_imports import ListImports
    from todoke.store.catalogue import units
    from todoke.store.lists import imports

    here = session.of(context)

    async def work() -> ImportRow:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            await ListImports(store, unit, here.settings.data_dir / files.REJECTED, SystemClock()).cancel(number)
            until = time.monotonic() + _WAIT
            while True:
                async with store.reading() as connection:
                    row = await imports.find(connection, unit, number)
                if row.state is not ImportState.RUNNING or time.monotonic() > until:
                    return row
                await asyncio.sleep(_LOOK)

    row = session.run(work())
    asked = row.state is ImportState.RUNNING
    answer(_as_json(row), f"import {row.id}: {'it was asked to end' if asked else row.state.value}", json=json)


def _find(context: typer.Context, number: int, business_unit: str | None) -> ImportRow:
    from todoke.store.catalogue import units
    from todoke.store.lists import imports

    async def work() -> ImportRow:
        async with session.of(context).store() as store, store.reading() as connection:
            return await imports.find(connection, await units.only(connection, business_unit), number)

    return session.run(work())


def _state(row: ImportRow) -> str:
    from todoke.model.clock import SystemClock
    from todoke.store.lists.importer import is_alive
    from todoke.store.lists.imports import is_idle

    return INTERRUPTED if is_idle(row, is_alive, SystemClock().now()) else row.state.value


def _as_json(row: ImportRow) -> dict[str, Any]:
    left_out = ("importer", "source_version", "cancel_asked")
    facts = {key: value for key, value in row._asdict().items() if key not in left_out}
    moments = {key: iso(facts[key]) for key in ("created_at", "started_at", "seen_at", "ended_at")}
    return {**facts, **moments, "state": _state(row)}
