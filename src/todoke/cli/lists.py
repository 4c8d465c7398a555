"""`todoke list`: the calling lists that were imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import iso, local, print_json, print_table, say

if TYPE_CHECKING:
    from todoke.store.catalogue.lists import ListRow

app = typer.Typer(help="Calling lists: the contacts that were imported.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="LIST")]


@app.command("list")
def every(context: typer.Context, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """The lists of a business unit, the newest first."""
    from todoke.store.catalogue import lists, units

    async def work() -> list[ListRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            return await lists.every(connection, await units.only(connection, business_unit))

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    table = [(row.name, row.state, row.contacts, row.rejected, row.source, local(row.created_at)) for row in rows]
    headers = ["list", "state", "contacts", "rejected", "source", "created"]
    print_table(headers, table, empty="There is no list. Import one with todoke import FILE --list NAME.")


@app.command("show")
def show(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """A list: its merge fields, its contacts, its rejected rows by reason."""
    row, rejections = _find(context, name, business_unit)
    if json:
        print_json({**_as_json(row), "rejections": rejections})
        return
    say(f"{row.name}: {row.contacts:,} contacts from {row.source}, {row.state}")
    say(f"merge fields: {', '.join(f'{{{field}}}' for field in row.fields) or 'none'}")
    _reasons(row, rejections)


@app.command("rejected")
def rejected(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """How many rows of the file did not become contacts, why, and where they are kept."""
    from todoke.cli.importing import REJECTED

    row, rejections = _find(context, name, business_unit)
    folder = session.of(context).settings.data_dir / REJECTED
    files = sorted(folder.glob(f"*-{row.id}-rejected.*"))
    kept = next((file for file in files if ".part" not in file.suffixes), None)
    if json:
        print_json({"rejected": row.rejected, "rejections": rejections, "rejects_path": kept})
        return
    _reasons(row, rejections)
    if kept is not None:
        say(f"rejected rows, to be corrected and imported again: {kept}")


def _find(context: typer.Context, name: str, business_unit: str | None) -> tuple[ListRow, dict[str, int]]:
    from todoke.store.catalogue import lists, units

    async def work() -> tuple[ListRow, dict[str, int]]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            row = await lists.find(connection, unit, name)
            return row, await lists.rejections(connection, unit, row.id)

    return session.run(work())


def _reasons(row: ListRow, rejections: dict[str, int]) -> None:
    from todoke.cli.reporting import rejection

    table = [(count, rejection(code), code) for code, count in rejections.items()]
    print_table(["rejected", "because", "code"], table, empty=f"No row of {row.source} was rejected.")


def _as_json(row: ListRow) -> dict[str, Any]:
    facts = {key: value for key, value in row._asdict().items() if key != "id"}
    return {**facts, "created_at": iso(row.created_at), "imported_at": iso(row.imported_at)}
