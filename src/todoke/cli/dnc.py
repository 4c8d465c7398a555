"""`todoke dnc`: numbers that are not to be texted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import iso, local, print_json, print_table, say
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from todoke.store.catalogue.dnc import EntryRow, Group
    from todoke.store.catalogue.units import Unit
    from todoke.store.privacy.reading import Listed
    from todoke.store.store import Store

app = typer.Typer(help="Do-not-call lists: numbers that are not to be texted.", no_args_is_help=True)

GroupName = Annotated[str | None, typer.Option("--group", metavar="NAME", help="Else the unit's default group.")]
Numbers = Annotated[list[str] | None, typer.Argument(metavar="NUMBER...", help="Such as +15551234567.")]
NumberFile = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A file with one number a line.")]

_BATCH = 500  # numbers written at a time


@app.command("add")
def add(
    context: typer.Context,
    numbers: Numbers = None,
    file: NumberFile = None,
    group: GroupName = None,
    business_unit: BusinessUnit = None,
) -> None:
    """Put numbers on a DNC group; from then on no text goes to them."""
    _change(context, "out", numbers, file, group, business_unit)


@app.command("remove")
def remove(
    context: typer.Context,
    numbers: Numbers = None,
    file: NumberFile = None,
    group: GroupName = None,
    business_unit: BusinessUnit = None,
) -> None:
    """Take numbers off a DNC group: only with the owner's word that texts are welcome again."""
    _change(context, "in", numbers, file, group, business_unit)


@app.command("check")
def check(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER")],
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Which groups a number is on. Exit status 0 either way."""
    from todoke.store.catalogue import dnc, units
    from todoke.store.catalogue.dnc import EntryRow

    async def work() -> list[EntryRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            phone = _phone(number, unit.default_region, number)
            found = await dnc.on(connection, unit, phone)
            erased = await _erased(connection, unit, phone, session.of(context).settings.data_dir)
            return found + [EntryRow(phone, row.group, row.source, row.created_at) for row in erased]

    _show(session.run(work()), json=json, empty=f"{number} is on no DNC group.")


@app.command("list")
def every(
    context: typer.Context,
    group: GroupName = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 1000,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """The numbers on a group."""
    from todoke.store.catalogue import dnc, units

    async def work() -> tuple[Group, list[EntryRow], int]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            found = await dnc.find(connection, unit, group)
            rows = await dnc.entries(connection, unit, found, limit=limit)
            return found, rows, await dnc.count(connection, unit, found)

    found, rows, count = session.run(work())
    _show(rows, json=json, empty=f"{found.name} has no numbers.")
    if not json and count > len(rows):
        say(f"{len(rows):,} of {count:,} numbers; more with --limit.")


async def _erased(connection: AsyncConnection, unit: Unit, phone: int, data_dir: Path) -> list[Listed]:
    """Groups that the number is on as the hash of somebody who was erased."""
    from todoke.model.clock import SystemClock
    from todoke.store.privacy import reading
    from todoke.store.privacy.key import KeyFile

    if await reading.key_check(connection) is None:
        return []
    digest = KeyFile(data_dir).hashed(phone)
    return await reading.listed_erased(connection, unit, digest, SystemClock().now())


def _show(rows: list[EntryRow], *, json: bool, empty: str) -> None:
    if json:
        print_json([{**row._asdict(), "phone": f"+{row.phone}", "created_at": iso(row.created_at)} for row in rows])
        return
    table = [(f"+{row.phone}", row.group, row.source, local(row.created_at)) for row in rows]
    print_table(["number", "group", "source", "since"], table, empty=empty)


def _change(
    context: typer.Context,
    kind: str,
    numbers: list[str] | None,
    file: Path | None,
    group: str | None,
    business_unit: str | None,
) -> None:
    given = [(number, number) for number in numbers or []]
    if file is not None:
        given += _lines(file)
    if not given:
        raise Invalid("There is no number.", fix="Give numbers, or a file with --file.")

    async def work() -> tuple[Group, int]:
        from todoke.store.catalogue import dnc, units

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
                found = await dnc.find(connection, unit, group)
            phones = [_phone(raw, unit.default_region, where) for raw, where in given]  # all of them, before any
            await _write(store, unit, found, kind, phones)
            return found, len(set(phones))

    found, count = session.run(work())
    say(f"{count:,} {'on' if kind == 'out' else 'off'} {found.name}")


async def _write(store: Store, unit: Unit, group: Group, kind: str, phones: list[int]) -> None:
    from todoke.model.clock import SystemClock
    from todoke.store.hot.base import OptOut

    now = SystemClock().now()
    evidence = f"todoke dnc {'add' if kind == 'out' else 'remove'}"
    distinct = list(dict.fromkeys(phones))
    for start in range(0, len(distinct), _BATCH):
        batch: list[Any] = [
            OptOut(unit.bucket, unit.id, group.id, phone, kind, "person", evidence, None, now)
            for phone in distinct[start : start + _BATCH]
        ]
        await store.hot.apply_opt_outs(batch, [])


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """The numbers of the file, each with its place."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Invalid("There is no such file.", where=str(file)) from None
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8.", where=str(file), fix="Save it as UTF-8, one number a line.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield line.strip(), f"{file}:{number}"


def _phone(raw: str, region: str, where: str) -> int:
    from todoke.sms.phone import PhoneError, parse

    try:
        return parse(raw, region).e164
    except PhoneError as error:
        sentence = str(error)
        fix = "Write it with its country code, such as +15551234567."
        raise Invalid(f"{sentence[0].upper()}{sentence[1:]}.", where=where, fix=fix) from None
