"""`todoke import`: a list file becomes a calling list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.files import REJECTED, STANDARD_INPUT, incoming, progress_shown
from todoke.cli.options import BusinessUnit, Delimiter, Encoding, Json, Preview, Quote, Sheet
from todoke.cli.output import print_json, print_table, say
from todoke.cli.phones import Region
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.model.list_mapping import Reading
    from todoke.pipeline.intake.importing import Imported
    from todoke.service.list_imports import Ended
    from todoke.service.list_updates import Updated


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list of any form; - for standard input.")],
    calling_list: Annotated[str, typer.Option("--list", metavar="NAME", help="What the list is to be called.")],
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="HEADER=FIELD", help="Which field a column is; may be given several times."),
    ] = None,
    region: Region = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    sheet: Sheet = None,
    require: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="It must have a value; may be given several times.")
    ] = None,
    generate_external_ids: Annotated[
        bool, typer.Option("--generate-external-ids", help="The file has none: number its rows.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="The list is there: update its contacts by their external ids, add others.")
    ] = False,
    channel: Annotated[
        str, typer.Option(help="sms: every contact needs a number to text; any: a valid number will do.")
    ] = "sms",
    no_time_zone: Annotated[
        str, typer.Option(metavar="hold|reject|ZONE", help="What becomes of a contact whose time zone nobody knows.")
    ] = "hold",
    mapping: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read it by a saved mapping; see todoke mapping list.")
    ] = None,
    save_mapping: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep under this name how the file is read.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="SKILL", help="Start it over the list when that is ready.")
    ] = None,
    preview: Preview = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge every row, but make no list.")] = False,
    skill: Annotated[
        str | None, typer.Option(metavar="SKILL", help="With --dry-run: what that skill would take over it.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="With --dry-run: the same of this text.")] = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Import a list of contacts: all of the file or nothing.

    Rows that cannot become contacts are written to a file with line and reason, to be corrected and imported again.
    """
    from todoke.cli.dry_running import show_dry_run
    from todoke.cli.previewing import show_preview
    from todoke.model.clock import SystemClock
    from todoke.model.list_mapping import Reading
    from todoke.pipeline.intake.keeping import save_mapping as keep_mapping
    from todoke.pipeline.intake.rules import read_channel, read_no_time_zone
    from todoke.service.list_imports import ListImports, Upload
    from todoke.service.spool import FOLDER, spool
    from todoke.store.catalogue import units

    if (skill is not None or text is not None) and not dry_run:
        raise Invalid("A skill or a text is for a dry run.", fix="Add --dry-run; or start it with todoke skill start.")
    if (preview or dry_run) and (start is not None or save_mapping is not None):
        raise Invalid(
            "Nothing is started or saved where nothing is imported.",
            where="--start" if start is not None else "--save-mapping",
            fix="Leave it out, or leave out --preview and --dry-run.",
        )
    here = session.of(context)
    reading = Reading(
        fields=_fields(map_ or []),
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        sheet=sheet,
        region=region,
        required=tuple(require or ()),
        generate_external_ids=generate_external_ids,
    )

    if preview or dry_run:
        with incoming(file, here.settings.data_dir) as path:
            if preview:
                name = "standard input" if str(file) == STANDARD_INPUT else None
                show_preview(context, path, reading, mapping, business_unit, json=json, name=name)
            else:
                of_what = {"skill": skill, "text": text}
                rules = {"channel": channel, "no_time_zone": no_time_zone}
                show_dry_run(
                    context, path, calling_list, reading, mapping, business_unit, **of_what, **rules, json=json
                )
        return
    upload = Upload(file)
    if str(file) == STANDARD_INPUT:
        upload = Upload(spool(sys.stdin.buffer, here.settings.data_dir / FOLDER), spooled=True, name="standard input")

    async def work() -> Ended:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            clock = SystemClock()
            if save_mapping is not None:
                await keep_mapping(
                    store,
                    business_unit=unit.name,
                    name=save_mapping,
                    path=upload.path,
                    reading=reading,
                    now=clock.now(),
                    saved_mapping=mapping,
                )
            imports = ListImports(store, unit, here.settings.data_dir / REJECTED, clock)
            options = {
                **options_of(reading, mapping),
                "channel": read_channel(channel).value,
                "no_time_zone": read_no_time_zone(no_time_zone),
            }
            with progress_shown() as progress:
                return await imports.begin(
                    calling_list, upload, options, onto=update, start_skill=start, progress=progress
                )

    tell(calling_list, session.run(work()), json=json)


def options_of(reading: Reading, saved_mapping: str | None) -> dict[str, Any]:
    """What an import keeps, so that another process can go on with it."""
    return {
        "mapping": reading.fields,
        "encoding": reading.encoding,
        "delimiter": reading.delimiter,
        "quote": reading.quote,
        "sheet": reading.sheet,
        "default_region": reading.region,
        "required": list(reading.required),
        "saved_mapping": saved_mapping,
        "generate_external_ids": reading.generate_external_ids,
    }


def tell(name: str, ended: Ended, *, json: bool) -> None:
    """What became of an import that is done."""
    imported, run = ended.imported, ended.run
    if json and imported is not None:
        print_json(
            {
                "list": name,
                "import": ended.import_id,
                "run": None if run is None else run.run_id,
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
                "region": imported.region,
                "zone_groups": imported.zone_groups,
                "unusable": imported.unusable,
                "on_dnc": imported.on_dnc,
            }
        )
    elif json:
        update = {} if ended.updated is None else _update_as_json(ended.updated)
        print_json({"list": name, "import": ended.import_id, "run": None if run is None else run.run_id, **update})
    elif imported is not None:
        show(name, imported)
    elif ended.updated is not None:
        _show_update(name, ended.updated)
    if run is not None and not json:
        say(f"run {run.run_id} started; watch it with todoke run watch {run.run_id}")
    if ended.start_error is not None:
        raise ended.start_error


def _update_as_json(updated: Updated) -> dict[str, Any]:
    imported, merged = updated.imported, updated.merged
    return {
        "added": merged.added,
        "updated": merged.updated,
        "unchanged": merged.unchanged,
        "reasons": merged.reasons,
        "rejects_path": updated.rejects_path,
        "rows_rejected": updated.unread,
        "rows_reasons": None if imported is None else imported.reasons,
        "rows_rejects_path": None if imported is None else imported.rejects_path,
    }


def _show_update(name: str, updated: Updated) -> None:
    from todoke.cli.reporting import rejection

    merged, imported = updated.merged, updated.imported
    say(f"{name}: {merged.updated:,} contacts updated, {merged.added:,} added, {merged.unchanged:,} as they were")
    reasons = dict(merged.reasons)
    for code, count in (imported.reasons if imported is not None else {}).items():
        reasons[code] = reasons.get(code, 0) + count
    if imported is None and updated.unread:
        say(f"{updated.unread:,} more rows were rejected before it was interrupted; see the folder of rejected rows")
    if reasons:
        rows = [(count, rejection(code), code) for code, count in reasons.items()]
        print_table(["rejected", "because", "code"], rows, empty="")
    for path in (None if imported is None else imported.rejects_path, updated.rejects_path):
        if path is not None:
            say(f"rejected rows, to be corrected and imported again: {path}")


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
    for field, count in imported.unusable.items():
        say(f"{field}: {count:,} values are no phone numbers; their contacts have another one")
    if imported.on_dnc:
        say(f"{imported.on_dnc:,} contacts are on a DNC group now")
    if imported.reasons:
        rows = [(count, rejection(code), code) for code, count in imported.reasons.items()]
        print_table(["rejected", "because", "code"], rows, empty="")
    if imported.rejects_path is not None:
        say(f"rejected rows, to be corrected and imported again: {imported.rejects_path}")


def _fields(given: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for pair in given:
        header, separator, field = pair.rpartition("=")
        if not separator or not header:
            raise Invalid(f"{pair!r} does not say which field a column is.", where="--map", fix="Write HEADER=FIELD.")
        fields[header] = field
    return fields
