"""`todoke dnc import | uploads | export | history`: files of numbers, and what became of a group."""

from __future__ import annotations

import csv
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.dnc import Expires, GroupName, Reason, app, ending
from todoke.cli.files import REJECTED, STANDARD_INPUT, bar_shown, incoming
from todoke.cli.options import BusinessUnit, Delimiter, Encoding, Json, Preview, Quote, Sheet
from todoke.cli.output import iso, local, print_json, print_table, say
from todoke.cli.phones import Region, phone_of, user
from todoke.cli.previewing import facts
from todoke.model.errors import Unavailable

if TYPE_CHECKING:
    from typing import TextIO

    from todoke.pipeline.intake.dnc.importing import ImportedNumbers
    from todoke.pipeline.intake.dnc.preview import NumbersPreview
    from todoke.store.catalogue.dnc_history import ChangeRow, UploadRow


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of any form, with or without header; - for standard input.")
    ],
    group: GroupName = None,
    column: Annotated[
        str | None, typer.Option(metavar="HEADER", help="Which column has the numbers; else it is found out.")
    ] = None,
    expires_column: Annotated[
        str | None, typer.Option(metavar="HEADER", help="Which column says until when; else it is found out.")
    ] = None,
    expires: Expires = None,
    region: Region = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    sheet: Sheet = None,
    reason: Reason = "",
    preview: Preview = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Put all numbers of a file on a DNC group.

    Rows without a valid number are written to a file with line and reason. A number that is on the group already, for
    as long or longer, stays as it is: an opt-out is never shortened.
    """
    from todoke.cli.reporting import rejection
    from todoke.model.clock import SystemClock
    from todoke.pipeline.intake.dnc.importing import Reading, import_numbers
    from todoke.pipeline.intake.dnc.preview import preview_numbers
    from todoke.store.catalogue import dnc, units

    here = session.of(context)
    reading = Reading(column, expires_column, ending(expires), region, encoding, delimiter, quote, sheet)

    async def look(path: Path) -> NumbersPreview:
        async with here.store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
        return preview_numbers(path, reading, unit.default_region, SystemClock().now())

    async def work(path: Path) -> ImportedNumbers:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
                found = await dnc.find(connection, unit, group)
            with bar_shown() as report:
                return await import_numbers(
                    store,
                    unit,
                    found,
                    path,
                    reading,
                    rejects_dir=here.settings.data_dir / REJECTED,
                    clock=SystemClock(),
                    who=user(),
                    reason=reason or f"todoke dnc import {_called(file)}",
                    name=_called(file),
                    report=report,
                )

    with incoming(file, here.settings.data_dir) as path:
        if preview:
            _show_preview(file, session.run(look(path)), json=json)
            return
        done = session.run(work(path))
    if json:
        print_json({name: getattr(done, name) for name in done.__slots__})
        return
    say(f"{done.group}: {done.added:,} added, {done.extended:,} extended, {done.present:,} there already")
    say(
        f"rows: {done.processed:,} processed, {done.valid:,} valid ({done.repeated:,} of them twice in the file), "
        f"{done.invalid:,} invalid"
    )
    if done.reasons:
        table = [(count, rejection(code), code) for code, count in done.reasons.items()]
        print_table(["invalid", "because", "code"], table, empty="")
    if done.rejects_path is not None:
        say(f"invalid rows, to be corrected and imported again: {done.rejects_path}")


def _show_preview(file: Path, found: NumbersPreview, *, json: bool) -> None:
    if json:
        rows = [
            {"line": row.line, "raw": row.raw, "number": row.number, "expires_at": iso(row.expires_at)}
            | {"problem": row.problem}
            for row in found.rows
        ]
        columns = {"column": found.column, "expires_column": found.expires_column, "headless": found.headless}
        print_json({**found.written._asdict(), **columns, "rows": rows})
        return
    say(f"{_called(file)}: {facts(found.written)}{', no header' if found.headless else ''}")
    ends = "" if found.expires_column is None else f", {found.expires_column!r} says until when"
    say(f"{found.column!r} has the numbers{ends}")
    table = [(row.line, row.raw, row.number, local(row.expires_at), row.problem) for row in found.rows]
    print_table(["line", "as it stands", "number", "until", "problem"], table, empty="There are no rows.")


def _called(file: Path) -> str:
    return "standard input" if str(file) == STANDARD_INPUT else file.name


@app.command("uploads")
def uploads(
    context: typer.Context,
    group: Annotated[str | None, typer.Option("--group", metavar="NAME", help="Else those of all groups.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """The files that were put on groups, the newest first, and how far one is that runs."""
    from todoke.store.catalogue import dnc, dnc_history, units
    from todoke.store.lists.importer import is_alive

    async def work() -> list[UploadRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            found = await dnc.find(connection, unit, group) if group is not None else None
            return await dnc_history.uploads(connection, unit, found, limit)

    rows = [
        row._replace(state="interrupted") if row.state == "running" and not is_alive(row.importer) else row
        for row in session.run(work())
    ]
    if json:
        plain = [{key: value for key, value in row._asdict().items() if key != "importer"} for row in rows]
        print_json([{**row, "started_at": iso(row["started_at"]), "ended_at": iso(row["ended_at"])} for row in plain])
        return
    headers = ["upload", "file", "group", "state", "processed", "valid", "invalid", "added", "extended", "who", "at"]
    table = [
        (
            *(row.id, row.file, row.group, row.state, row.processed, row.valid, row.invalid, row.added, row.extended),
            *(row.who, local(row.started_at)),
        )
        for row in rows
    ]
    print_table(headers, table, empty="No file was put on a DNC group.")


@app.command("export")
def export(
    context: typer.Context,
    group: GroupName = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to; else standard output.")] = None,
    business_unit: BusinessUnit = None,
) -> None:
    """All numbers of a group as CSV: phone, source, since, expires. It can be imported again."""

    async def work() -> int:
        from todoke.store.catalogue import dnc, units
        from todoke.store.dnc.export import export as pages

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
                found = await dnc.find(connection, unit, group)
            count = 0
            with _opened(out) as file:
                writer = csv.writer(file)
                writer.writerow(["phone", "source", "since", "expires"])
                async for rows in pages(store, unit, found):
                    writer.writerows(
                        (f"+{phone}", source, iso(since), iso(until) or "") for phone, source, since, until in rows
                    )
                    count += len(rows)
            return count

    count = session.run(work())
    if out is not None:
        say(f"{count:,} numbers in {out}")


@contextmanager
def _opened(path: Path | None) -> Generator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        path.touch(mode=0o600)  # it holds people's numbers
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable(f"The file cannot be written: {reason}.", where=str(path), fix="Name another one.") from error


@app.command("history")
def history(
    context: typer.Context,
    number: Annotated[str | None, typer.Argument(metavar="NUMBER", help="Else what changed on the group.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Of a number: else all groups; else the default one.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 1000,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """What changed, when, by whom and why: of a number (the oldest first) or of a group (the newest first)."""
    from todoke.store.catalogue import dnc, dnc_history, units

    async def work() -> list[ChangeRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            if number is None:
                return await dnc_history.of_group(connection, unit, await dnc.find(connection, unit, group), limit)
            found = await dnc.find(connection, unit, group) if group is not None else None
            phone = phone_of(number, unit.default_region, number)
            return await dnc_history.of_phone(connection, unit, phone, found)

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    table = [
        (
            local(row.at),
            row.change,
            f"{row.numbers:,} numbers" if row.phone is None else f"+{row.phone}",
            *(row.group, row.source if row.upload_id is None else f"upload {row.upload_id}", local(row.expires_at)),
            *(row.who, row.reason),
        )
        for row in rows
    ]
    headers = ["at", "change", "number", "group", "by", "until", "who", "why"]
    print_table(headers, table, empty="Nothing has changed.")


def _as_json(row: ChangeRow) -> dict[str, Any]:
    moments = {key: iso(getattr(row, key)) for key in ("at", "expires_at", "old_expires_at")}
    return {**row._asdict(), "phone": None if row.phone is None else f"+{row.phone}", **moments}
