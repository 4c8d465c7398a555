from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Awaitable[Any]]


async def test_skills(acme: Command) -> None:
    listed = (await acme("skill", "list", "--json")).json
    assert [(row["name"], row["window"], row["transport_code"]) for row in listed] == [
        ("bonus-shift", "08:00-21:00", "15551230001"),
        ("delivery-notice", "08:00-21:00", "72345"),
    ]
    assert "delivery-notice" in (await acme("skill", "list")).out
    shown = (await acme("skill", "show", "bonus-shift", "--json")).json
    assert (shown["template"], shown["template_version"], shown["smart_encoding"]) == ("Bonus shift", 1, True)
    assert "text: {FirstName|Hello}, a bonus" in (await acme("skill", "show", "bonus-shift")).out


async def test_an_import_makes_a_list_and_tells_what_it_refused(agents: Command, folder: Path) -> None:
    (listed,) = (await agents("list", "list", "--json")).json
    assert (listed["name"], listed["state"], listed["contacts"], listed["rejected"]) == ("Agents", "ready", 3, 2)
    shown = (await agents("list", "show", "Agents", "--json")).json
    assert shown["rejections"] == {"phone_not_a_number": 1, "duplicate_external_id": 1}
    assert "FirstName" in shown["fields"]
    rejected = await agents("list", "rejected", "Agents", "--json")
    kept = folder / rejected.json["rejects_path"]
    assert "not a number" in kept.read_text("utf-8-sig")
    assert "this is not a phone number" in (await agents("list", "rejected", "Agents")).out
    assert "merge fields: " in (await agents("list", "show", "Agents")).out


async def test_an_import_says_how_it_read_the_file(acme: Command, folder: Path) -> None:
    (folder / "liste.csv").write_text("Nummer;Name\n+12025550143;Ann\n", encoding="utf-8")
    refused = await acme("import", "liste.csv", "--list", "L")
    assert refused.status == 1
    assert refused.err.startswith("liste.csv, line 1: ")
    preview = await acme("import", "liste.csv", "--list", "L", "--preview", "--generate-external-ids", "--json")
    assert preview.json["delimiter"] == ";"
    options = ("--map", "Nummer=PhoneNumber", "--generate-external-ids", "--json")
    assert (await acme("import", "liste.csv", "--list", "L", "--preview", *options)).json["problem"] is None
    assert (await acme("import", "liste.csv", "--list", "L", *options)).json["contacts"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("gone.csv",), "gone.csv: "),
        (("list.csv", "--map", "Name"), "--map: 'Name' does not say which field a column is. Write HEADER=FIELD."),
        (("list.csv", "--business-unit", "Acne"), "There is no business unit 'Acne'. Did you mean 'Acme'?"),
    ],
)
async def test_an_import_that_cannot_be(acme: Command, folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    (folder / "list.csv").write_text("ExternalId,PhoneNumber,Name\n1,+12025550143,Ann\n")
    result = await acme("import", *arguments, "--list", "L")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(sentence)
    assert (await acme("list", "list", "--json")).json == []


OF_A_UNIT = [
    ("skill", "list"),
    ("skill", "show", "x"),
    ("skill", "start", "x", "--list", "y"),
    ("send", "--list", "y", "--text", "x"),
    ("run", "list"),
    ("run", "show", "1"),
    ("run", "watch", "1"),
    ("run", "pause", "1"),
    ("run", "resume", "1"),
    ("run", "stop", "1"),
    ("list", "list"),
    ("list", "show", "x"),
    ("list", "rejected", "x"),
    ("dnc", "add", "+12025550143"),
    ("dnc", "remove", "+12025550143"),
    ("dnc", "check", "+12025550143"),
    ("dnc", "list"),
    ("report", "1"),
]


async def test_with_several_units_every_command_wants_to_know_which(besto: Command) -> None:
    for arguments in OF_A_UNIT:
        result = await besto(*arguments)
        assert (result.status, result.out) == (1, ""), arguments
        assert result.err == (
            "There are several business units. Say which one with --business-unit: 'Acme', 'Besto'.\n"
        )
        unknown = await besto(*arguments, "--business-unit", "Beste")
        assert (unknown.status, unknown.err) == (1, "There is no business unit 'Beste'. Did you mean 'Besto'?\n")


async def test_another_units_names_are_unknown(agents: Command, besto: Command) -> None:
    for arguments, sentence in [
        (("skill", "show", "bonus-shift"), "There is no skill 'bonus-shift'."),
        (("skill", "start", "bonus-shift", "--list", "Agents"), "There is no skill 'bonus-shift'."),
        (("send", "--list", "Agents", "--text", "x"), "There is no list 'Agents'."),
        (("list", "show", "Agents"), "There is no list 'Agents'."),
        (("dnc", "list", "--group", "Acme shifts"), "There is no DNC group 'Acme shifts'."),
    ]:
        result = await besto(*arguments, "-b", "Besto")
        assert (result.status, result.out) == (1, ""), arguments
        assert result.err.startswith(sentence)
    assert (await besto("skill", "list", "-b", "Besto", "--json")).json == []


async def test_migrate(todoke: Command, folder: Path) -> None:
    first = await todoke("migrate")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("sqlite:///todoke-data/todoke.db has the schema ")
    assert (await todoke("migrate")).out == first.out
