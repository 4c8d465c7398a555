"""What commands answer: a sentence for people, JSON for programs."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.cli.conftest import Command
from typer.core import TyperCommand, TyperGroup

from todoke.cli.commands import app

GROUPS = ("list", "mapping", "imports", "dnc", "suppress", "consent", "review", "privacy", "import")
# They write rows to a file, or to standard output, in a form of their own.
EXPORTS = {"dnc export", "consent export", "privacy export"}


def without_json(command: TyperGroup | TyperCommand, path: str = "") -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, part in command.commands.items():
            assert isinstance(part, TyperGroup | TyperCommand)
            yield from without_json(part, f"{path} {name}".strip())
    elif not any("--json" in parameter.opts for parameter in command.params):
        yield path


def test_every_command_that_tells_something_can_tell_it_as_json() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    assert {path for path in without_json(root) if path.split(" ", 1)[0] in GROUPS} == EXPORTS


async def test_what_was_done_to_a_list(agents: Command) -> None:
    async def told(*arguments: str) -> dict[str, object]:
        result = await agents("list", *arguments, "--json")
        assert result.status == 0, result.err
        return result.json

    assert await told("deactivate", "Agents") == {"list": "Agents", "active": False, "paused": []}
    assert await told("activate", "Agents") == {"list": "Agents", "active": True}
    assert await told("expire", "Agents", "--never") == {"list": "Agents", "expires_at": None}
    assert await told("cap", "Agents", "2 in 30 days") == {"list": "Agents", "cap": "2 in 30 days"}
    assert await told("cap", "Agents") == {"list": "Agents", "cap": None}
    assert str((await told("delete", "Agents"))["restorable_until"]).endswith("Z")
    restored = await told("restore", "Agents")
    assert (restored["name"], restored["state"], restored["contacts"]) == ("Agents", "ready", 3)


async def test_what_was_done_to_a_number(acme: Command) -> None:
    number = "+12025550143"
    added = (await acme("dnc", "add", number, "--expires", "2090-01-01", "--json")).json
    group = {"group": "Acme do not call", "numbers": 1}
    assert added == {**group, "on": True, "expires_at": "2090-01-02T00:00:00.000Z"}
    assert (await acme("dnc", "remove", number, "--json")).json == {**group, "on": False, "expires_at": None}
    suppressed = (await acme("suppress", "add", number, "--json")).json
    assert (suppressed["suppressed"], suppressed["expires_at"].endswith("Z")) == (1, True)
    assert (await acme("suppress", "remove", number, "--json")).json == {"ended": 1}
    other = "+12025550144"
    consent = ("consent", "add", other, "--kind", "express", "--at", "2024-05-01T12:00:00Z", "--json")
    assert [(await acme(*consent)).json["added"] for _ in range(2)] == [1, 0]
    stands = (await acme("consent", "show", other, "--json")).json["standing"]
    assert [(row["since"], row["until"]) for row in stands] == [("2024-05-01T12:00:00.000Z", None)]


async def test_a_preview_of_a_file_of_numbers(acme: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("stop.csv").write_text("'Phone';'Until'\n'202-555-0143';'2090-01-31'\n'nobody';\n'202-555-0144';'soon'\n")
    result = await acme("dnc", "import", "stop.csv", "--preview")
    assert "stop.csv: text, encoding 'utf-8' (certain), delimiter ';', quotes '" in result.out
    assert "'Phone' has the numbers, 'Until' says until when" in result.out
    shown = (await acme("dnc", "import", "stop.csv", "--preview", "--json")).json
    assert [(row["number"], row["expires_at"], row["problem"]) for row in shown["rows"]] == [
        ("+12025550143", "2090-02-01T00:00:00.000Z", None),
        (None, None, "there are letters in the number"),
        ("+12025550144", None, "'soon' is no date"),
    ]
    assert (await acme("dnc", "uploads", "--json")).json == []
    quoted = (await acme("dnc", "import", "stop.csv", "--quote", "none", "--preview", "--json")).json
    assert (quoted["quote"], quoted["column"]) == ("none", "'Phone'")

    class Stream:
        buffer = io.BytesIO(b"2025550143\n2025550144\n")

    monkeypatch.setattr(sys, "stdin", Stream)
    headless = (await acme("dnc", "import", "-", "--preview", "--json")).json
    assert (headless["headless"], [row["line"] for row in headless["rows"]]) == (True, [1, 2])
    Stream.buffer = io.BytesIO(b"2025550143\n2025550144\n")
    assert (await acme("dnc", "import", "-", "--json")).json["added"] == 2
    (upload,) = (await acme("dnc", "uploads", "--json")).json
    assert (upload["file"], upload["reason"]) == ("standard input", "todoke dnc import standard input")
