"""What commands print: JSON for programs, tables and sentences for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from todoke.model.clock import Micros, to_datetime


def print_json(value: Any) -> None:
    """One JSON document; tuples with names become objects."""
    document = msgspec.json.encode(_plain(value), enc_hook=str)
    sys.stdout.write(msgspec.json.format(document, indent=2).decode() + "\n")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def answer(document: Mapping[str, Any], sentence: str, *, json: bool) -> None:
    """What a command has done: as JSON for programs, in a sentence for people."""
    if json:
        print_json(document)
    else:
        say(sentence)


def warn(line: str) -> None:
    """To stderr, so that it is in nobody's way who reads our output."""
    sys.stderr.write(f"{line}\n")


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table; a sentence where it has no rows. Numbers stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    if not body:
        say(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, header in enumerate(headers):
        numeric = all(isinstance(row[index], int | float) for row in body)
        table.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(cell(value)) for value in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def cell(value: object) -> str:
    """A value for people."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
        case _:
            return str(value)


def local(at: Micros | None) -> str:
    """A moment by this machine's clock and zone, to the second."""
    return "" if at is None else f"{to_datetime(at).astimezone():%Y-%m-%d %H:%M:%S}"


def iso(at: Micros | None) -> str | None:
    """A moment in ISO 8601, UTC."""
    return None if at is None else to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(seconds: float) -> str:
    """A length of time: 4s, 2m 05s, 3h 20m."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600:,}h {whole % 3600 // 60:02}m"


def _plain(value: Any) -> Any:
    fields: tuple[str, ...] = getattr(value, "_fields", ())
    if fields:
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in cast(Mapping[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in cast(Sequence[object], value)]
    return value
