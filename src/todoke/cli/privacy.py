"""`todoke privacy`: one person's data, and how long data are kept."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import print_json, print_table, say, warn
from todoke.cli.phones import phone_of
from todoke.model.clock import SystemClock
from todoke.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from todoke.pipeline.privacy.erase import Erased
    from todoke.pipeline.privacy.sweep import Row

app = typer.Typer(help="One person's data: all of it, or gone; and how long data are kept.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Such as +15551234567.")]
ExternalId = Annotated[
    str | None, typer.Option(metavar="ID", help="Contacts with this external id, too, whatever their number.")
]


@app.command("export")
def export(
    context: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file, which only you can read.")],
    external_id: ExternalId = None,
    business_unit: BusinessUnit = None,
) -> None:
    """All that is kept of one person, as JSON that a person can read."""
    import msgspec

    async def work() -> dict[str, object]:
        from todoke.pipeline.privacy.export import export as collect
        from todoke.store.catalogue import units
        from todoke.store.privacy.key import KeyFile

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            phone = phone_of(number, unit.default_region, "NUMBER")
            try:
                key = KeyFile(session.of(context).settings.data_dir).load()
            except NotFound:
                key = None
            return await collect(store, unit, phone, external_id, SystemClock().now(), key)

    document = session.run(work())
    text = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text + b"\n")
    except FileExistsError:
        raise Invalid("There is such a file already.", where=str(out), fix="Name another one.") from None
    say(f"written to {out}")


@app.command("erase")
def erase(
    context: typer.Context,
    number: Number,
    external_id: ExternalId = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who asked for it; else you.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Erase one person. It cannot be undone. Who is on a DNC group stays on it, as a keyed hash."""
    if not yes and not typer.confirm(f"Erase {number}? This cannot be undone", err=True):
        raise typer.Exit(1)
    settings = session.of(context).settings
    data_dir, rejected = settings.data_dir, settings.rejected

    async def work() -> Erased:
        from todoke.pipeline.privacy.erase import erase as remove
        from todoke.pipeline.privacy.erase import the_key
        from todoke.service.spool import FOLDER
        from todoke.store.catalogue import units
        from todoke.store.privacy.key import KeyFile

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            phone = phone_of(number, unit.default_region, "NUMBER")
            file = KeyFile(data_dir)
            key = await the_key(store, file)
            store.hot.use_key(key.hashed)
            return await remove(
                store,
                unit,
                phone,
                external_id,
                key=key,
                requested_by=by or getpass.getuser(),
                clock=SystemClock(),
                rejected=[*sorted(rejected.glob("*")), *sorted((data_dir / FOLDER).glob("*"))],
            )

    done = session.run(work())
    if json:
        print_json({"counts": done.counts, "files": [str(file) for file in done.files]})
    else:
        say(", ".join(f"{count:,} {table}" for table, count in done.counts.items()))
    for file in done.files:
        warn(f"The number, or one that ends alike, stands in {file}: remove it there, or remove the file.")


@app.command("retention")
def retention(context: typer.Context, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """How long each kind of data is kept, and what would go now. It goes while an engine runs."""
    from todoke.model.retention import KEPT

    async def work() -> list[Row]:
        from todoke.pipeline.privacy.sweep import overview
        from todoke.store.catalogue import units

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            return await overview(store, unit, session.of(context).settings.rejected, SystemClock().now())

    rows = session.run(work())
    if json:
        print_json(rows)
        return
    table = [
        (row.data.value, row.days if row.days is not None else "kept", row.past, KEPT[row.data].goes) for row in rows
    ]
    print_table(["data", "days", "would go", "what goes"], table, empty="")
