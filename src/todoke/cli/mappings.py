"""`todoke mapping`: how list files are to be read, kept under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, print_json, print_table, say

if TYPE_CHECKING:
    from todoke.model.list_mapping import SavedMapping

app = typer.Typer(help="Saved mappings: how list files are read.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="MAPPING")]


@app.command("list")
def every(context: typer.Context, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """The saved mappings of a business unit."""
    from todoke.store.catalogue import mappings, units

    async def work() -> list[SavedMapping]:
        async with session.of(context).store() as store, store.reading() as connection:
            return await mappings.every(connection, await units.only(connection, business_unit))

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    empty = "There is no saved mapping. Save one with todoke import FILE --list NAME --save-mapping NAME."
    print_table(["mapping", "columns"], [(row.name, ", ".join(row.header)) for row in rows], empty=empty)


@app.command("show")
def show(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """A saved mapping: the field of each column, and what else is given."""
    from todoke.store.catalogue import mappings, units

    async def work() -> SavedMapping:
        async with session.of(context).store() as store, store.reading() as connection:
            return await mappings.find(connection, await units.only(connection, business_unit), name)

    mapping = session.run(work())
    if json:
        print_json(_as_json(mapping))
        return
    print_table(["column", "field"], list(mapping.reading.fields.items()), empty="It maps no column.")
    reading = mapping.reading
    if reading.required:
        say(f"required: {', '.join(reading.required)}")
    for key in ("encoding", "delimiter", "quote", "sheet", "region"):
        if (value := getattr(reading, key)) is not None:
            say(f"{key}: {value}")
    if reading.generate_external_ids:
        say("external ids are generated")


@app.command("delete")
def delete(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """Forget a saved mapping. Lists that were imported with it stay as they are."""
    from todoke.store.catalogue import mappings, units

    async def work() -> None:
        async with session.of(context).store() as store, store.writing() as connection:
            await mappings.remove(connection, await units.only(connection, business_unit), name)

    session.run(work())
    answer({"deleted": name}, f"{name}: deleted", json=json)


def _as_json(mapping: SavedMapping) -> dict[str, Any]:
    import msgspec

    return {"name": mapping.name, "header": mapping.header, "reading": msgspec.to_builtins(mapping.reading)}
