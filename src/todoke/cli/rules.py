"""`todoke rules`: the rules of places that hold, from where they are, and whether a pack of one's own can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import Json
from todoke.cli.output import print_json, print_table, say
from todoke.model.errors import NotFound

if TYPE_CHECKING:
    from todoke.compliance.rulebook import Rule

app = typer.Typer(help="Rules of places: at what hours the law allows texts.", no_args_is_help=True)


@app.command("list")
def every(context: typer.Context, json: Json = False) -> None:
    """All jurisdictions with their hours, and the calendars of holidays."""
    from todoke.service.rules import load

    book = load(session.of(context).settings.rules_dir)
    if json:
        print_json({"jurisdictions": [_as_json(rule) for rule in book], "calendars": book.calendars})
        return
    _table(list(book))
    say(f"calendars of holidays: {', '.join(sorted(book.calendars))}")


@app.command("show")
def show(
    context: typer.Context,
    jurisdiction: Annotated[str, typer.Argument(metavar="JURISDICTION", help="A country, or a state such as US-FL.")],
    json: Json = False,
) -> None:
    """What holds in a jurisdiction, its country's rules among it, and where each rule is from."""
    from todoke.service.rules import load

    code = jurisdiction.upper()
    rules = load(session.of(context).settings.rules_dir).of(code)
    if not rules:
        raise NotFound(f"No rule is known for {jurisdiction!r}.", fix="todoke rules list shows those that are.")
    if json:
        print_json([_as_json(rule) for rule in rules])
        return
    for rule in rules:
        entry = rule.jurisdiction
        say(f"{entry.code} {entry.name}: {entry.hours or 'no hours are known'}")
        if rule.schedule is not None and rule.schedule.days:
            say(f"  holidays: {', '.join(rule.schedule.days)}")
        if entry.since is not None or entry.until is not None:
            say(f"  from {entry.since or 'ever'} to before {entry.until or 'ever'}")
        for cap in entry.caps:
            about = "about the same subject" if cap.about == "subject" else "altogether"
            say(f"  at most {cap.messages} messages in {cap.hours} hours {about}")
        say(f"  {rule.cited}")
        if entry.note:
            say(f"  {entry.note}")


@app.command("check")
def check(file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="A rule pack.")], json: Json = False) -> None:
    """Whether a rule pack can be read; every mistake with its line. Nothing is changed."""
    from todoke.service.rules import read_pack

    book = read_pack(file)
    rules = [rule for rule in book if rule.file == str(file)]
    if json:
        print_json([_as_json(rule) for rule in rules])
        return
    _table(rules)
    say(f"{file} can be used: put it into the folder of rule packs.")


def _table(rules: list[Rule]) -> None:
    rows = [
        (rule.jurisdiction.code, rule.jurisdiction.name, rule.jurisdiction.hours, rule.jurisdiction.basis, rule.file,
         rule.version)
        for rule in rules
    ]  # fmt: skip
    headers = ["jurisdiction", "name", "hours", "basis", "pack", "version"]
    print_table(headers, rows, empty="No jurisdiction is named.")


def _as_json(rule: Rule) -> dict[str, Any]:
    entry = rule.jurisdiction
    return {
        "code": entry.code,
        "name": entry.name,
        "hours": entry.hours,
        "holidays": list(rule.schedule.days) if rule.schedule is not None else [],
        "since": None if entry.since is None else entry.since.isoformat(),
        "until": None if entry.until is None else entry.until.isoformat(),
        "basis": entry.basis,
        "source": entry.source,
        "note": entry.note,
        "caps": [{"messages": cap.messages, "hours": cap.hours, "about": cap.about} for cap in entry.caps],
        "pack": rule.file,
        "version": rule.version,
    }
