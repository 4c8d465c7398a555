"""`todoke apply`: declare what should exist."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import Json
from todoke.cli.output import cell, print_json, say, warn
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.store.catalogue.provision import Change, Provisioned
    from todoke.store.store import Store

EXAMPLE = "examples/acme.toml"


def register(app: typer.Typer) -> None:
    app.command("apply")(apply)


def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="What should exist; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json: Json = False,
) -> None:
    """Make business units, providers, codes, templates and skills what FILE says.

    Applied again it changes nothing. What the file does not mention stays as it is. All of it happens, or nothing.
    """
    from todoke.model.clock import SystemClock
    from todoke.model.declaration import read
    from todoke.providers.kinds import KINDS
    from todoke.service import rules
    from todoke.store.catalogue import provision

    name, text = _read(file)
    declaration, problems = read(name, text, KINDS)
    problems += rules.missing(declaration, rules.load(session.of(context).settings.rules_dir))

    async def work() -> Provisioned:
        async with _store(session.of(context), dry_run=dry_run) as store:
            return await provision.apply(store, declaration, problems, SystemClock().now(), dry_run=dry_run)

    _show(session.run(work()), dry_run=dry_run, json=json)


@asynccontextmanager
async def _store(here: session.Session, *, dry_run: bool) -> AsyncGenerator[Store]:
    """The database. A dry run does not make one: where there is none it is told what an empty one would become."""
    from todoke.store.address import parse_address
    from todoke.store.store import open_store

    path = parse_address(here.settings.database).path
    if dry_run and path is not None and not path.exists():
        with TemporaryDirectory(prefix="todoke-") as folder:
            async with await open_store(f"sqlite:///{folder}/todoke.db", create=True) as store:
                yield store
        return
    async with here.store(create=not dry_run) as store:
        yield store


def _read(file: Path) -> tuple[str, str]:
    try:
        if str(file) == "-":
            return "standard input", sys.stdin.buffer.read().decode("utf-8-sig")
        return str(file), file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise Invalid("There is no such file.", where=str(file), fix=f"{EXAMPLE} shows how one looks.") from None
    except IsADirectoryError:
        raise Invalid("This is a folder.", where=str(file), fix="Name a file in it.") from None
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8.", where=str(file), fix="Save it as UTF-8.") from None


def _show(done: Provisioned, *, dry_run: bool, json: bool) -> None:
    for problem in done.warnings:
        warn(problem.told)
    if json:
        print_json(
            {
                "dry_run": dry_run,
                "unchanged": done.unchanged,
                "changes": [_as_json(change) for change in done.changes],
                "warnings": [str(problem) for problem in done.warnings],
            }
        )
        return
    for change in done.changes:
        say(line(change))
    say(f"= {done.unchanged} unchanged")
    if dry_run and done.changes:
        say("This was a dry run: nothing was changed.")


def line(change: Change) -> str:
    """`+ skill bonus-shift (Acme)`, `~ skill bonus-shift (Acme): weight 1 -> 5`"""
    owner = f" ({change.business_unit})" if change.business_unit else ""
    head = f"{'+' if change.created else '~'} {change.what} {change.name}{owner}"
    fields = ", ".join(f"{field} {_value(old)} -> {_value(new)}" for field, old, new in change.fields)
    return f"{head}: {fields}" if fields else head


def _value(value: Any) -> str:
    if value is None:
        return "(default)"
    if isinstance(value, str):
        return value if value and value.isprintable() and " " not in value else repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    return cell(value)


def _as_json(change: Change) -> dict[str, Any]:
    return {
        "change": "created" if change.created else "changed",
        "what": change.what,
        "name": change.name,
        "business_unit": change.business_unit,
        "fields": {field: {"old": old, "new": new} for field, old, new in change.fields},
    }
