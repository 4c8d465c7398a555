"""`todoke import`: a list file becomes a calling list."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import print_json, print_table, say
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.pipeline.intake.importing import Imported
    from todoke.pipeline.intake.progress import Progress

REJECTED = "rejected"  # the folder of rejected rows, in the data folder


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".csv, .tab, .tsv, .txt or .xlsx")],
    calling_list: Annotated[str, typer.Option("--list", metavar="NAME", help="What the list is to be called.")],
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="HEADER=FIELD", help="Which field a column is; may be given several times."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="JP", help="Country of numbers without a country code; else the unit's.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as utf-8 or cp932; else it is found out.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Such as , ; or tab; else it is found out.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook; else the first.")] = None,
    generate_external_ids: Annotated[
        bool, typer.Option("--generate-external-ids", help="The file has none: number its rows.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show how the file would be read.")] = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Import a list of contacts: all of the file or nothing.

    Rows that cannot become contacts are written to a file with line and reason, to be corrected and imported again.
    """
    from todoke.model.clock import SystemClock
    from todoke.pipeline.intake.importing import import_list
    from todoke.store.catalogue import units

    mapping = _mapping(map_ or [])
    reading: dict[str, Any] = {
        "mapping": mapping,
        "encoding": encoding,
        "delimiter": delimiter,
        "sheet": sheet,
        "generate_external_ids": generate_external_ids,
    }
    if preview:
        _preview(file, reading, json=json)
        return
    here = session.of(context)

    async def work() -> Imported:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            with progress_shown() as progress:
                return await import_list(
                    store,
                    business_unit=unit.name,
                    name=calling_list,
                    path=file,
                    rejects_dir=here.settings.data_dir / REJECTED,
                    now=SystemClock().now(),
                    default_region=region,
                    progress=progress,
                    **reading,
                )

    imported = session.run(work())
    if json:
        print_json(
            {
                "list": calling_list,
                "contacts": imported.contacts,
                "rejected": imported.rejected,
                "blank": imported.blank,
                "reasons": imported.reasons,
                "rejects_path": imported.rejects_path,
                "fields": imported.fields,
                "mapping": imported.mapping,
                "encoding": imported.encoding,
                "delimiter": imported.delimiter,
                "sheet": imported.sheet,
                "zone_groups": imported.zone_groups,
            }
        )
    else:
        show(calling_list, imported)


def show(name: str, imported: Imported) -> None:
    """What the import made, for people."""
    from todoke.cli.reporting import rejection

    say(f"{name}: {imported.contacts:,} contacts accepted, {imported.rejected:,} rows rejected")
    renamed = [f"{header} is {field}" for header, field in imported.mapping.items() if header != field]
    if renamed:
        say(f"read as: {', '.join(renamed)}")
    say(f"merge fields: {', '.join(f'{{{field}}}' for field in imported.fields)}")
    unknown = sum(group.contacts for group in imported.zone_groups if not group.zones)
    if unknown:
        say(f"{unknown:,} contacts are in no known place: they are held unless nothing restricts the hours")
    if imported.reasons:
        rows = [(count, rejection(code), code) for code, count in imported.reasons.items()]
        print_table(["rejected", "because", "code"], rows, empty="")
    if imported.rejects_path is not None:
        say(f"rejected rows, to be corrected and imported again: {imported.rejects_path}")


@contextmanager
def progress_shown() -> Generator[Callable[[Progress], None]]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=1.0)

        def tell(progress: Progress) -> None:
            description = f"{progress.stage.value} row {progress.rows:,}"
            bar.update(task, completed=progress.fraction, description=description)

        yield tell


def _mapping(given: list[str]) -> Mapping[str, str] | None:
    mapping: dict[str, str] = {}
    for pair in given:
        header, separator, field = pair.rpartition("=")
        if not separator or not header:
            raise Invalid(f"{pair!r} does not say which field a column is.", where="--map", fix="Write HEADER=FIELD.")
        mapping[header] = field
    return mapping or None


def _preview(file: Path, reading: dict[str, Any], *, json: bool) -> None:
    from todoke.pipeline.intake.preview import preview

    found = preview(file, **reading)
    mapping = found.layout.mapping
    if json:
        print_json(
            {
                "header": found.header,
                "mapping": mapping,
                "rows": found.rows,
                "encoding": found.encoding,
                "delimiter": found.delimiter,
                "sheet": found.sheet,
                "problem": None if found.problem is None else str(found.problem),
            }
        )
    else:
        how = [f"{key} {value!r}" for key in ("encoding", "delimiter", "sheet") if (value := getattr(found, key))]
        say(f"{file}: {', '.join(how)}")
        rows = [
            (header, mapping.get(header, ""), *(row[index] if index < len(row) else "" for row in found.rows[:3]))
            for index, header in enumerate(found.header)
        ]
        examples = [f"row {number}" for number in range(1, min(3, len(found.rows)) + 1)]
        print_table(["column", "field", *examples], rows, empty="The file has no columns.")
    if found.problem is not None:
        raise found.problem
