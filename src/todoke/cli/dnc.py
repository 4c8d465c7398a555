"""`todoke dnc`: numbers that are not to be texted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, iso, local, print_json, print_table, say
from todoke.cli.phones import phone_of, user
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.model.clock import Micros
    from todoke.store.catalogue.dnc import EntryRow, Group
    from todoke.store.catalogue.units import Unit
    from todoke.store.store import Store

app = typer.Typer(help="Do-not-call lists: numbers that are not to be texted.", no_args_is_help=True)

GroupName = Annotated[str | None, typer.Option("--group", metavar="NAME", help="Else the unit's default group.")]
Numbers = Annotated[list[str] | None, typer.Argument(metavar="NUMBER...", help="Such as +15551234567.")]
NumberFile = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A file with one number a line.")]
Expires = Annotated[
    str | None, typer.Option("--expires", metavar="WHEN", help="2027-12-31, 90d or 24h; without it for good.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the history.")]

_BATCH = 500  # numbers written at a time


@app.command("add")
def add(
    context: typer.Context,
    numbers: Numbers = None,
    file: NumberFile = None,
    group: GroupName = None,
    expires: Expires = None,
    reason: Reason = "",
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Put numbers on a DNC group; from then on no text goes to them."""
    _change(context, "out", numbers, file, group, business_unit, expires, reason, json=json)


@app.command("remove")
def remove(
    context: typer.Context,
    numbers: Numbers = None,
    file: NumberFile = None,
    group: GroupName = None,
    reason: Reason = "",
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Take numbers off a DNC group: only with the owner's word that texts are welcome again."""
    _change(context, "in", numbers, file, group, business_unit, None, reason, json=json)


@app.command("check")
def check(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER")],
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Which groups a number is on. Exit status 0 either way."""
    from todoke.model.clock import SystemClock
    from todoke.store.catalogue import dnc, units
    from todoke.store.catalogue.dnc import EntryRow
    from todoke.store.privacy import reading
    from todoke.store.privacy.key import KeyFile

    async def work() -> list[EntryRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            phone = phone_of(number, unit.default_region, number)
            now = SystemClock().now()
            found = await dnc.on(connection, unit, phone, now)
            key = KeyFile(session.of(context).settings.data_dir)
            erased = await reading.listed_as_hash(connection, unit, key.hashed, phone, now)
            return found + [EntryRow(phone, *row) for row in erased]

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
    from todoke.model.clock import SystemClock
    from todoke.store.catalogue import dnc, units

    async def work() -> tuple[Group, list[EntryRow], int]:
        now = SystemClock().now()
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            found = await dnc.find(connection, unit, group)
            rows = await dnc.entries(connection, unit, found, now, limit=limit)
            return found, rows, await dnc.count(connection, unit, found, now)

    found, rows, count = session.run(work())
    _show(rows, json=json, empty=f"{found.name} has no numbers.")
    if not json and count > len(rows):
        say(f"{len(rows):,} of {count:,} numbers; more with --limit.")


def _show(rows: list[EntryRow], *, json: bool, empty: str) -> None:
    if json:
        print_json(
            [
                {
                    **row._asdict(),
                    "phone": f"+{row.phone}",
                    "created_at": iso(row.created_at),
                    "expires_at": iso(row.ends_at),
                }
                for row in rows
            ]
        )
        return
    table = [(f"+{row.phone}", row.group, row.source, local(row.created_at), _until(row)) for row in rows]
    print_table(["number", "group", "source", "since", "until"], table, empty=empty)


def _until(row: EntryRow) -> str:
    from todoke.model.dnc import HELD

    return "a person has read its reply: todoke review" if row.source == HELD else local(row.ends_at)


def _change(
    context: typer.Context,
    kind: str,
    numbers: list[str] | None,
    file: Path | None,
    group: str | None,
    business_unit: str | None,
    expires: str | None,
    reason: str,
    *,
    json: bool,
) -> None:
    given = [(number, number) for number in numbers or []]
    if file is not None:
        given += _lines(file)
    if not given:
        raise Invalid("There is no number.", fix="Give numbers, or a file with --file.")
    until = ending(expires)

    async def work() -> tuple[Group, int]:
        from todoke.store.catalogue import dnc, units

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
                found = await dnc.find(connection, unit, group)
            phones = [phone_of(raw, unit.default_region, where) for raw, where in given]  # all of them, before any
            evidence = reason or f"todoke dnc {'add' if kind == 'out' else 'remove'}"
            await _write(store, unit, found, kind, phones, until, evidence)
            return found, len(set(phones))

    found, count = session.run(work())
    on = kind == "out"
    document = {"group": found.name, "numbers": count, "on": on, "expires_at": iso(until)}
    answer(document, f"{count:,} {'on' if on else 'off'} {found.name}", json=json)


def ending(expires: str | None) -> Micros | None:
    """The moment that an option names; Invalid for one that is over."""
    from todoke.model import expiry
    from todoke.model.clock import SystemClock

    if expires is None:
        return None
    now = SystemClock().now()
    until = expiry.parse(expires, now)
    if until <= now:
        raise Invalid(f"{expires} is in the past.", where="--expires", fix="Name a later moment.")
    return until


async def _write(
    store: Store, unit: Unit, group: Group, kind: str, phones: list[int], until: Micros | None, evidence: str
) -> None:
    from todoke.model.clock import SystemClock
    from todoke.store.hot.base import OptOut

    now = SystemClock().now()
    distinct = list(dict.fromkeys(phones))
    for start in range(0, len(distinct), _BATCH):
        batch: list[Any] = [
            OptOut(unit.bucket, unit.id, group.id, phone, kind, "person", evidence, None, now, until, user())
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
